// A new account, where the installation lets visitors make one; whoever made it is signed in with it.
import { Component, computed, inject, input, signal } from '@angular/core';
import { FormRoot, email, form, maxLength, minLength, pattern, required } from '@angular/forms/signals';
import { RouterLink } from '@angular/router';
import { firstValueFrom } from 'rxjs';
import { AuthApi } from '../../api/auth-api';
import { toProblem } from '../../api/problem';
import { FormProblem, focusFirstError, formErrors } from '../../ui/form-errors';
import { Icon } from '../../ui/icon';
import { TextField } from '../../ui/text-field';
import { Session } from '../session';

@Component({
  selector: 'app-register',
  imports: [FormRoot, Icon, RouterLink, TextField],
  templateUrl: './register.html',
})
export class Register {
  private readonly api = inject(AuthApi);
  private readonly session = inject(Session);

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
  protected readonly formError = computed(() => this.form().errors()[0]?.message);

  private async register(): Promise<FormProblem[] | undefined> {
    const { username, email: address, password } = this.form().value();
    try {
      await firstValueFrom(this.api.register(username, address, password));
      await this.session.signIn(username, password);
      return undefined;
    } catch (error) {
      const problem = toProblem(error);
      if (problem.code === 'registration_disabled') this.isClosed.set(true);
      return formErrors(problem, {
        username: this.form.username,
        email: this.form.email,
        password: this.form.password,
      });
    }
  }
}
