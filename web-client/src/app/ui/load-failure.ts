// In place of what could not be loaded: why, and another attempt, once the time has come that the server named.
import { Component, computed, input } from '@angular/core';
import { Loaded } from '../auth/loaded';
import { explain } from './form-errors';
import { Icon } from './icon';

@Component({
  selector: 'app-load-failure',
  imports: [Icon],
  template: `
    <div class="card empty">
      <app-icon name="offline" />
      <p role="alert">{{ what() }} could not be loaded. {{ reason() }}</p>
      <button type="button" class="button" [disabled]="isBlocked()" (click)="source().reload()">
        @if (source().isTryingAgain()) {
          Trying again…
        } @else if (source().secondsToWait() > 0) {
          Wait {{ source().secondsToWait() }} s
        } @else {
          Try again
        }
      </button>
    </div>
  `,
})
export class LoadFailure {
  /** The start of the sentence that says what is missing. */
  readonly what = input.required<string>();
  readonly source = input.required<Loaded<unknown>>();

  protected readonly isBlocked = computed(
    () => this.source().isTryingAgain() || this.source().secondsToWait() > 0,
  );
  protected readonly reason = computed(() => {
    const problem = this.source().problem();
    // The button counts the seconds; a sentence that does not would soon be wrong.
    return problem && explain({ ...problem, retryAfter: undefined });
  });
}
