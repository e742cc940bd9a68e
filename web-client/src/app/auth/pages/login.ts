// Signing in: says why someone was signed out before, takes name and password, and counts the seconds down after too
// many attempts. Where to go afterwards is the guards' to know.
import { Component, computed, inject, input, signal } from '@angular/core';
import { FormRoot, ValidationError, form, required } from '@angular/forms/signals';
import { RouterLink } from '@angular/router';
import { toProblem } from '../../api/problem';
import { countdown } from '../../ui/countdown';
import { focusFirstError, formErrors } from '../../ui/form-errors';
import { Icon } from '../../ui/icon';
import { SiteConfig } from '../../ui/site-config';
import { TextField } from '../../ui/text-field';
import { Toasts } from '../../ui/toasts';
import { farewell } from '../end-reasons';
import { Session } from '../session';

@Component({
  selector: 'app-login',
  imports: [FormRoot, Icon, RouterLink, TextField],
  templateUrl: './login.html',
})
export class Login {
  private readonly session = inject(Session);
  private readonly toasts = inject(Toasts);
  protected readonly site = inject(SiteConfig);

  /** From the address: where the user was going. Kept on the way to the page for new accounts. */
  readonly returnTo = input<string>();

  protected readonly farewell = computed(() => {
    const reason = this.session.endedBecause();
    return reason === undefined ? undefined : farewell(reason);
  });
  /** When another attempt may be made, on the clock of `performance.now()`. */
  private readonly blockedUntil = signal<number | undefined>(undefined);
  protected readonly secondsToWait = countdown(this.blockedUntil);

  protected readonly form = form(
    signal({ username: '', password: '' }),
    (path) => {
      required(path.username, { message: 'Enter your username or e-mail address.' });
      required(path.password, { message: 'Enter your password.' });
    },
    { submission: { action: () => this.signIn(), onInvalid: () => focusFirstError(this.form) } },
  );
  /** What went wrong with the last attempt as a whole. It does not keep anyone from another. */
  protected readonly failure = signal('');

  private async signIn(): Promise<ValidationError.WithFieldTree[]> {
    if (this.secondsToWait() > 0) return [];
    this.failure.set('');
    const { username, password } = this.form().value();
    try {
      const ended = await this.session.signIn(username.trim(), password);
      if (ended.length > 0)
        this.toasts.show({ text: endedText(ended.map(({ deviceName }) => deviceName)), isError: true });
      return [];
    } catch (error) {
      const problem = toProblem(error);
      if (problem.code === 'invalid_credentials') {
        this.form.password().focusBoundControl();
        this.failure.set('That name and password do not go together.');
        return [];
      }
      if (problem.status === 429 && problem.retryAfter) {
        this.blockedUntil.set(performance.now() + problem.retryAfter * 1_000);
        return [];
      }
      const { atFields, ofForm } = formErrors(problem, {
        username: this.form.username,
        password: this.form.password,
      });
      this.failure.set(ofForm);
      return atFields;
    }
  }
}

function endedText(names: readonly (string | null)[]): string {
  const devices = names.map((name) => name ?? 'an unknown device');
  const list = new Intl.ListFormat('en', { type: 'conjunction' }).format(devices);
  return `You were signed in on too many devices. These were signed out: ${list}.`;
}
