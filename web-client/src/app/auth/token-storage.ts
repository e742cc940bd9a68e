// The one place that touches local storage for tokens. Other tabs read the same values, so a value is read again before
// each use and `current` follows what they write. Where storage is denied, the session lives as long as the tab.
import { Injectable, computed, signal } from '@angular/core';
import { StoredSession, parseStored } from './stored-session';

const sessionKey = 'latchkey.session';
const orderPrefix = 'latchkey.sign-out.';

@Injectable({ providedIn: 'root' })
export class TokenStorage {
  /** Stands in for local storage, key by key, once a write of that key was refused. */
  private readonly memory = new Map<string, string>();
  private readonly latest = signal<{ text: string | null; stored: StoredSession }>(this.load());

  /** What this tab last wrote or heard of. To spend a token, `read` instead. */
  readonly current = computed(() => this.latest().stored);

  constructor() {
    addEventListener('storage', (event) => {
      if (event.key === sessionKey || event.key === null) this.read();
    });
    // A page that comes back from the back-forward cache was told of nothing while it was there.
    addEventListener('pageshow', () => this.read());
  }

  /** The session as it is stored at this moment, by whichever tab wrote it last. */
  read(): StoredSession {
    const loaded = this.load();
    if (loaded.text !== this.latest().text) this.latest.set(loaded);
    return this.latest().stored;
  }

  write(stored: StoredSession): void {
    this.set(sessionKey, JSON.stringify(stored));
    this.read();
  }

  /** Refresh tokens of sessions that the user has left and the server has not yet been told of, by session. */
  signOutOrders(): ReadonlyMap<string, string> {
    const orders = new Map<string, string>();
    for (const key of this.keys()) {
      const token = key.startsWith(orderPrefix) && this.get(key);
      if (token) orders.set(key.slice(orderPrefix.length), token);
    }
    return orders;
  }

  addSignOutOrder(sessionId: string, refreshToken: string): void {
    this.set(orderPrefix + sessionId, refreshToken);
  }

  dropSignOutOrder(sessionId: string): void {
    this.memory.delete(orderPrefix + sessionId);
    attempt(() => localStorage.removeItem(orderPrefix + sessionId));
  }

  private load(): { text: string | null; stored: StoredSession } {
    const text = this.get(sessionKey);
    return { text, stored: parseStored(text) };
  }

  private get(key: string): string | null {
    return this.memory.get(key) ?? attempt(() => localStorage.getItem(key)) ?? null;
  }

  private set(key: string, value: string): void {
    this.memory.delete(key);
    const isKept = attempt(() => {
      localStorage.setItem(key, value);
      return true;
    });
    if (isKept) return;
    // An older value must not outlive this one: a token left behind would be spent a second time.
    attempt(() => localStorage.removeItem(key));
    this.memory.set(key, value);
  }

  private keys(): Set<string> {
    return new Set([...this.memory.keys(), ...(attempt(() => Object.keys(localStorage)) ?? [])]);
  }
}

/** Storage may be denied, full or missing altogether; each of them throws, some already when it is named. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
