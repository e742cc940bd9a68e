// One tab refreshes at a time, where the browser has Web Locks. A courtesy that saves requests, not what keeps the user
// signed in: that is the idempotency key, so a lock that does not come is done without.

/** How long to wait for another tab, in milliseconds. */
const patience = 5_000;

export async function underRefreshLock<T>(work: () => Promise<T>): Promise<T> {
  // Undefined on plain http, whatever the types say.
  const locks = navigator.locks as LockManager | undefined;
  if (!locks) return work();

  const waiting = new AbortController();
  const timer = setTimeout(() => waiting.abort(), patience);
  let result: Promise<T> | undefined;
  try {
    await locks.request('latchkey.refresh', { signal: waiting.signal }, async () => {
      clearTimeout(timer);
      result = work();
      // Its failure is the caller's to see, below; the lock is only to be held until it is over.
      await result.catch(() => undefined);
    });
  } catch {
    // Waited long enough, or the browser refuses locks here.
  } finally {
    clearTimeout(timer);
  }
  return result ?? work();
}
