// Whole seconds until a point on the monotonic clock, for showing; counts down while anyone looks at it.
import { DestroyRef, Signal, computed, effect, inject, signal } from '@angular/core';

/** `until` is on the clock of `performance.now()`, in milliseconds. The result is 0 once it has passed or is undefined. */
export function countdown(until: Signal<number | undefined>): Signal<number> {
  const now = signal(performance.now());
  let timer: ReturnType<typeof setTimeout> | undefined;
  inject(DestroyRef).onDestroy(() => clearTimeout(timer));
  effect(() => {
    const end = until();
    clearTimeout(timer);
    if (end === undefined) return;
    const tick = () => {
      const current = performance.now();
      now.set(current);
      // To the next whole second, not a second from now: a late timer must not make the count stumble.
      if (current < end) timer = setTimeout(tick, (end - current) % 1_000 || 1_000);
    };
    tick();
  });
  return computed(() => Math.max(0, Math.ceil(((until() ?? 0) - now()) / 1_000)));
}
