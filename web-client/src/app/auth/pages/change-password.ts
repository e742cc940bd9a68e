// A new password, for someone who knows the old one. All other devices are signed out by it; this one stays.
import { Component, inject, signal } from '@angular/core';
import {
  FormRoot,
  ValidationError,
  form,
  maxLength,
  minLength,
  required,
  validate,
} from '@angular/forms/signals';
import { Router, RouterLink } from '@angular/router';
import { firstValueFrom } from 'rxjs';
import { AuthApi } from '../../api/auth-api';
import { toProblem } from '../../api/problem';
import { focusFirstError, formErrors } from '../../ui/form-errors';
import { Icon } from '../../ui/icon';
import { TextField } from '../../ui/text-field';
import { Toasts } from '../../ui/toasts';
import { Session } from '../session';

@Component({
  selector: 'app-change-password',
  imports: [FormRoot, Icon, RouterLink, TextField],
  templateUrl: './change-password.html',
})
export class ChangePassword {
  private readonly api = inject(AuthApi);
  private readonly router = inject(Router);
  private readonly toasts = inject(Toasts);
  protected readonly session = inject(Session);

  protected readonly form = form(
    signal({ currentPassword: '', newPassword: '', repeated: '' }),
    (path) => {
      required(path.currentPassword, { message: 'Enter your current password.' });
      required(path.newPassword, { message: 'Choose a new password.' });
      minLength(path.newPassword, 8, { message: 'Use at least 8 characters.' });
      maxLength(path.newPassword, 128, { message: 'Use at most 128 characters.' });
      validate(path.repeated, ({ value, valueOf }) =>
        value() === valueOf(path.newPassword)
          ? undefined
          : { kind: 'differs', message: 'The two are not the same.' },
      );
    },
    { submission: { action: () => this.change(), onInvalid: () => focusFirstError(this.form) } },
  );
  /** What went wrong with the last attempt as a whole. It does not keep anyone from another. */
  protected readonly failure = signal('');

  private async change(): Promise<ValidationError.WithFieldTree[]> {
    this.failure.set('');
    const { currentPassword, newPassword } = this.form().value();
    try {
      await firstValueFrom(this.api.changePassword(currentPassword, newPassword));
    } catch (error) {
      const { currentPassword: current, newPassword: next } = this.form;
      const fields = { currentPassword: current, newPassword: next };
      const { atFields, ofForm } = formErrors(toProblem(error), fields);
      this.failure.set(ofForm);
      return atFields;
    }
    this.toasts.show({ text: 'Your password is changed, and your other devices are signed out.' });
    await this.router.navigateByUrl('/profile');
    return [];
  }
}
