import { signal } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { countdown } from './countdown';

describe('countdown', () => {
  const until = signal<number | undefined>(undefined);
  let seconds: () => number;

  beforeEach(() => {
    vi.useFakeTimers();
    until.set(undefined);
    seconds = TestBed.runInInjectionContext(() => countdown(until));
    TestBed.tick();
  });
  afterEach(() => vi.useRealTimers());

  const startFrom = (milliseconds: number) => {
    until.set(performance.now() + milliseconds);
    TestBed.tick();
  };

  it('is nothing while there is nothing to wait for', () => {
    expect(seconds()).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('shows the seconds that are left, rounded up, and stops at zero', () => {
    startFrom(2_500);
    expect(seconds()).toBe(3);
    vi.advanceTimersByTime(500);
    expect(seconds()).toBe(2);
    vi.advanceTimersByTime(1_999);
    expect(seconds()).toBe(1);
    vi.advanceTimersByTime(1);
    expect(seconds()).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not go by the device’s idea of the time', () => {
    startFrom(10_000);
    vi.setSystemTime(Date.now() + 3_600_000);
    vi.advanceTimersByTime(1_000);
    expect(seconds()).toBe(9);
  });

  it('starts over when the end moves', () => {
    startFrom(2_000);
    startFrom(60_000);
    expect(seconds()).toBe(60);
    vi.advanceTimersByTime(60_000);
    expect(seconds()).toBe(0);
  });
});
