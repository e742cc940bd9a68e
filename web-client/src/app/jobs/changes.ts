// The changes that a user can make to their jobs: how each shows until the server has answered, what is kept of its answer,
// and how to see in a list that the server has carried it out after all. Sending them is JobList's business.
import { Observable } from 'rxjs';
import { JobPage, JobsApi } from '../api/jobs-api';
import { Job, JobDraft } from '../api/models';
import { Problem } from '../api/problem';

/** A job, and whether the server has yet to agree to how it is shown. */
export interface ShownJob extends Job {
  readonly isPending: boolean;
}

export interface Change {
  /** What could not be done, and what may not have been done where the answer was lost. */
  readonly failure: string;
  readonly doubt: string;
  readonly send: (api: JobsApi) => Observable<unknown>;
  readonly show: (jobs: readonly ShownJob[]) => readonly ShownJob[];
  /** `answer` is undefined where the server gave none, and `jobs` show already what it made of the change. */
  readonly keep: (jobs: readonly Job[], answer: unknown) => readonly Job[];
  /** True where a list that was read after the change was sent shows that it was carried out. */
  readonly isDoneIn: (list: JobPage) => boolean;
  /** A refusal that leaves things as the user wanted them. */
  readonly isDoneAnyway?: (problem: Problem) => boolean;
}

let temporaryIds = 0;

/** `before` are the ids of the jobs that were there already; `made` those that came of additions, this one's too in the end. */
export function addition(draft: JobDraft, before: ReadonlySet<string>, made: Set<string>): Change {
  temporaryIds += 1;
  const now = new Date().toISOString();
  const job = { ...draft, id: `new-${temporaryIds}`, createdAt: now, updatedAt: now, isPending: true };
  return {
    failure: `“${draft.title}” could not be added.`,
    doubt: `“${draft.title}” may not have been added.`,
    send: (api) => api.add(draft),
    show: (jobs) => [job, ...jobs],
    keep: (jobs, answer) => {
      const added = answer as Job | undefined;
      if (!added) return jobs;
      made.add(added.id);
      return merged([added], jobs);
    },
    isDoneIn: ({ jobs }) => {
      const added = jobs.find((other) => isAs(draft, other) && !before.has(other.id) && !made.has(other.id));
      if (added) made.add(added.id);
      return added !== undefined;
    },
  };
}

export function edit(id: string, draft: JobDraft): Change {
  return {
    failure: `“${draft.title}” could not be saved.`,
    doubt: `“${draft.title}” may not have been saved.`,
    send: (api) => api.edit(id, draft),
    show: (jobs) => jobs.map((job) => (job.id === id ? { ...job, ...draft, isPending: true } : job)),
    keep: (jobs, answer) => jobs.map((job) => (job.id === id ? ((answer as Job | undefined) ?? job) : job)),
    isDoneIn: ({ jobs }) => jobs.some((job) => job.id === id && isAs(draft, job)),
  };
}

export function removal({ id, title, createdAt }: Job): Change {
  const without = <J extends Job>(jobs: readonly J[]) => jobs.filter((job) => job.id !== id);
  return {
    failure: `“${title}” could not be removed.`,
    doubt: `“${title}” may not have been removed.`,
    send: (api) => api.remove(id),
    show: without,
    keep: without,
    // The list is newest first: a job that is older than all of it may be on the next page.
    isDoneIn: ({ jobs, next }) =>
      !jobs.some((job) => job.id === id) &&
      (next === undefined || Date.parse(createdAt) >= Date.parse(jobs.at(-1)?.createdAt ?? '')),
    isDoneAnyway: ({ status }) => status === 404,
  };
}

/** A list may have been read again while a change was on its way, so that both hold the same job. */
export function merged(first: readonly Job[], second: readonly Job[]): readonly Job[] {
  const ids = new Set(first.map(({ id }) => id));
  return [...first, ...second.filter(({ id }) => !ids.has(id))];
}

function isAs(draft: JobDraft, job: Job): boolean {
  return draft.title === job.title && draft.description === job.description && draft.status === job.status;
}
