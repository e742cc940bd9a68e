// The user's jobs as the page shows them: what the server has, with the changes on top that are still on their way. A
// change that fails is taken off again, so undoing needs no memory of how things were.
import { Injectable, computed, inject, linkedSignal, signal } from '@angular/core';
import { firstValueFrom } from 'rxjs';
import { JobsApi } from '../api/jobs-api';
import { Job, JobDraft } from '../api/models';
import { Problem, isTemporary, toProblem } from '../api/problem';
import { loadedForSession } from '../auth/loaded';
import { Session } from '../auth/session';
import { explain } from '../ui/form-errors';
import { Toasts } from '../ui/toasts';
import { Change, ShownJob, addition, edit, merged, removal } from './changes';

interface Attempt {
  readonly change: Change;
  /** True where an earlier attempt may have succeeded without anybody having heard of it. */
  readonly isRepeated: boolean;
  readonly sessionId: string | undefined;
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
  /** Ids of the jobs that were added here. */
  private readonly made = new Set<string>();

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
    const before = new Set(this.saved().map(({ id }) => id));
    this.perform(addition(draft, before, this.made));
  }

  edit(id: string, draft: JobDraft): void {
    this.perform(edit(id, draft));
  }

  remove(job: Job): void {
    this.perform(removal(job));
  }

  /** Shows the change now and sends it when those before it are through, so that the server sees them in order. */
  private perform(change: Change, isRepeated = false): void {
    const attempt = { change, isRepeated, sessionId: this.session.id() };
    this.changes.update((changes) => [...changes, change]);
    this.queue = this.queue.then(async () => {
      // What one user did is not carried out in the name of another who has signed in since.
      if (this.isOfThisSession(attempt)) await this.carryOut(attempt);
      this.changes.update((changes) => changes.filter((other) => other !== change));
    });
  }

  private async carryOut(attempt: Attempt): Promise<void> {
    const { change, isRepeated } = attempt;
    try {
      // The answer that was lost may have been a yes.
      if (isRepeated && (await this.isDone(attempt))) return;
    } catch (error) {
      this.report(attempt, change.doubt, toProblem(error));
      return;
    }
    try {
      this.keep(attempt, await firstValueFrom(change.send(this.api)));
    } catch (error) {
      const problem = toProblem(error);
      if (change.isDoneAnyway?.(problem)) this.keep(attempt, undefined);
      else if (problem.status === 0) await this.settle(attempt, problem);
      else this.report(attempt, isInDoubt(problem) ? change.doubt : change.failure, problem);
    }
  }

  /** Without an answer it is not known whether the change was carried out: the list tells, if it can be read. */
  private async settle(attempt: Attempt, problem: Problem): Promise<void> {
    try {
      if (!(await this.isDone(attempt))) this.report(attempt, attempt.change.failure, problem);
    } catch {
      this.report(attempt, attempt.change.doubt, problem);
    }
  }

  /** Reads the list again and shows it. Rejects as that does. */
  private async isDone(attempt: Attempt): Promise<boolean> {
    const list = await firstValueFrom(this.api.list());
    const isDone = attempt.change.isDoneIn(list);
    if (isDone) this.keep(attempt, undefined);
    if (this.isOfThisSession(attempt)) this.saved.update((saved) => merged(list.jobs, saved));
    return isDone;
  }

  private keep(attempt: Attempt, answer: unknown): void {
    if (this.isOfThisSession(attempt)) this.saved.update((jobs) => attempt.change.keep(jobs, answer));
  }

  private report({ change }: Attempt, what: string, problem: Problem): void {
    this.toasts.show({
      text: `${what} ${explain(problem)}`,
      isError: true,
      action: { label: 'Try again', run: () => this.perform(change, isInDoubt(problem)) },
    });
  }

  private isOfThisSession({ sessionId }: Attempt): boolean {
    return this.session.id() === sessionId;
  }
}

/** True where the change may have been carried out although no answer said so. */
function isInDoubt(problem: Problem): boolean {
  return isTemporary(problem) && problem.status !== 429;
}
