import { claimsOf } from './token-claims';

const token = (payload: string) =>
  `e30.${btoa(payload).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}.x`;

describe('claimsOf', () => {
  it('reads the claims of a token, in any alphabet', () => {
    const utf8 = String.fromCharCode(...new TextEncoder().encode('{"sub":"ädä ÿ?>","gen":7}'));
    expect(claimsOf(token(utf8))).toEqual({ sub: 'ädä ÿ?>', gen: 7 });
  });

  it.each(['', 'opaque', 'a.b.c', token('null'), token('not json'), '..'])('finds none in %j', (text) => {
    expect(claimsOf(text)).toEqual({});
  });
});
