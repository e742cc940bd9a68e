import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';
import { firstValueFrom } from 'rxjs';
import { JobsApi } from './jobs-api';

describe('JobsApi', () => {
  let server: HttpTestingController;
  let api: JobsApi;

  beforeEach(() => {
    TestBed.configureTestingModule({ providers: [provideHttpClient(), provideHttpClientTesting()] });
    server = TestBed.inject(HttpTestingController);
    api = TestBed.inject(JobsApi);
  });

  async function nextAfter(link: string | undefined) {
    const page = firstValueFrom(api.list());
    server.expectOne('/api/jobs/job-list').flush([], { headers: link === undefined ? {} : { Link: link } });
    return (await page).next;
  }

  it('finds the next page in the Link header', async () => {
    expect(await nextAfter('<?limit=100&after=7>; rel="next"')).toBe('/api/jobs/job-list?limit=100&after=7');
    expect(await nextAfter('<job-list?after=7>; rel=next')).toBe('/api/jobs/job-list?after=7');
  });

  it('finds none where there is none', async () => {
    expect(await nextAfter(undefined)).toBeUndefined();
    expect(await nextAfter('<?after=7>; rel="prev"')).toBeUndefined();
  });

  it('stays with our own service wherever the header points', async () => {
    const next = await nextAfter('<https://elsewhere.test/x?after=7>; rel="next"');
    expect(next).toBe('/api/jobs/job-list?after=7');
  });

  it('names jobs by their id, and nothing else', () => {
    const draft = { title: 'Oil', description: '', status: 'open' } as const;
    api.edit('../x', draft).subscribe();
    api.remove('1').subscribe();
    api.add(draft).subscribe();
    const calls = server.match(() => true).map(({ request }) => `${request.method} ${request.url}`);
    expect(calls).toEqual(['PUT /api/jobs/jobs/..%2Fx', 'DELETE /api/jobs/jobs/1', 'POST /api/jobs/jobs']);
  });
});
