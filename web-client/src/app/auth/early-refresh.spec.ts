import { signal } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { generation, store } from '../../testing/session';
import { EarlyRefresh, dueAfter } from './early-refresh';
import { Refresher } from './refresher';
import { Session, SessionState } from './session';

describe('dueAfter', () => {
  it('is a minute before the end, and for short lives half of them', () => {
    expect(dueAfter(900)).toBe(840_000);
    expect(dueAfter(120)).toBe(60_000);
    expect(dueAfter(60)).toBe(30_000);
    expect(dueAfter(2)).toBe(1_000);
  });
});

describe('EarlyRefresh', () => {
  const renew = vi.fn();
  const state = signal<SessionState>('signed in');
  const visibility = vi.spyOn(document, 'visibilityState', 'get');

  beforeEach(() => {
    vi.useFakeTimers();
    renew.mockReset();
    visibility.mockReturnValue('visible');
    state.set('signed in');
    store(generation(1));
    TestBed.configureTestingModule({
      providers: [
        { provide: Refresher, useValue: { renew } },
        { provide: Session, useValue: { state } },
      ],
    });
    TestBed.inject(EarlyRefresh);
    TestBed.tick();
  });
  afterEach(() => vi.useRealTimers());

  const show = (value: DocumentVisibilityState) => {
    visibility.mockReturnValue(value);
    document.dispatchEvent(new Event('visibilitychange'));
  };

  it('renews a token a minute before it expires, once', () => {
    vi.advanceTimersByTime(839_999);
    expect(renew).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(renew).toHaveBeenCalledExactlyOnceWith('access-1');
    vi.advanceTimersByTime(3_600_000);
    expect(renew).toHaveBeenCalledTimes(1);
  });

  it.each([3_600_000, -3_600_000])(
    'does so whatever the device believes the time to be (%i ms off)',
    (skew) => {
      vi.setSystemTime(Date.now() + skew);
      vi.advanceTimersByTime(839_999);
      expect(renew).not.toHaveBeenCalled();
      vi.advanceTimersByTime(1);
      expect(renew).toHaveBeenCalledTimes(1);
    },
  );

  it('counts from the receipt of each new token', () => {
    vi.advanceTimersByTime(600_000);
    store(generation(2), { announce: true });
    TestBed.tick();
    vi.advanceTimersByTime(839_999);
    expect(renew).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(renew).toHaveBeenCalledExactlyOnceWith('access-2');
  });

  it('waits while nobody looks, and renews when someone does again', () => {
    show('hidden');
    vi.advanceTimersByTime(3_600_000);
    expect(renew).not.toHaveBeenCalled();
    show('visible');
    expect(renew).toHaveBeenCalledTimes(1);
    show('hidden');
    show('visible');
    expect(renew).toHaveBeenCalledTimes(1);
  });

  it('does not renew early because someone looks', () => {
    show('hidden');
    show('visible');
    expect(renew).not.toHaveBeenCalled();
  });

  it.each(['unreachable', 'starting', 'signed out'] as const)(
    'leaves the token alone while the state is %s',
    (now) => {
      state.set(now);
      TestBed.tick();
      vi.advanceTimersByTime(3_600_000);
      expect(renew).not.toHaveBeenCalled();
    },
  );

  it('goes by the token’s age, not by when trouble was over', () => {
    vi.advanceTimersByTime(800_000);
    state.set('unreachable');
    TestBed.tick();
    vi.advanceTimersByTime(30_000);
    state.set('signed in');
    TestBed.tick();
    vi.advanceTimersByTime(10_000);
    expect(renew).toHaveBeenCalledTimes(1);
  });
});
