import { provideHttpClient, withInterceptors } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';
import { ada, generation, pair, store, stored, turns } from '../../testing/session';
import { authInterceptor } from './auth.interceptor';
import { Connection } from './connection';
import { Session } from './session';
import { SessionRecord, StoredSession } from './stored-session';

const currentUser = '/api/auth/current-user';
const told = { ...ada, createdAt: '2026-11-01T00:00:00Z' };

describe('Session', () => {
  let server: HttpTestingController;

  beforeEach(() => {
    vi.useFakeTimers();
    vi.spyOn(Math, 'random').mockReturnValue(1);
    localStorage.clear();
    TestBed.configureTestingModule({
      providers: [provideHttpClient(withInterceptors([authInterceptor])), provideHttpClientTesting()],
    });
    server = TestBed.inject(HttpTestingController);
  });
  afterEach(() => {
    server.verify();
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  /** An application that starts with this in storage. */
  function start(found: StoredSession): Session {
    store(found);
    return TestBed.inject(Session);
  }
  async function settled() {
    await turns();
    TestBed.tick();
  }
  async function pass(milliseconds: number) {
    TestBed.tick();
    await vi.advanceTimersByTimeAsync(milliseconds);
    TestBed.tick();
  }
  const answer = async (body: object) => {
    server.expectOne(currentUser).flush(body);
    await settled();
  };
  const fail = async (status: number, headers: Record<string, string> = {}) => {
    server.expectOne(currentUser).flush(null, { status, statusText: 'No', headers });
    await settled();
  };

  describe('when the application starts', () => {
    it('is signed out where nothing is stored, and asks nobody', () => {
      expect(start({}).state()).toBe('signed out');
    });

    it('is starting until the server has confirmed the stored session', async () => {
      const session = start(generation(1));
      expect(session.state()).toBe('starting');
      expect(session.user()).toEqual(ada);
      await answer(told);
      expect(session.state()).toBe('signed in');
      expect(session.user()).toEqual(told);
    });

    it('is signed out, with the reason, when the server says that the session has ended', async () => {
      const session = start(generation(1));
      server
        .expectOne(currentUser)
        .flush({ code: 'access_token_revoked' }, { status: 401, statusText: 'No' });
      await turns();
      const refusal = { code: 'session_ended', reason: 'admin' };
      server.expectOne('/api/auth/refresh-token').flush(refusal, { status: 403, statusText: 'No' });
      await settled();
      expect(session.state()).toBe('signed out');
      expect(session.endedBecause()).toBe('admin');
    });

    it.each([0, 429, 500, 503])('is unreachable, and still holds its tokens, on a %i', async (status) => {
      const session = start(generation(1));
      if (status) await fail(status);
      else {
        server.expectOne(currentUser).error(new ProgressEvent('error'));
        await settled();
      }
      expect(session.state()).toBe('unreachable');
      expect(session.isSignedIn()).toBe(true);
      expect(stored()).toEqual(generation(1));
    });

    it('is signed in on an answer that refuses but does not end the session', async () => {
      const session = start(generation(1));
      await fail(403);
      expect(session.state()).toBe('signed in');
    });
  });

  describe('while the server is unreachable', () => {
    it('asks again after a wait, then a longer one, until it is answered', async () => {
      const session = start(generation(1));
      await fail(503);
      await pass(999);
      server.expectNone(currentUser);
      await pass(1);
      await fail(503);
      await pass(1_999);
      server.expectNone(currentUser);
      await pass(1);
      await answer(told);
      expect(session.state()).toBe('signed in');
      await pass(60_000);
    });

    it('waits as long as the server asks', async () => {
      start(generation(1));
      await fail(503, { 'Retry-After': '30' });
      await pass(29_999);
      server.expectNone(currentUser);
      await pass(1);
      await answer(told);
    });

    it('asks at once when the device is online again', async () => {
      const session = start(generation(1));
      server.expectOne(currentUser).error(new ProgressEvent('error'));
      await settled();
      dispatchEvent(new Event('online'));
      await pass(0);
      await answer(told);
      expect(session.state()).toBe('signed in');
    });

    it('says so also when trouble comes later, and recovers', async () => {
      const session = start(generation(1));
      await answer(told);
      TestBed.inject(Connection).failed({ status: 0, errors: {} });
      expect(session.state()).toBe('unreachable');
      await pass(1_000);
      await answer(told);
      expect(session.state()).toBe('signed in');
    });

    it('asks no more once the user has signed out', async () => {
      const session = start(generation(1));
      await fail(503);
      session.signOut();
      server.expectOne('/api/auth/logout').flush(null, { status: 204, statusText: 'No Content' });
      await pass(60_000);
      expect(session.state()).toBe('signed out');
      expect(TestBed.inject(Connection).isTroubled()).toBe(false);
    });
  });

  describe('signing in', () => {
    const signIn = { ...pair(1), user: told, endedSessions: [{ id: 'old', deviceName: 'Phone' }] };

    it('stores the pair with a key, and names the sessions that ended for it', async () => {
      const session = start({ endedBecause: 'admin' });
      const ended = session.signIn('ada', 'latchkey-demo-ada');
      const request = server.expectOne('/api/auth/login');
      expect(request.request.body).toEqual({ username: 'ada', password: 'latchkey-demo-ada' });
      request.flush(signIn);
      expect(await ended).toEqual([{ id: 'old', deviceName: 'Phone' }]);
      expect(session.state()).toBe('signed in');
      expect(session.endedBecause()).toBeUndefined();
      expect(stored()).toMatchObject({ refreshToken: 'refresh-1', user: { username: 'ada' } });
      expect((stored() as SessionRecord).idempotencyKey).toMatch(/^[0-9a-f]{32}$/);
    });

    it('stores nothing when it fails', async () => {
      const session = start({});
      const ended = session.signIn('ada', 'wrong');
      server
        .expectOne('/api/auth/login')
        .flush({ code: 'invalid_credentials' }, { status: 401, statusText: 'No' });
      await expect(ended).rejects.toMatchObject({ status: 401 });
      expect(session.state()).toBe('signed out');
    });

    it('in another tab is seen here, without asking the server again', async () => {
      const session = start({});
      store(generation(1), { announce: true });
      await settled();
      expect(session.state()).toBe('signed in');
      expect(session.user()?.username).toBe('ada');
    });

    it('as someone else in another tab shows that user, not the one before', async () => {
      const session = start(generation(1));
      await answer(told);
      const grace = { ...ada, id: '2', username: 'grace' };
      store({ ...generation(1), sessionId: 'session-2', user: grace }, { announce: true });
      await settled();
      expect(session.user()).toEqual(grace);
    });
  });

  describe('signing out', () => {
    it('takes effect at once and tells the server', async () => {
      const session = start(generation(1));
      await answer(told);
      session.signOut();
      expect(session.state()).toBe('signed out');
      expect(stored()).toEqual({ endedBecause: 'signed_out' });
      const request = server.expectOne('/api/auth/logout');
      expect(request.request.body).toEqual({ refreshToken: 'refresh-1' });
      request.flush(null, { status: 204, statusText: 'No Content' });
      await settled();
      expect(localStorage.length).toBe(1);
    });

    it('in another tab is seen here', async () => {
      const session = start(generation(1));
      await answer(told);
      store({ endedBecause: 'signed_out' }, { announce: true });
      expect(session.state()).toBe('signed out');
    });

    it('ends what another tab has renewed since', async () => {
      const session = start(generation(1));
      await answer(told);
      store(generation(2));
      session.signOut();
      const request = server.expectOne('/api/auth/logout');
      expect(request.request.body).toEqual({ refreshToken: 'refresh-2' });
      request.flush(null, { status: 204, statusText: 'No Content' });
      await settled();
    });

    it('does nothing when no one is signed in', () => {
      start({ endedBecause: 'admin' }).signOut();
      expect(stored()).toEqual({ endedBecause: 'admin' });
    });
  });

  it('ignores an answer that arrives after the user has left', async () => {
    const session = start(generation(1));
    const late = server.expectOne(currentUser);
    session.signOut();
    server.expectOne('/api/auth/logout').flush(null, { status: 204, statusText: 'No Content' });
    late.flush(told);
    await settled();
    expect(session.user()).toBeUndefined();
  });
});
