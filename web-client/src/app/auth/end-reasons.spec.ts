import { farewell, isRefusal, refusals } from './end-reasons';

const reasons = [
  'signed_out_elsewhere',
  'session_limit',
  'reuse_detected',
  'password_changed',
  'user_disabled',
  'expired',
  'admin',
];

describe('a farewell', () => {
  it.each([...refusals, ...reasons])('says why in a sentence: %s', (reason) => {
    expect(farewell(reason).text).toMatch(/^You were signed out because [^_]+\.$/);
  });

  it('says something else for each reason of the service', () => {
    expect(new Set(reasons.map((reason) => farewell(reason).text)).size).toBe(reasons.length);
  });

  it('does not explain to users what they did themselves', () => {
    expect(farewell('signed_out').text).toBe('You signed out.');
  });

  it('is a plain sentence for a reason that is not known yet', () => {
    expect(farewell('solar_flare').text).toBe('You were signed out because this session has ended.');
    expect(farewell('constructor').text).toBe('You were signed out because this session has ended.');
  });

  it('alarms where a token may have been copied, and only there', () => {
    const alarming = [...refusals, ...reasons].filter((reason) => farewell(reason).isAlarming);
    expect(alarming).toEqual(['refresh_token_reused', 'reuse_detected']);
  });
});

describe('isRefusal', () => {
  it('knows the codes of a refused refresh token and nothing else', () => {
    expect(refusals.every(isRefusal)).toBe(true);
    expect([undefined, 'registration_disabled', 'access_token_expired', 'forbidden'].some(isRefusal)).toBe(
      false,
    );
  });
});
