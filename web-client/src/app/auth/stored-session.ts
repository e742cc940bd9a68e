// What one browser remembers of its session, and how that survives being text: one JSON value, so that a token and the
// key that belongs to it are always written and read together. Where it is kept is TokenStorage's business.
import { SignIn, TokenPair, User } from '../api/models';
import { EndReason } from './end-reasons';

/** A live session: the pair of tokens, and the key that must accompany the refresh token wherever it is spent. */
export interface SessionRecord extends TokenPair {
  /** Random, made when this refresh token was received, and never replaced for it. */
  readonly idempotencyKey: string;
  readonly user: User;
}

/** No session; where one ended, why, so that every tab can say so. */
export interface NoSession {
  readonly endedBecause?: EndReason;
}

export type StoredSession = SessionRecord | NoSession;

export function isLive(stored: StoredSession): stored is SessionRecord {
  return 'refreshToken' in stored;
}

export function recordOfSignIn(signIn: SignIn): SessionRecord {
  return { ...pairOf(checkedPair(signIn)), user: signIn.user, idempotencyKey: newIdempotencyKey() };
}

/** The record that takes the place of `spent` once its refresh token was exchanged for `pair`. */
export function successorOf(spent: SessionRecord, pair: TokenPair): SessionRecord {
  return { ...pairOf(checkedPair(pair)), user: spent.user, idempotencyKey: newIdempotencyKey() };
}

/** Throws where a 200 does not hold what a token answer must: it came from something else, and nothing of it is kept. */
function checkedPair(answer: unknown): TokenPair {
  const pair = answer as Partial<TokenPair> | null;
  if (
    !isText(pair?.accessToken) ||
    !isText(pair.refreshToken) ||
    !isText(pair.sessionId) ||
    !isLifetime(pair.expiresIn)
  ) {
    throw new TypeError('not a token answer');
  }
  return pair as TokenPair;
}

/** Whatever cannot be read as a session is none: storage can be edited, cut or left by another version. */
export function parseStored(text: string | null): StoredSession {
  if (text === null) return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return {};
    if (isRecord(value)) return value;
    return 'endedBecause' in value && isText(value.endedBecause) ? { endedBecause: value.endedBecause } : {};
  } catch {
    return {};
  }
}

function isRecord(value: object): value is SessionRecord {
  const record = value as Partial<SessionRecord>;
  return (
    [record.accessToken, record.refreshToken, record.sessionId, record.user?.id, record.user?.username].every(
      isText,
    ) &&
    isLifetime(record.expiresIn) &&
    /^[\x21-\x7e]{16,128}$/.test(record.idempotencyKey ?? '')
  );
}

function pairOf({ accessToken, refreshToken, expiresIn, sessionId }: TokenPair): TokenPair {
  return { accessToken, refreshToken, expiresIn, sessionId };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isLifetime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}

/** 128 random bits. Not `randomUUID`, which browsers withhold from pages on plain http. */
function newIdempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
