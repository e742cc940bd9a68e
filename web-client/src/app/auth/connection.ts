// Whether the server can be reached, and how long to leave it alone if not: twice as long after each failure, and never
// shorter than it asked for. Says nothing about who is signed in; trouble of this kind signs nobody out.
import { Injectable, computed, signal } from '@angular/core';
import { Problem } from '../api/problem';

/** The first wait and the longest one that we choose ourselves, in milliseconds. */
const firstWait = 1_000;
const longestWait = 30_000;

export interface Trouble {
  readonly isOverload: boolean;
  /** When to try again, on the clock of `performance.now()`, in milliseconds. */
  readonly retryAt: number;
  /** True where the server named the time, so that a user in a hurry cannot shorten it. */
  readonly isServersWish: boolean;
}

@Injectable({ providedIn: 'root' })
export class Connection {
  private readonly state = signal<Trouble | undefined>(undefined);
  private failures = 0;

  readonly trouble = this.state.asReadonly();
  readonly isTroubled = computed(() => this.state() !== undefined);

  /** True while the server is to be left alone. */
  isWaiting(): boolean {
    const trouble = this.state();
    return trouble !== undefined && performance.now() < trouble.retryAt;
  }

  failed(problem: Problem): void {
    const isServersWish = problem.retryAfter !== undefined;
    // Chance spreads out the tabs and devices that all saw the same failure.
    const own = Math.min(firstWait * 2 ** this.failures, longestWait) * (0.5 + Math.random() / 2);
    const wait = Math.max(own, (problem.retryAfter ?? 0) * 1_000);
    this.failures += 1;
    this.state.set({ isOverload: problem.status >= 400, retryAt: performance.now() + wait, isServersWish });
  }

  /** Ends a wait of our own choosing, for a user who asks or a device that is online again. */
  hurry(): void {
    this.failures = 0;
    this.state.update((trouble) =>
      trouble && !trouble.isServersWish ? { ...trouble, retryAt: performance.now() } : trouble,
    );
  }

  recovered(): void {
    this.failures = 0;
    this.state.set(undefined);
  }
}
