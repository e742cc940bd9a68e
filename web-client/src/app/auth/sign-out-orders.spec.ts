import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';
import { generation } from '../../testing/session';
import { SignOutOrders } from './sign-out-orders';
import { TokenStorage } from './token-storage';

describe('SignOutOrders', () => {
  let server: HttpTestingController;

  beforeEach(() => {
    vi.useFakeTimers();
    localStorage.clear();
    TestBed.configureTestingModule({ providers: [provideHttpClient(), provideHttpClientTesting()] });
    server = TestBed.inject(HttpTestingController);
  });
  afterEach(() => {
    server.verify();
    vi.useRealTimers();
  });

  const give = () => TestBed.inject(SignOutOrders).give(generation(1));
  const kept = () => [...TestBed.inject(TokenStorage).signOutOrders().values()];
  const answer = async (status: number, body: object | null = null, headers: Record<string, string> = {}) => {
    server.expectOne('/api/auth/logout').flush(body, { status, statusText: 'Answered', headers });
    await vi.advanceTimersByTimeAsync(0);
  };

  it('are forgotten once the server has ended the session', async () => {
    give();
    expect(kept()).toEqual(['refresh-1']);
    await answer(204);
    expect(kept()).toEqual([]);
    await vi.advanceTimersByTimeAsync(600_000);
  });

  it.each([
    ['the server is down', 503],
    ['it is busy', 429],
    ['a gateway is broken', 502],
    ['something else answers in its place', 200],
    ['something else refuses in its place', 403],
  ])('are kept and sent again when %s', async (_, status) => {
    give();
    await answer(status);
    expect(kept()).toEqual(['refresh-1']);
    await vi.advanceTimersByTimeAsync(1_999);
    server.expectNone('/api/auth/logout');
    await vi.advanceTimersByTimeAsync(1);
    await answer(204);
    expect(kept()).toEqual([]);
  });

  it('wait longer after each failure, and as long as the server asks', async () => {
    give();
    await answer(503);
    await vi.advanceTimersByTimeAsync(2_000);
    await answer(503);
    await vi.advanceTimersByTimeAsync(3_999);
    server.expectNone('/api/auth/logout');
    await vi.advanceTimersByTimeAsync(1);
    await answer(503, null, { 'Retry-After': '120' });
    await vi.advanceTimersByTimeAsync(119_999);
    server.expectNone('/api/auth/logout');
    await vi.advanceTimersByTimeAsync(1);
    await answer(204);
  });

  it('are sent when the device is online again', async () => {
    give();
    server.expectOne('/api/auth/logout').error(new ProgressEvent('error'));
    await vi.advanceTimersByTimeAsync(0);
    dispatchEvent(new Event('online'));
    await answer(204);
    expect(kept()).toEqual([]);
  });

  it('are sent when the application starts with some left', async () => {
    TestBed.inject(TokenStorage).addSignOutOrder('session-7', 'refresh-7');
    TestBed.inject(SignOutOrders);
    const request = server.expectOne('/api/auth/logout');
    expect(request.request.body).toEqual({ refreshToken: 'refresh-7' });
    request.flush(null, { status: 204, statusText: 'No Content' });
    await vi.advanceTimersByTimeAsync(0);
    expect(kept()).toEqual([]);
  });

  it('are dropped when our own service calls them malformed', async () => {
    give();
    await answer(400, { code: 'bad_request' });
    expect(kept()).toEqual([]);
    await vi.advanceTimersByTimeAsync(600_000);
  });
});
