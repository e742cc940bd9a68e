// Renews the access token a little before it expires while someone looks at the page, so that no click has to wait for
// it. A convenience: a token that expires all the same is renewed when it is refused.
import { Injectable, effect, inject, signal } from '@angular/core';
import { atTime } from './at-time';
import { Refresher } from './refresher';
import { Session } from './session';
import { isLive } from './stored-session';
import { TokenStorage } from './token-storage';

/** How long before the end, in seconds: a minute, or half of a life that is shorter than two minutes. */
const usualLead = 60;

/** Milliseconds after receipt at which a token that lives `expiresIn` seconds is to be renewed. */
export function dueAfter(expiresIn: number): number {
  return (expiresIn - Math.min(usualLead, expiresIn / 2)) * 1_000;
}

@Injectable({ providedIn: 'root' })
export class EarlyRefresh {
  private readonly refresher = inject(Refresher);
  private readonly storage = inject(TokenStorage);
  private readonly session = inject(Session);
  /** The token in hand, and when this tab first saw it. After a reload its age is unknown and counted from then. */
  private seen = { accessToken: '', at: 0 };
  private readonly due = signal<number | undefined>(undefined);

  /** When the token in hand is to be renewed, on the clock of `performance.now()`, in milliseconds; for showing. */
  readonly renewsAt = this.due.asReadonly();

  constructor() {
    effect((onCleanup) => {
      const stored = this.storage.current();
      this.due.set(undefined);
      if (!isLive(stored) || this.session.state() !== 'signed in') return;
      const { accessToken, expiresIn } = stored;
      // The monotonic clock and a duration: what the device believes the time to be makes no difference.
      if (this.seen.accessToken !== accessToken) this.seen = { accessToken, at: performance.now() };
      const due = this.seen.at + dueAfter(expiresIn);
      this.due.set(due);
      onCleanup(this.whenDue(due, () => void this.refresher.renew(accessToken)));
    });
  }

  /** Calls `renew` once, at `due` or as soon after it as the page is visible. Returns how to call that off. */
  private whenDue(due: number, renew: () => void): () => void {
    const renewIfSeen = () => {
      if (document.visibilityState !== 'visible' || performance.now() < due) return;
      callOff();
      renew();
    };
    const callOffTimer = atTime(due, renewIfSeen);
    const callOff = () => {
      callOffTimer();
      document.removeEventListener('visibilitychange', renewIfSeen);
    };
    document.addEventListener('visibilitychange', renewIfSeen);
    return callOff;
  }
}
