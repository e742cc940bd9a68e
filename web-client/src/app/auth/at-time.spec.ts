import { atTime } from './at-time';

describe('atTime', () => {
  const work = vi.fn();
  beforeEach(() => {
    vi.useFakeTimers();
    work.mockReset();
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  it('does it at that time, once', () => {
    atTime(performance.now() + 1_000, work);
    vi.advanceTimersByTime(999);
    expect(work).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    vi.advanceTimersByTime(10_000);
    expect(work).toHaveBeenCalledTimes(1);
  });

  it('does it soon where the time has passed, though not before it returns', () => {
    atTime(performance.now() - 1, work);
    expect(work).not.toHaveBeenCalled();
    vi.advanceTimersByTime(0);
    expect(work).toHaveBeenCalledTimes(1);
  });

  it('waits on when the timer fires early', () => {
    const now = vi.spyOn(performance, 'now').mockReturnValue(0);
    atTime(1_000, work);
    now.mockReturnValue(999.9);
    vi.advanceTimersByTime(1_000);
    expect(work).not.toHaveBeenCalled();
    now.mockReturnValue(1_000);
    vi.advanceTimersByTime(1);
    expect(work).toHaveBeenCalledTimes(1);
  });

  it('can be called off', () => {
    atTime(performance.now() + 1_000, work)();
    vi.advanceTimersByTime(10_000);
    expect(work).not.toHaveBeenCalled();
  });
});
