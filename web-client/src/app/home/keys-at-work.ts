// The two tokens of the session, live: how long until the access token is renewed and which generation the refresh token
// has reached. Their claims are shown, never the tokens themselves.
import { Component, computed, inject } from '@angular/core';
import { EarlyRefresh, dueAfter } from '../auth/early-refresh';
import { isLive } from '../auth/stored-session';
import { TokenStorage } from '../auth/token-storage';
import { countdown } from '../ui/countdown';
import { claimsOf } from './token-claims';

@Component({
  selector: 'app-keys-at-work',
  templateUrl: './keys-at-work.html',
})
export class KeysAtWork {
  private readonly storage = inject(TokenStorage);
  private readonly renewsAt = inject(EarlyRefresh).renewsAt;
  protected readonly record = computed(() => {
    const stored = this.storage.current();
    return isLive(stored) ? stored : undefined;
  });

  protected readonly access = computed(() => claimsOf(this.record()?.accessToken ?? ''));
  protected readonly generation = computed(() => claimsOf(this.record()?.refreshToken ?? '').gen);
  /** The last few links of the chain, the current one at the end. */
  protected readonly chain = computed(() => {
    const current = this.generation() ?? 0;
    return Array.from({ length: Math.min(current, 5) + 1 }, (_, back) => current - back).reverse();
  });

  protected readonly seconds = countdown(this.renewsAt);
  protected readonly isWaiting = computed(() => this.renewsAt() === undefined);
  protected readonly clock = computed(() => {
    const seconds = this.seconds();
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  });
  /** How much of the way to the next renewal is left, from 100 to 0. */
  protected readonly left = computed(() => {
    const whole = dueAfter(this.record()?.expiresIn ?? 1) / 1_000;
    return Math.min(100, (100 * this.seconds()) / whole);
  });
  protected readonly lifetime = computed(() => {
    const seconds = this.record()?.expiresIn ?? 0;
    return seconds % 60 === 0 ? `${seconds / 60} minutes` : `${seconds} seconds`;
  });
}
