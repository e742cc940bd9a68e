// jobs-service's calls, one method each. Whose jobs they are comes from the access token alone.
import { HttpClient } from '@angular/common/http';
import { Injectable, inject } from '@angular/core';
import { Observable, map } from 'rxjs';
import { Job, JobDraft } from './models';
import { jobsService } from './services';

const list = `${jobsService}/job-list`;

export interface JobPage {
  readonly jobs: readonly Job[];
  /** Where the next page is, if there is more. */
  readonly next: string | undefined;
}

@Injectable({ providedIn: 'root' })
export class JobsApi {
  private readonly http = inject(HttpClient);

  list(page: string = list): Observable<JobPage> {
    return this.http
      .get<Job[]>(page, { observe: 'response' })
      .pipe(map(({ body, headers }) => ({ jobs: body ?? [], next: nextPage(headers.get('Link')) })));
  }

  add(draft: JobDraft): Observable<Job> {
    return this.http.post<Job>(`${jobsService}/jobs`, draft);
  }

  edit(id: string, draft: JobDraft): Observable<Job> {
    return this.http.put<Job>(`${jobsService}/jobs/${encodeURIComponent(id)}`, draft);
  }

  remove(id: string): Observable<unknown> {
    return this.http.delete(`${jobsService}/jobs/${encodeURIComponent(id)}`);
  }
}

/** Only the query of the `next` link is used, so that no header can send the list, and its token, elsewhere. */
function nextPage(link: string | null): string | undefined {
  const query = /<[^>?]*(\?[^>]*)>\s*;\s*rel="?next"?/.exec(link ?? '')?.[1];
  return query && list + query;
}
