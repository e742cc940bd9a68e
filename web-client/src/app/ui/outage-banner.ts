// Says that the server cannot be reached and that the user is still signed in, when it is tried again, and lets them
// hurry where the server has not named the time itself.
import { Component, computed, inject } from '@angular/core';
import { Connection } from '../auth/connection';
import { Session } from '../auth/session';
import { countdown } from './countdown';
import { Icon } from './icon';

@Component({
  selector: 'app-outage-banner',
  imports: [Icon],
  template: `
    <div role="status">
      @if (session.state() === 'unreachable') {
        <div class="banner">
          <app-icon name="offline" />
          <p>
            <strong>{{ headline() }}</strong> You are still signed in.
            <span aria-hidden="true">{{
              seconds() ? 'Trying again in ' + seconds() + ' s.' : 'Trying again…'
            }}</span>
          </p>
          @if (!connection.trouble()?.isServersWish) {
            <button type="button" class="button small" (click)="connection.hurry()">Try now</button>
          }
        </div>
      }
    </div>
  `,
})
export class OutageBanner {
  protected readonly session = inject(Session);
  protected readonly connection = inject(Connection);
  protected readonly seconds = countdown(computed(() => this.connection.trouble()?.retryAt));
  protected readonly headline = computed(() =>
    this.connection.trouble()?.isOverload ? 'The server is busy.' : 'The server cannot be reached.',
  );
}
