// Exchanges the refresh token for a new pair: once for however many requests ask, in one tab at a time, and so that a
// lost answer can be asked for again. The only place that may find out that the session has ended.
import { Injectable, inject } from '@angular/core';
import { firstValueFrom } from 'rxjs';
import { AuthApi } from '../api/auth-api';
import { Problem, toProblem } from '../api/problem';
import { Connection } from './connection';
import { isRefusal } from './end-reasons';
import { underRefreshLock } from './refresh-lock';
import { SessionRecord, isLive, successorOf } from './stored-session';
import { TokenStorage } from './token-storage';

/** The session to go on with; or none, because it ended or because the server cannot be asked now. */
export type Renewal = SessionRecord | 'signed out' | 'unreachable';

@Injectable({ providedIn: 'root' })
export class Refresher {
  private readonly api = inject(AuthApi);
  private readonly storage = inject(TokenStorage);
  private readonly connection = inject(Connection);
  private running?: Promise<Renewal>;

  /** A record with an access token other than `outworn`, by refreshing only if nobody has done so since. Never rejects. */
  renew(outworn: string): Promise<Renewal> {
    this.running ??= this.renewOnce(outworn).finally(() => (this.running = undefined));
    return this.running;
  }

  private async renewOnce(outworn: string): Promise<Renewal> {
    if (this.isCurrent(outworn) && this.connection.isWaiting()) return 'unreachable';
    return this.isCurrent(outworn) ? underRefreshLock(() => this.exchange(outworn)) : this.inStorage();
  }

  private async exchange(outworn: string): Promise<Renewal> {
    // Read only now, when it is our turn: the tab before us has changed it.
    const record = this.storage.read();
    if (!isLive(record) || record.accessToken !== outworn) return this.inStorage();
    try {
      const answer = await firstValueFrom(this.api.refresh(record.refreshToken, record.idempotencyKey));
      return this.keep(successorOf(record, answer), record);
    } catch (error) {
      return this.refused(toProblem(error), record);
    }
  }

  /** A tab that was held up may be late with its answer: what others have written since is newer and stays. */
  private keep(successor: SessionRecord, spent: SessionRecord): Renewal {
    this.connection.recovered();
    if (this.isUnchanged(spent)) this.storage.write(successor);
    return this.inStorage();
  }

  private refused(problem: Problem, spent: SessionRecord): Renewal {
    if (problem.status !== 403 || !isRefusal(problem.code)) {
      this.connection.failed(problem);
      return 'unreachable';
    }
    this.connection.recovered();
    if (this.isUnchanged(spent)) this.storage.write({ endedBecause: problem.reason ?? problem.code });
    return this.inStorage();
  }

  private isUnchanged(spent: SessionRecord): boolean {
    const now = this.storage.read();
    return isLive(now) && now.refreshToken === spent.refreshToken;
  }

  private isCurrent(accessToken: string): boolean {
    const now = this.storage.read();
    return isLive(now) && now.accessToken === accessToken;
  }

  private inStorage(): Renewal {
    const now = this.storage.read();
    return isLive(now) ? now : 'signed out';
  }
}
