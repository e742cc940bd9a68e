import { TestBed } from '@angular/core/testing';
import { Connection } from './connection';

describe('Connection', () => {
  let connection: Connection;
  const wait = () => (connection.trouble()?.retryAt ?? 0) - performance.now();
  const offline = { status: 0, errors: {} };

  beforeEach(() => {
    vi.useFakeTimers();
    vi.spyOn(Math, 'random').mockReturnValue(1);
    connection = TestBed.inject(Connection);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it('is no trouble until something fails', () => {
    expect(connection.isTroubled()).toBe(false);
    expect(connection.isWaiting()).toBe(false);
  });

  it('waits twice as long after each failure, up to half a minute', () => {
    const waits = Array.from({ length: 7 }, () => {
      connection.failed(offline);
      return wait();
    });
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  it('spreads attempts out by chance, down to half the time', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0);
    connection.failed(offline);
    expect(wait()).toBe(500);
  });

  it('waits as long as the server asks, and longer if it would anyway', () => {
    connection.failed({ status: 503, errors: {}, retryAfter: 90 });
    expect(wait()).toBe(90_000);
    expect(connection.trouble()).toMatchObject({ isOverload: true, isServersWish: true });
    connection.failed({ status: 429, errors: {}, retryAfter: 1 });
    expect(wait()).toBe(2_000);
  });

  it('is over its wait when the time has come, and still in trouble until something succeeds', () => {
    connection.failed(offline);
    vi.advanceTimersByTime(999);
    expect(connection.isWaiting()).toBe(true);
    vi.advanceTimersByTime(1);
    expect(connection.isWaiting()).toBe(false);
    expect(connection.isTroubled()).toBe(true);
    connection.recovered();
    expect(connection.isTroubled()).toBe(false);
  });

  it('starts from the first wait after it recovered', () => {
    connection.failed(offline);
    connection.failed(offline);
    connection.recovered();
    connection.failed(offline);
    expect(wait()).toBe(1_000);
  });

  it('can be hurried, but not past what the server asked for', () => {
    connection.failed(offline);
    connection.hurry();
    expect(connection.isWaiting()).toBe(false);
    connection.failed({ status: 503, errors: {}, retryAfter: 20 });
    connection.hurry();
    expect(wait()).toBe(20_000);
  });
});
