// The user's jobs as the page shows them: what the server has, with the changes on top that are still on their way. A
// change that fails is taken off again, so undoing needs no memory of how things were.
import { Injectable, computed, inject, linkedSignal, signal } from '@angular/core';
import { Observable, firstValueFrom } from 'rxjs';
import { JobsApi } from '../api/jobs-api';
import { Job, JobDraft } from '../api/models';
import { Problem, toProblem } from '../api/problem';
import { loadedForSession } from '../auth/loaded';
import { Session } from '../auth/session';
import { explain } from '../ui/form-errors';
import { Toasts } from '../ui/toasts';

/** A job, and whether the server has yet to agree to how it is shown. */
export interface ShownJob extends Job {
  readonly isPending: boolean;
}

/** One change on its way: how it shows until the server has answered, and what is kept of the answer. */
interface Change {
  readonly failure: string;
  readonly send: () => Observable<unknown>;
  readonly show: (jobs: readonly ShownJob[]) => readonly ShownJob[];
  readonly keep: (jobs: readonly Job[], answer: unknown) => readonly Job[];
  /** A refusal that leaves things as the user wanted them. */
  readonly isDoneAnyway?: (problem: Problem) => boolean;
}

@Injectable()
export class JobList {
  private readonly api = inject(JobsApi);
  private readonly session = inject(Session);
  private readonly toasts = inject(Toasts);

  /** The first page. */
  readonly source = loadedForSession(() => this.api.list());
  private readonly saved = linkedSignal<readonly Job[]>(() => this.source.value()?.jobs ?? []);
  private readonly changes = signal<readonly Change[]>([]);
  private queue = Promise.resolve();
  private temporaryIds = 0;

  readonly nextPage = linkedSignal(() => this.source.value()?.next);
  readonly isLoadingMore = signal(false);
  readonly jobs = computed(() =>
    this.changes().reduce<readonly ShownJob[]>(
      (jobs, change) => change.show(jobs),
      this.saved().map((job) => ({ ...job, isPending: false })),
    ),
  );

  async loadMore(): Promise<void> {
    const page = this.nextPage();
    if (!page || this.isLoadingMore()) return;
    this.isLoadingMore.set(true);
    try {
      const { jobs, next } = await firstValueFrom(this.api.list(page));
      this.saved.update((saved) => merged(saved, jobs));
      this.nextPage.set(next);
    } catch (error) {
      this.toasts.show({ text: explain(toProblem(error)), isError: true });
    } finally {
      this.isLoadingMore.set(false);
    }
  }

  add(draft: JobDraft): void {
    this.temporaryIds += 1;
    const now = new Date().toISOString();
    const job = { ...draft, id: `new-${this.temporaryIds}`, createdAt: now, updatedAt: now, isPending: true };
    this.perform({
      failure: `“${draft.title}” could not be added.`,
      send: () => this.api.add(draft),
      show: (jobs) => [job, ...jobs],
      keep: (jobs, answer) => merged([answer as Job], jobs),
    });
  }

  edit(id: string, draft: JobDraft): void {
    this.perform({
      failure: `“${draft.title}” could not be saved.`,
      send: () => this.api.edit(id, draft),
      show: (jobs) => jobs.map((job) => (job.id === id ? { ...job, ...draft, isPending: true } : job)),
      keep: (jobs, answer) => jobs.map((job) => (job.id === id ? (answer as Job) : job)),
    });
  }

  remove({ id, title }: Job): void {
    this.perform({
      failure: `“${title}” could not be removed.`,
      send: () => this.api.remove(id),
      show: (jobs) => jobs.filter((job) => job.id !== id),
      keep: (jobs) => jobs.filter((job) => job.id !== id),
      isDoneAnyway: ({ status }) => status === 404,
    });
  }

  /** Shows the change now and sends it when those before it are through, so that the server sees them in order. */
  private perform(change: Change): void {
    const sessionId = this.session.id();
    this.changes.update((changes) => [...changes, change]);
    this.queue = this.queue.then(async () => {
      // What one user did is not carried out in the name of another who has signed in since.
      if (this.session.id() === sessionId) await this.carryOut(change);
      this.changes.update((changes) => changes.filter((other) => other !== change));
    });
  }

  private async carryOut(change: Change): Promise<void> {
    try {
      const answer = await firstValueFrom(change.send());
      this.saved.update((jobs) => change.keep(jobs, answer));
    } catch (error) {
      const problem = toProblem(error);
      if (change.isDoneAnyway?.(problem)) this.saved.update((jobs) => change.keep(jobs, undefined));
      else this.report(change, problem);
    }
  }

  private report(change: Change, problem: Problem): void {
    const text = `${change.failure} ${explain(problem)}`;
    this.toasts.show({
      text,
      isError: true,
      action: { label: 'Try again', run: () => this.perform(change) },
    });
  }
}

/** A list may have been read again while a change was on its way, so that both hold the same job. */
function merged(first: readonly Job[], second: readonly Job[]): readonly Job[] {
  const ids = new Set(first.map(({ id }) => id));
  return [...first, ...second.filter(({ id }) => !ids.has(id))];
}
