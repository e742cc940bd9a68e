import { underRefreshLock } from './refresh-lock';

describe('underRefreshLock', () => {
  const request = vi.fn();
  beforeEach(() => {
    vi.useFakeTimers();
    request.mockReset();
    vi.stubGlobal('navigator', { locks: { request } });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  /** A lock that another tab holds until it is aborted. */
  const heldByAnother = (_name: string, { signal }: { signal: AbortSignal }) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  const free = (_name: string, _options: object, granted: () => Promise<unknown>) => granted();

  it('works while it holds the lock, and holds it until the work is done', async () => {
    let finish: (result: string) => void = () => undefined;
    request.mockImplementation(free);
    const result = underRefreshLock(() => new Promise<string>((resolve) => (finish = resolve)));
    const released = vi.fn();
    void (request.mock.results[0]?.value as Promise<unknown>).then(released);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(released).not.toHaveBeenCalled();
    finish('done');
    expect(await result).toBe('done');
    expect(released).toHaveBeenCalled();
  });

  it('goes on without it after five seconds', async () => {
    request.mockImplementation(heldByAnother);
    const work = vi.fn(() => Promise.resolve('done'));
    const result = underRefreshLock(work);
    await vi.advanceTimersByTimeAsync(4_999);
    expect(work).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(await result).toBe('done');
    expect(work).toHaveBeenCalledTimes(1);
  });

  it('goes on without it where the browser has none or refuses', async () => {
    const work = vi.fn(() => Promise.resolve('done'));
    vi.stubGlobal('navigator', {});
    expect(await underRefreshLock(work)).toBe('done');
    vi.stubGlobal('navigator', {
      locks: { request: () => Promise.reject(new DOMException('no', 'SecurityError')) },
    });
    expect(await underRefreshLock(work)).toBe('done');
    expect(work).toHaveBeenCalledTimes(2);
  });

  it('does not repeat work that failed under the lock', async () => {
    request.mockImplementation(free);
    const work = vi.fn(() => Promise.reject(new Error('failed')));
    await expect(underRefreshLock(work)).rejects.toThrow('failed');
    expect(work).toHaveBeenCalledTimes(1);
  });
});
