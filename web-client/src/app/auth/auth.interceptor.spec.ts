import {
  HttpClient,
  HttpErrorResponse,
  HttpRequest,
  provideHttpClient,
  withInterceptors,
} from '@angular/common/http';
import { HttpTestingController, TestRequest, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';
import { firstValueFrom, throwError } from 'rxjs';
import { generation, pair, store, stored, turns } from '../../testing/session';
import { authInterceptor } from './auth.interceptor';
import { Connection } from './connection';

const jobs = '/api/jobs/job-list';

describe('authInterceptor', () => {
  let server: HttpTestingController;

  beforeEach(() => {
    localStorage.clear();
    store(generation(1));
    TestBed.configureTestingModule({
      providers: [provideHttpClient(withInterceptors([authInterceptor])), provideHttpClientTesting()],
    });
    server = TestBed.inject(HttpTestingController);
  });
  afterEach(() => server.verify());

  /** Resolves with the body, or with the status where the call failed. */
  const get = (url: string = jobs) =>
    firstValueFrom(TestBed.inject(HttpClient).get(url)).catch(
      (error: unknown) => (error as HttpErrorResponse).status,
    );
  const bearer = ({ request }: TestRequest) => request.headers.get('Authorization');
  const refuse = (request: TestRequest, code = 'access_token_expired', status = 401) =>
    request.flush({ code }, { status, statusText: 'No' });
  const theRefresh = async () => {
    await turns();
    return server.expectOne('/api/auth/refresh-token');
  };
  const theReplay = async (url: string = jobs) => {
    await turns();
    return server.expectOne(url);
  };

  it('sends the access token to our own services', async () => {
    const answer = get();
    const request = server.expectOne(jobs);
    expect(bearer(request)).toBe('Bearer access-1');
    request.flush(['a job']);
    expect(await answer).toEqual(['a job']);
  });

  it.each([
    'https://elsewhere.test/api/jobs/job-list',
    '//elsewhere.test/api/auth/current-user',
    '/assets/words.json',
    '/api/auth/login',
    '/api/auth/refresh-token',
    '/api/auth/logout',
    '/api/auth/register',
  ])('does not send it to %s, nor refresh when that answers 401', async (url) => {
    const answer = get(url);
    const request = server.expectOne(url);
    expect(bearer(request)).toBeNull();
    refuse(request);
    expect(await answer).toBe(401);
  });

  it('sends none, and does not refresh, when no one is signed in', async () => {
    store({});
    const answer = get();
    const request = server.expectOne(jobs);
    expect(bearer(request)).toBeNull();
    refuse(request, 'access_token_missing');
    expect(await answer).toBe(401);
  });

  it.each(['access_token_expired', 'access_token_invalid', 'access_token_revoked'])(
    'refreshes and repeats the call when it is refused with %s',
    async (code) => {
      const answer = get();
      refuse(server.expectOne(jobs), code);
      (await theRefresh()).flush(pair(2));
      const replay = await theReplay();
      expect(bearer(replay)).toBe('Bearer access-2');
      replay.flush(['a job']);
      expect(await answer).toEqual(['a job']);
    },
  );

  it.each([
    [401, 'access_token_missing'],
    [401, 'invalid_credentials'],
    [401, ''],
    [403, 'access_token_expired'],
    [403, 'session_ended'],
    [404, 'not_found'],
    [503, 'access_token_expired'],
  ])('does not refresh, nor sign out, on a %i with %s', async (status, code) => {
    const answer = get();
    refuse(server.expectOne(jobs), code, status);
    expect(await answer).toBe(status);
    expect(stored()).toEqual(generation(1));
  });

  it('refreshes once for twenty calls that failed together, and repeats each of them once', async () => {
    const urls = Array.from({ length: 20 }, (_, n) => `/api/jobs/jobs/${n}`);
    const answers = urls.map(get);
    for (const url of urls) refuse(server.expectOne(url));
    (await theRefresh()).flush(pair(2));
    await turns();
    for (const url of urls) server.expectOne(url).flush(url);
    expect(await Promise.all(answers)).toEqual(urls);
  });

  it('repeats a call that is refused late with the token that came meanwhile, without another refresh', async () => {
    const early = get('/api/jobs/jobs/1');
    const late = get('/api/jobs/jobs/2');
    const lateRequest = server.expectOne('/api/jobs/jobs/2');
    refuse(server.expectOne('/api/jobs/jobs/1'));
    (await theRefresh()).flush(pair(2));
    (await theReplay('/api/jobs/jobs/1')).flush('early');
    expect(await early).toBe('early');

    refuse(lateRequest);
    const replay = await theReplay('/api/jobs/jobs/2');
    expect(bearer(replay)).toBe('Bearer access-2');
    replay.flush('late');
    expect(await late).toBe('late');
  });

  it('gives up on a second refusal and stays signed in', async () => {
    const answer = get();
    refuse(server.expectOne(jobs));
    (await theRefresh()).flush(pair(2));
    refuse(await theReplay());
    expect(await answer).toBe(401);
    expect(stored()).toMatchObject({ refreshToken: 'refresh-2' });
  });

  it('hands on the refusal when the session has ended', async () => {
    const answer = get();
    refuse(server.expectOne(jobs));
    refuse(await theRefresh(), 'session_ended', 403);
    expect(await answer).toBe(401);
    expect(stored()).toEqual({ endedBecause: 'session_ended' });
  });

  it('does not repeat a call in the name of someone else who signed in meanwhile', async () => {
    const answer = get();
    store({ ...generation(1), accessToken: 'access-of-grace', sessionId: 'session-2' });
    refuse(server.expectOne(jobs));
    expect(await answer).toBe(401);
  });

  it('reports no connection, not a refusal, when the token cannot be renewed now', async () => {
    const answer = get();
    refuse(server.expectOne(jobs));
    (await theRefresh()).flush(null, { status: 503, statusText: 'Busy' });
    expect(await answer).toBe(0);
    expect(stored()).toEqual(generation(1));
  });

  it('notices when the server cannot be reached, and counts that once', async () => {
    const failed = vi.spyOn(TestBed.inject(Connection), 'failed');
    const answers = [get('/api/jobs/jobs/1'), get('/api/jobs/jobs/2')];
    server.expectOne('/api/jobs/jobs/1').error(new ProgressEvent('error'));
    server.expectOne('/api/jobs/jobs/2').error(new ProgressEvent('error'));
    expect(await Promise.all(answers)).toEqual([0, 0]);
    expect(failed).toHaveBeenCalledTimes(1);
  });

  it('takes an answer that makes no sense for no trouble with the connection', async () => {
    const nonsense = new HttpErrorResponse({ status: 200, error: { text: '<!doctype html>' } });
    const answer = TestBed.runInInjectionContext(() =>
      firstValueFrom(authInterceptor(new HttpRequest('GET', jobs), () => throwError(() => nonsense))),
    );
    await expect(answer).rejects.toBe(nonsense);
    expect(TestBed.inject(Connection).isTroubled()).toBe(false);
  });

  it('reads the token again for each call, so that another tab’s is used at once', async () => {
    store(generation(2));
    const answer = get();
    const request = server.expectOne(jobs);
    expect(bearer(request)).toBe('Bearer access-2');
    request.flush([]);
    await answer;
  });
});
