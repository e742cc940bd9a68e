import { carriesAccessToken } from './services';

const base = 'https://latchkey.test/devices';

describe('carriesAccessToken', () => {
  it.each([
    '/api/auth/current-user',
    '/api/auth/sessions?others=true',
    '/api/jobs/jobs/10000000-0000-4000-8000-000000000001',
    'https://latchkey.test/api/jobs/job-list',
  ])('is true for a call to our own services: %s', (url) => {
    expect(carriesAccessToken(url, base)).toBe(true);
  });

  it.each(['login', 'refresh-token', 'logout', 'register'])('is false for /%s, which needs none', (call) => {
    expect(carriesAccessToken(`/api/auth/${call}`, base)).toBe(false);
    expect(carriesAccessToken(`/api/auth/${call}?x=1`, base)).toBe(false);
  });

  it.each([
    'https://elsewhere.test/api/auth/current-user',
    '//elsewhere.test/api/auth/current-user',
    'http://latchkey.test/api/auth/current-user',
    'https://latchkey.test:8443/api/auth/current-user',
    'https://latchkey.test.elsewhere.test/api/auth/current-user',
    'https://latchkey.test@elsewhere.test/api/auth/current-user',
    '\\\\elsewhere.test/api/auth/current-user',
    'https://elsewhere.test/?next=https://latchkey.test/api/auth/current-user',
    'data:text/plain,/api/auth/current-user',
    'http://[',
  ])('is false for another origin, however it is spelled: %s', (url) => {
    expect(carriesAccessToken(url, base)).toBe(false);
  });

  it.each([
    '/api/authority/current-user',
    '/api/auth',
    '/assets/api/auth/current-user',
    '/api/auth/../../elsewhere',
    '/api/auth/%2e%2e/%2e%2e/elsewhere',
    '/api/auth/..%2f..%2felsewhere',
    'api/auth.json',
  ])('is false for a path that only resembles a service of ours: %s', (url) => {
    expect(carriesAccessToken(url, base)).toBe(false);
  });

  it('is true for a path that, once its dots are resolved, is one of ours', () => {
    expect(carriesAccessToken('/assets/../api/jobs/job-list', base)).toBe(true);
  });
});
