// A new password, for someone who knows the old one. All other devices are signed out by it; this one stays.
import { Component, computed, inject, signal } from '@angular/core';
import { FormRoot, form, maxLength, minLength, required, validate } from '@angular/forms/signals';
import { Router, RouterLink } from '@angular/router';
import { firstValueFrom } from 'rxjs';
import { AuthApi } from '../../api/auth-api';
import { toProblem } from '../../api/problem';
import { FormProblem, focusFirstError, formErrors } from '../../ui/form-errors';
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
  protected readonly formError = computed(() => this.form().errors()[0]?.message);

  private async change(): Promise<FormProblem[] | undefined> {
    const { currentPassword, newPassword } = this.form().value();
    try {
      await firstValueFrom(this.api.changePassword(currentPassword, newPassword));
    } catch (error) {
      const { currentPassword: current, newPassword: next } = this.form;
      return formErrors(toProblem(error), { currentPassword: current, newPassword: next });
    }
    this.toasts.show({ text: 'Your password is changed, and your other devices are signed out.' });
    await this.router.navigateByUrl('/profile');
    return undefined;
  }
}
