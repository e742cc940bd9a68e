// Signing out works without the server: the order to end the session there is kept and sent when it can be reached.
// A refresh token kept for this is used for nothing else.
import { Injectable, inject } from '@angular/core';
import { firstValueFrom } from 'rxjs';
import { AuthApi } from '../api/auth-api';
import { toProblem } from '../api/problem';
import { SessionRecord } from './stored-session';
import { TokenStorage } from './token-storage';

/** The first wait and the longest, in milliseconds. */
const firstWait = 2_000;
const longestWait = 60_000;

@Injectable({ providedIn: 'root' })
export class SignOutOrders {
  private readonly api = inject(AuthApi);
  private readonly storage = inject(TokenStorage);
  private timer?: ReturnType<typeof setTimeout>;
  private failures = 0;

  constructor() {
    addEventListener('online', () => void this.send());
    void this.send();
  }

  give(record: SessionRecord): void {
    this.storage.addSignOutOrder(record.sessionId, record.refreshToken);
    void this.send();
  }

  /** Sends what is kept; what the server did not take is kept and sent again later. Never rejects. */
  private async send(): Promise<void> {
    clearTimeout(this.timer);
    const waits = await Promise.all([...this.storage.signOutOrders()].map((order) => this.sendOne(...order)));
    const longest = Math.max(...waits);
    if (longest <= 0) {
      this.failures = 0;
      return;
    }
    this.failures += 1;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.send(), longest);
  }

  /** How long to wait before the next attempt, in milliseconds; 0 where none is needed. */
  private async sendOne(sessionId: string, refreshToken: string): Promise<number> {
    const own = Math.min(firstWait * 2 ** this.failures, longestWait);
    try {
      const status = await firstValueFrom(this.api.logout(refreshToken));
      if (status !== 204) return own;
    } catch (error) {
      const { status, code, retryAfter = 0 } = toProblem(error);
      // Our own service calls the order malformed: it will never take it, and there is no session behind it.
      if (status !== 400 || code !== 'bad_request') return Math.max(own, retryAfter * 1_000);
    }
    this.storage.dropSignOutOrder(sessionId);
    return 0;
  }
}
