import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, TestRequest, provideHttpClientTesting } from '@angular/common/http/testing';
import { EnvironmentInjector, createEnvironmentInjector } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { generation, pair, store, stored, turns } from '../../testing/session';
import { Connection } from './connection';
import { refusals } from './end-reasons';
import { Refresher } from './refresher';
import { SessionRecord } from './stored-session';
import { TokenStorage } from './token-storage';

describe('Refresher', () => {
  let server: HttpTestingController;
  let refresher: Refresher;
  let connection: Connection;

  beforeEach(() => {
    localStorage.clear();
    store(generation(1));
    TestBed.configureTestingModule({ providers: [provideHttpClient(), provideHttpClientTesting()] });
    server = TestBed.inject(HttpTestingController);
    refresher = TestBed.inject(Refresher);
    connection = TestBed.inject(Connection);
  });
  afterEach(() => server.verify());

  /** The same application in another tab: everything its own but local storage. */
  function anotherTab(): Refresher {
    const tab = [TokenStorage, Connection, Refresher];
    return createEnvironmentInjector(tab, TestBed.inject(EnvironmentInjector)).get(Refresher);
  }

  async function theRefresh(): Promise<TestRequest> {
    await turns();
    return server.expectOne({ method: 'POST', url: '/api/auth/refresh-token' });
  }

  const refuse = (request: TestRequest, body: object | string | null) =>
    request.flush(body, { status: 403, statusText: 'Forbidden' });

  it('exchanges the stored token, with the key that is stored with it, and keeps the new pair', async () => {
    const renewal = refresher.renew('access-1');
    const request = await theRefresh();
    expect(request.request.body).toEqual({ refreshToken: 'refresh-1' });
    expect(request.request.headers.get('Idempotency-Key')).toBe('key-of-generation-1');
    expect(request.request.headers.has('Authorization')).toBe(false);
    request.flush(pair(2));

    expect(await renewal).toMatchObject({ accessToken: 'access-2' });
    const { idempotencyKey } = stored() as SessionRecord;
    expect(stored()).toEqual({ ...generation(2), idempotencyKey });
    expect(idempotencyKey).not.toBe('key-of-generation-1');
  });

  it('refreshes once for all who ask meanwhile', async () => {
    const renewals = Array.from({ length: 20 }, () => refresher.renew('access-1'));
    (await theRefresh()).flush(pair(2));
    expect(await Promise.all(renewals)).toEqual(Array(20).fill(stored()));
  });

  it('gives a late asker the token that has replaced theirs, without a refresh', async () => {
    store(generation(3));
    expect(await refresher.renew('access-1')).toMatchObject({ accessToken: 'access-3' });
    server.expectNone('/api/auth/refresh-token');
  });

  it('can refresh again after it has refreshed', async () => {
    const first = refresher.renew('access-1');
    (await theRefresh()).flush(pair(2));
    await first;
    const second = refresher.renew('access-2');
    const request = await theRefresh();
    expect(request.request.body).toEqual({ refreshToken: 'refresh-2' });
    request.flush(pair(3));
    expect(await second).toMatchObject({ accessToken: 'access-3' });
  });

  describe('signs out', () => {
    it.each([...refusals])('when the refresh is answered 403 with %s', async (code) => {
      const renewal = refresher.renew('access-1');
      refuse(await theRefresh(), { code });
      expect(await renewal).toBe('signed out');
      expect(stored()).toEqual({ endedBecause: code });
    });

    it('with the reason that the server kept', async () => {
      const renewal = refresher.renew('access-1');
      refuse(await theRefresh(), { code: 'session_ended', reason: 'password_changed' });
      await renewal;
      expect(stored()).toEqual({ endedBecause: 'password_changed' });
    });

    it('nobody when no one is signed in', async () => {
      store({});
      expect(await refresher.renew('access-1')).toBe('signed out');
    });
  });

  describe('keeps the session, and the key for the next attempt,', () => {
    afterEach(() => expect(stored()).toEqual(generation(1)));

    it.each([
      ['a 403 from something else', 403, { code: 'forbidden' }],
      ['a 403 in HTML', 403, '<html>Blocked</html>'],
      ['a 403 without a body', 403, null],
      ['a 400', 400, { code: 'bad_request' }],
      ['a 401', 401, { code: 'session_ended' }],
      ['a 404', 404, null],
      ['a 429', 429, { code: 'rate_limited' }],
      ['a 500', 500, null],
      ['a 502', 502, '<html>Bad gateway</html>'],
      ['a 503 with one of the codes', 503, { code: 'session_ended' }],
    ])('on %s', async (_, status, body) => {
      const renewal = refresher.renew('access-1');
      (await theRefresh()).flush(body, { status, statusText: 'No' });
      expect(await renewal).toBe('unreachable');
      expect(connection.isTroubled()).toBe(true);
    });

    it.each([
      ['a 200 that is not ours', { welcome: 'to our hotel' }],
      ['a 200 without a refresh token', { ...pair(2), refreshToken: '' }],
      ['a 200 without a body', null],
    ])('on %s', async (_, body) => {
      const renewal = refresher.renew('access-1');
      (await theRefresh()).flush(body);
      expect(await renewal).toBe('unreachable');
      expect(connection.isTroubled()).toBe(true);
    });

    it('when there is no network', async () => {
      const renewal = refresher.renew('access-1');
      (await theRefresh()).error(new ProgressEvent('error'));
      expect(await renewal).toBe('unreachable');
    });
  });

  it('leaves the server alone for as long as it asked, then repeats the same key', async () => {
    vi.useFakeTimers();
    try {
      const first = refresher.renew('access-1');
      (await theRefresh()).flush(null, { status: 503, statusText: 'Busy', headers: { 'Retry-After': '20' } });
      await first;
      vi.advanceTimersByTime(19_999);
      expect(await refresher.renew('access-1')).toBe('unreachable');
      server.expectNone('/api/auth/refresh-token');

      vi.advanceTimersByTime(1);
      const second = refresher.renew('access-1');
      const request = await theRefresh();
      expect(request.request.headers.get('Idempotency-Key')).toBe('key-of-generation-1');
      request.flush(pair(2));
      expect(await second).toMatchObject({ accessToken: 'access-2' });
      expect(connection.isTroubled()).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });

  describe('beside other tabs, without a lock,', () => {
    it('presents the same key as they do, and all end with the same record', async () => {
      const here = refresher.renew('access-1');
      const there = anotherTab().renew('access-1');
      await turns();
      const requests = server.match('/api/auth/refresh-token');
      expect(requests.map(({ request }) => request.headers.get('Idempotency-Key'))).toEqual([
        'key-of-generation-1',
        'key-of-generation-1',
      ]);

      requests[0]?.flush(pair(2));
      await here;
      const first = stored();
      requests[1]?.flush({ ...pair(2), accessToken: 'access-2-again' });
      expect(await there).toMatchObject({ accessToken: 'access-2' });
      expect(stored()).toEqual(first);
    });

    it('does not overwrite what is newer when its own answer is late', async () => {
      const late = refresher.renew('access-1');
      const request = await theRefresh();
      store(generation(5));
      request.flush(pair(2));
      expect(await late).toMatchObject({ accessToken: 'access-5' });
      expect(stored()).toEqual(generation(5));
    });

    it('does not sign out a newer session because an older token was refused', async () => {
      const late = refresher.renew('access-1');
      const request = await theRefresh();
      store(generation(2));
      refuse(request, { code: 'refresh_token_reused' });
      expect(await late).toMatchObject({ accessToken: 'access-2' });
      expect(stored()).toEqual(generation(2));
    });

    it('does not bring back a session that was left meanwhile', async () => {
      const late = refresher.renew('access-1');
      const request = await theRefresh();
      store({ endedBecause: 'signed_out' });
      request.flush(pair(2));
      expect(await late).toBe('signed out');
      expect(stored()).toEqual({ endedBecause: 'signed_out' });
    });

    it('takes over what the tab before it brought, once it has the lock', async () => {
      let grant = () => {};
      const request = (_name: string, _options: object, granted: () => Promise<unknown>) =>
        new Promise<void>((resolve) => (grant = () => resolve(granted().then(() => undefined))));
      vi.stubGlobal('navigator', { locks: { request } });
      try {
        const renewal = refresher.renew('access-1');
        await turns();
        store(generation(2));
        grant();
        expect(await renewal).toMatchObject({ accessToken: 'access-2' });
        server.expectNone('/api/auth/refresh-token');
      } finally {
        vi.unstubAllGlobals();
      }
    });
  });
});
