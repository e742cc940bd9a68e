// A new account, where the installation lets visitors make one; whoever made it is signed in with it.
import { Component, inject, input, signal } from '@angular/core';
import {
  FormRoot,
  ValidationError,
  email,
  form,
  maxLength,
  minLength,
  pattern,
  required,
} from '@angular/forms/signals';
import { Router, RouterLink } from '@angular/router';
import { firstValueFrom } from 'rxjs';
import { AuthApi } from '../../api/auth-api';
import { Problem, toProblem } from '../../api/problem';
import { focusFirstError, formErrors } from '../../ui/form-errors';
import { Icon } from '../../ui/icon';
import { TextField } from '../../ui/text-field';
import { Toasts } from '../../ui/toasts';
import { Session } from '../session';

@Component({
  selector: 'app-register',
  imports: [FormRoot, Icon, RouterLink, TextField],
  templateUrl: './register.html',
})
export class Register {
  private readonly api = inject(AuthApi);
  private readonly router = inject(Router);
  private readonly session = inject(Session);
  private readonly toasts = inject(Toasts);

  /** From the address: where the user was going before there was an account to go there with. */
  readonly returnTo = input<string>();

  protected readonly isClosed = signal(false);
  protected readonly form = form(
    signal({ username: '', email: '', password: '' }),
    (path) => {
      required(path.username, { message: 'Choose a username.' });
      pattern(path.username, /^[a-z0-9._-]{3,32}$/i, {
        message: 'Use 3 to 32 letters, digits, dots, hyphens or underscores.',
      });
      required(path.email, { message: 'Enter your e-mail address.' });
      email(path.email, { message: 'That is not an e-mail address.' });
      required(path.password, { message: 'Choose a password.' });
      minLength(path.password, 8, { message: 'Use at least 8 characters.' });
      maxLength(path.password, 128, { message: 'Use at most 128 characters.' });
    },
    { submission: { action: () => this.register(), onInvalid: () => focusFirstError(this.form) } },
  );
  /** What went wrong with the last attempt as a whole. It does not keep anyone from another. */
  protected readonly failure = signal('');

  private async register(): Promise<ValidationError.WithFieldTree[]> {
    this.failure.set('');
    const { username, email: address, password } = this.form().value();
    try {
      await firstValueFrom(this.api.register(username, address, password));
    } catch (error) {
      return this.refused(toProblem(error));
    }
    try {
      await this.session.signIn(username, password);
    } catch {
      // The account is there all the same; made again, it would be said to be taken.
      this.toasts.show({ text: 'Your account is made. Sign in with it.' });
      await this.router.navigate(['/login'], { queryParamsHandling: 'preserve' });
    }
    return [];
  }

  private refused(problem: Problem): ValidationError.WithFieldTree[] {
    if (problem.code === 'registration_disabled') this.isClosed.set(true);
    const { username, email: address, password } = this.form;
    const { atFields, ofForm } = formErrors(problem, { username, email: address, password });
    this.failure.set(ofForm);
    return atFields;
  }
}
