// A session to test with, and a look at what local storage holds of one.
import { SessionRecord, StoredSession, parseStored } from '../app/auth/stored-session';

export const ada = { id: '10000000-0000-4000-8000-000000000001', email: 'ada@example.test', username: 'ada' };

/** The record of generation `n` of one session. */
export function generation(n: number): SessionRecord {
  return {
    accessToken: `access-${n}`,
    refreshToken: `refresh-${n}`,
    idempotencyKey: `key-of-generation-${n}`,
    sessionId: 'session-1',
    expiresIn: 900,
    user: ada,
  };
}

/** What the service answers when it mints generation `n`. */
export function pair(n: number) {
  const { accessToken, refreshToken, sessionId, expiresIn } = generation(n);
  return {
    accessToken,
    refreshToken,
    sessionId,
    expiresIn,
    refreshExpiresIn: 2_592_000,
    tokenType: 'Bearer',
  };
}

/** Writes as another tab would, without this tab's application having a hand in it. */
export function store(stored: StoredSession, { announce = false } = {}): void {
  localStorage.setItem('latchkey.session', JSON.stringify(stored));
  if (announce) dispatchEvent(new StorageEvent('storage', { key: 'latchkey.session' }));
}

export function stored(): StoredSession {
  return parseStored(localStorage.getItem('latchkey.session'));
}

/** Lets everything run that waits for nothing but its turn. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}
