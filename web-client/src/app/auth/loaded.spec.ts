import { HttpErrorResponse, HttpHeaders } from '@angular/common/http';
import { signal } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { Subject } from 'rxjs';
import { generation, store, turns } from '../../testing/session';
import { Loaded, loadedForSession } from './loaded';
import { Session, SessionState } from './session';

describe('loadedForSession', () => {
  const state = signal<SessionState>('signed in');
  const id = signal('session-1');
  let answers: Subject<string>[];
  let loaded: Loaded<string>;

  beforeEach(async () => {
    vi.useFakeTimers();
    state.set('signed in');
    id.set('session-1');
    store(generation(1));
    answers = [];
    TestBed.configureTestingModule({ providers: [{ provide: Session, useValue: { id, state } }] });
    loaded = TestBed.runInInjectionContext(() =>
      loadedForSession(() => {
        const answer = new Subject<string>();
        answers.push(answer);
        return answer;
      }),
    );
    await settled();
  });
  afterEach(() => vi.useRealTimers());

  async function settled() {
    TestBed.tick();
    await turns();
    TestBed.tick();
    await turns();
  }
  async function succeed() {
    answers.at(-1)?.next('the jobs');
    await settled();
  }
  async function fail(status: number, retryAfter?: number) {
    const headers = new HttpHeaders(retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) });
    answers.at(-1)?.error(new HttpErrorResponse({ status, headers }));
    await settled();
  }
  async function become(next: SessionState) {
    state.set(next);
    await settled();
  }
  async function renewTo(n: number) {
    store(generation(n), { announce: true });
    await settled();
  }

  it('is read once, and again for each session', async () => {
    expect(loaded.isFirstTry()).toBe(true);
    await succeed();
    expect(loaded.isFirstTry()).toBe(false);
    expect(loaded.value()).toBe('the jobs');
    id.set('session-2');
    await settled();
    expect(loaded.value()).toBeUndefined();
    expect(answers).toHaveLength(2);
  });

  it('tells what went wrong, and that it is being tried again', async () => {
    await fail(500);
    expect(loaded.problem()?.status).toBe(500);
    expect(loaded.isFirstTry()).toBe(false);
    loaded.reload();
    await settled();
    expect(loaded.isTryingAgain()).toBe(true);
    expect(loaded.problem()?.status).toBe(500);
    await succeed();
    expect(loaded.problem()).toBeUndefined();
  });

  it('is asked for again when a token that was too old has a successor', async () => {
    await renewTo(2);
    await fail(401);
    expect(answers).toHaveLength(1);
    await renewTo(3);
    expect(answers).toHaveLength(2);
    await succeed();
    await renewTo(4);
    expect(answers).toHaveLength(2);
    expect(loaded.value()).toBe('the jobs');
  });

  it('is asked for once with each token, where every one is refused', async () => {
    await fail(401);
    await renewTo(2);
    // The interceptor renews the token on the way, and is refused again.
    await renewTo(3);
    await fail(401);
    expect(answers).toHaveLength(2);
    await renewTo(4);
    expect(answers).toHaveLength(3);
  });

  it('is asked for again when the server is back, as often as it was away', async () => {
    for (const asked of [2, 4]) {
      await become('unreachable');
      await fail(0);
      await become('signed in');
      expect(answers).toHaveLength(asked);
      await succeed();
      loaded.reload();
      await settled();
    }
  });

  it('is asked for again once, and not for ever, where it alone is the trouble', async () => {
    await fail(0);
    await become('unreachable');
    await become('signed in');
    expect(answers).toHaveLength(2);
    await fail(0);
    await become('unreachable');
    await become('signed in');
    expect(answers).toHaveLength(2);
    expect(loaded.problem()?.status).toBe(0);
    loaded.reload();
    await settled();
    await succeed();
    expect(loaded.value()).toBe('the jobs');
  });

  it('leaves the server alone for as long as it asks, and tells for how long', async () => {
    await fail(503, 7);
    expect(loaded.secondsToWait()).toBe(7);
    await become('unreachable');
    await become('signed in');
    loaded.reload();
    await settled();
    expect(answers).toHaveLength(1);
    vi.advanceTimersByTime(7_000);
    expect(loaded.secondsToWait()).toBe(0);
    await become('unreachable');
    await become('signed in');
    expect(answers).toHaveLength(2);
  });
});
