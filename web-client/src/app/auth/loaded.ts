// What a page reads of the signed-in user's from a service, and what went wrong with that. It is asked for again by itself
// when the reason is gone, and not before the time that the server named.
import { Signal, computed, effect, inject, resource, untracked } from '@angular/core';
import { Observable, firstValueFrom } from 'rxjs';
import { Problem, isTemporary, toProblem } from '../api/problem';
import { countdown } from '../ui/countdown';
import { Session } from './session';
import { isLive } from './stored-session';
import { TokenStorage } from './token-storage';

export interface Loaded<T> {
  /** What was read last; undefined until then, and after a failure. */
  readonly value: Signal<T | undefined>;
  readonly problem: Signal<Problem | undefined>;
  /** True while there is nothing to show yet. */
  readonly isFirstTry: Signal<boolean>;
  /** True while a failure is shown and another answer is on its way. */
  readonly isTryingAgain: Signal<boolean>;
  /** For how many seconds the server wants to be left alone. */
  readonly secondsToWait: Signal<number>;
  /** Does nothing before the wait is over. */
  reload(): void;
}

interface Failure {
  readonly problem: Problem;
  /** On the clock of `performance.now()`, in milliseconds. */
  readonly retryAt: number;
}

/** Reads it for each session anew. For the fields of a component or of a service: it needs an injector. */
export function loadedForSession<T>(load: () => Observable<T>): Loaded<T> {
  const session = inject(Session);
  const storage = inject(TokenStorage);
  const outcome = resource({
    params: () => session.id(),
    loader: () => outcomeOf(load()),
  });
  const value = computed(() => {
    const now = outcome.value();
    return now && 'answer' in now ? now.answer : undefined;
  });
  const failure = computed(() => {
    const now = outcome.value();
    return now && 'problem' in now ? now : undefined;
  });
  const accessToken = computed(() => {
    const stored = storage.current();
    return isLive(stored) ? stored.accessToken : undefined;
  });
  /** What has failed and may be asked for again now. */
  const curable = (): Problem | undefined => {
    const failed = failure();
    return failed && !outcome.isLoading() && !isTooEarly(failed) ? failed.problem : undefined;
  };
  let isSecondTry = false;

  // A token may grow too old on its way, and its successor too where the machine was held up: the next one is not.
  effect(() => {
    accessToken();
    if (untracked(curable)?.status === 401) outcome.reload();
  });
  // What failed while the server was away is asked for again when it is back. If it then fails alone, while the rest of
  // the server is well, it would be the next trouble, and so on for ever: it is left to the user.
  effect(() => {
    const problem = session.state() === 'signed in' ? untracked(curable) : undefined;
    if (!problem || !isTemporary(problem)) return;
    const isTheTroubleItself = isSecondTry && problem.status === 0;
    isSecondTry = !isTheTroubleItself;
    if (!isTheTroubleItself) outcome.reload();
  });
  effect(() => {
    if (value() !== undefined) isSecondTry = false;
  });

  return {
    value,
    problem: computed(() => failure()?.problem),
    isFirstTry: computed(() => outcome.isLoading() && outcome.value() === undefined),
    isTryingAgain: computed(() => outcome.isLoading() && failure() !== undefined),
    secondsToWait: countdown(computed(() => failure()?.retryAt)),
    reload: () => {
      if (isTooEarly(failure())) return;
      isSecondTry = false;
      outcome.reload();
    },
  };
}

function isTooEarly(failure: Failure | undefined): boolean {
  return failure !== undefined && performance.now() < failure.retryAt;
}

async function outcomeOf<T>(answer: Observable<T>): Promise<{ readonly answer: T } | Failure> {
  try {
    return { answer: await firstValueFrom(answer) };
  } catch (error) {
    const problem = toProblem(error);
    return { problem, retryAt: performance.now() + (problem.retryAfter ?? 0) * 1_000 };
  }
}
