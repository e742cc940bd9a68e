// Who is signed in, in four states, for guards and pages to ask. It signs in and out and makes sure of the session when
// the application starts and whenever the server was out of reach; renewing tokens is the refresher's business.
import { Injectable, Signal, computed, effect, inject, linkedSignal, signal, untracked } from '@angular/core';
import { firstValueFrom } from 'rxjs';
import { AuthApi } from '../api/auth-api';
import { EndedSession, User } from '../api/models';
import { isTemporary, toProblem } from '../api/problem';
import { atTime } from './at-time';
import { Connection } from './connection';
import { SignOutOrders } from './sign-out-orders';
import { isLive, recordOfSignIn } from './stored-session';
import { TokenStorage } from './token-storage';

/**
 * `starting`: a stored session has yet to be confirmed. `unreachable`: signed in as far as we know, and the server cannot
 * be asked. Only the other two are certain.
 */
export type SessionState = 'starting' | 'signed in' | 'signed out' | 'unreachable';

@Injectable({ providedIn: 'root' })
export class Session {
  private readonly api = inject(AuthApi);
  private readonly storage = inject(TokenStorage);
  private readonly connection = inject(Connection);
  private readonly orders = inject(SignOutOrders);

  private readonly record = computed(() => {
    const stored = this.storage.current();
    return isLive(stored) ? stored : undefined;
  });
  /** A session found at the start is one from the past; one that appears later was just made, here or in another tab. */
  private readonly unconfirmed = signal(this.record()?.sessionId);

  readonly id: Signal<string | undefined> = computed(() => this.record()?.sessionId);
  readonly state: Signal<SessionState> = computed(() => {
    if (!this.record()) return 'signed out';
    if (this.connection.isTroubled()) return 'unreachable';
    return this.unconfirmed() === this.id() ? 'starting' : 'signed in';
  });
  readonly isSignedIn = computed(() => this.record() !== undefined);
  /** As the server last told it; until then as the sign-in did. */
  private readonly told = linkedSignal<string | undefined, User | undefined>({
    source: this.id,
    computation: () => undefined,
  });
  readonly user: Signal<User | undefined> = computed(() => this.told() ?? this.record()?.user);
  readonly endedBecause = computed(() => {
    const stored = this.storage.current();
    return isLive(stored) ? undefined : stored.endedBecause;
  });

  constructor() {
    effect((onCleanup) => {
      const trouble = this.connection.trouble();
      if (!trouble || !this.isSignedIn()) return;
      onCleanup(atTime(trouble.retryAt, () => void this.check()));
    });
    // Trouble is that of a session: someone who has signed out is not told of it, nor made to wait for it.
    effect(() => {
      if (!this.isSignedIn()) untracked(() => this.connection.recovered());
    });
    addEventListener('online', () => this.connection.hurry());
    if (this.record()) void this.check();
  }

  /** Asks the server who this is, renewing the token on the way if need be. Never rejects. */
  async check(): Promise<void> {
    const id = this.id();
    try {
      const user = await firstValueFrom(this.api.currentUser());
      if (this.id() !== id) return;
      this.told.set(user);
      this.unconfirmed.set(undefined);
      this.connection.recovered();
    } catch (error) {
      if (this.id() !== id) return;
      const problem = toProblem(error);
      // The request itself may have reported this failure already, and a failure counts once.
      if (isTemporary(problem) && !this.connection.isWaiting()) this.connection.failed(problem);
      // Any other answer came from the server and did not end the session, so the pages may show what it refuses.
      if (!isTemporary(problem)) this.settle();
    }
  }

  /** Returns the sessions that had to end for this one. Rejects as the call does. */
  async signIn(username: string, password: string): Promise<readonly EndedSession[]> {
    const signIn = await firstValueFrom(this.api.login(username, password));
    this.storage.write(recordOfSignIn(signIn));
    return signIn.endedSessions;
  }

  /** Takes effect in every tab at once; the server is told as soon as it can be reached. */
  signOut(): void {
    const stored = this.storage.read();
    if (!isLive(stored)) return;
    this.orders.give(stored);
    this.storage.write({ endedBecause: 'signed_out' });
  }

  private settle(): void {
    this.unconfirmed.set(undefined);
    this.connection.recovered();
  }
}
