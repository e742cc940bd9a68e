import { ada, generation, pair } from '../../testing/session';
import { isLive, parseStored, recordOfSignIn, successorOf } from './stored-session';

const signIn = { ...pair(1), user: ada, endedSessions: [] };

describe('a session record', () => {
  it('survives being text', () => {
    expect(parseStored(JSON.stringify(generation(1)))).toEqual(generation(1));
    expect(parseStored(JSON.stringify({ endedBecause: 'admin' }))).toEqual({ endedBecause: 'admin' });
  });

  it('is made with a random key that the service accepts', () => {
    const keys = new Set(Array.from({ length: 50 }, () => recordOfSignIn(signIn).idempotencyKey));
    expect(keys.size).toBe(50);
    for (const key of keys) expect(key).toMatch(/^[0-9a-f]{32}$/);
  });

  it('has a new key with each refresh token, and the user of the one before', () => {
    const next = successorOf(generation(1), pair(2));
    expect(next).toMatchObject({ refreshToken: 'refresh-2', accessToken: 'access-2', user: ada });
    expect(next.idempotencyKey).not.toBe(generation(1).idempotencyKey);
  });

  it('keeps nothing of an answer but what a session is made of', () => {
    const record = recordOfSignIn({ ...signIn, password: 'never' } as never);
    expect(Object.keys(record).sort()).toEqual(Object.keys(generation(1)).sort());
  });

  it.each([
    ['nothing', null],
    ['no refresh token', { ...pair(2), refreshToken: undefined }],
    ['an empty access token', { ...pair(2), accessToken: '' }],
    ['a life that is not a number', { ...pair(2), expiresIn: '900' }],
    ['a life that is over', { ...pair(2), expiresIn: 0 }],
  ])('is not made from an answer with %s', (_, answer) => {
    expect(() => successorOf(generation(1), answer as never)).toThrow(TypeError);
  });
});

describe('parseStored', () => {
  it.each([
    ['nothing', null],
    ['an empty text', ''],
    ['a text cut off', JSON.stringify(generation(1)).slice(0, -5)],
    ['null', 'null'],
    ['a list', '[]'],
    ['a number', '7'],
    ['a record without its key', JSON.stringify({ ...generation(1), idempotencyKey: undefined })],
    ['a key that the service would refuse', JSON.stringify({ ...generation(1), idempotencyKey: 'short' })],
    [
      'a key that no header can carry',
      JSON.stringify({ ...generation(1), idempotencyKey: 'a'.repeat(20) + '\n' }),
    ],
    ['a record without a user', JSON.stringify({ ...generation(1), user: null })],
    ['a refresh token that is no text', JSON.stringify({ ...generation(1), refreshToken: {} })],
    ['a reason that is no text', '{"endedBecause":{}}'],
  ])('reads %s as no session', (_, text) => {
    expect(parseStored(text)).toEqual({});
    expect(isLive(parseStored(text))).toBe(false);
  });
});
