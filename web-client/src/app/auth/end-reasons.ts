// Why a session ended, in the services' words and in a sentence for the person who was signed out.

/** The codes with which `/refresh-token` answers 403. Nothing else ever signs a user out. */
export const refusals = [
  'refresh_token_missing',
  'refresh_token_invalid',
  'refresh_token_expired',
  'refresh_token_reused',
  'session_ended',
  'fingerprint_mismatch',
] as const;

const becauses: Readonly<Record<string, string>> = {
  refresh_token_missing: 'this browser no longer had what it needs to stay signed in',
  refresh_token_invalid: 'this sign-in was not recognised any more',
  refresh_token_expired: 'you had not been here for a long time',
  refresh_token_reused: reuse(),
  reuse_detected: reuse(),
  session_ended: 'this session has ended',
  fingerprint_mismatch: 'this sign-in belongs to another device',
  signed_out_elsewhere: 'this session was ended from another device',
  session_limit: 'your account was signed in on too many devices at once',
  password_changed: 'your password was changed',
  user_disabled: 'your account was disabled',
  expired: 'this session had reached its longest allowed life',
  admin: 'an administrator ended this session',
};

/** `signed_out` is the user's own doing; the rest are the services' words, and new ones may come. */
export type EndReason = string;

export interface Farewell {
  readonly text: string;
  /** True where someone else may hold the user's token, so that a password is better changed. */
  readonly isAlarming: boolean;
}

export function isRefusal(code: string | undefined): boolean {
  return refusals.some((refusal) => refusal === code);
}

export function farewell(reason: EndReason): Farewell {
  if (reason === 'signed_out') return { text: 'You signed out.', isAlarming: false };
  const because = Object.hasOwn(becauses, reason) ? becauses[reason] : becauses['session_ended'];
  return {
    text: `You were signed out because ${because}.`,
    isAlarming: reason === 'reuse_detected' || reason === 'refresh_token_reused',
  };
}

function reuse(): string {
  return 'this session’s token was used twice, as happens when someone has copied it';
}
