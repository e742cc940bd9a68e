import { provideHttpClient } from '@angular/common/http';
import { HttpTestingController, provideHttpClientTesting } from '@angular/common/http/testing';
import { signal } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { turns } from '../../testing/session';
import { Job, JobDraft } from '../api/models';
import { Session, SessionState } from '../auth/session';
import { Toasts } from '../ui/toasts';
import { JobList } from './job-list';

const job = (id: string, title = `Job ${id}`): Job => ({
  id,
  title,
  description: '',
  status: 'open',
  createdAt: '2026-11-23T12:00:00Z',
  updatedAt: '2026-11-23T12:00:00Z',
});
const draft = (title: string): JobDraft => ({ title, description: '', status: 'open' });
const failure = { status: 503, statusText: 'Busy' };

describe('JobList', () => {
  let server: HttpTestingController;
  let list: JobList;
  const id = signal('session-1');
  const state = signal<SessionState>('signed in');

  beforeEach(() => {
    id.set('session-1');
    state.set('signed in');
    TestBed.configureTestingModule({
      providers: [
        provideHttpClient(),
        provideHttpClientTesting(),
        JobList,
        { provide: Session, useValue: { id, state } },
      ],
    });
    server = TestBed.inject(HttpTestingController);
    list = TestBed.inject(JobList);
  });
  afterEach(() => server.verify());

  async function settled() {
    await turns();
    TestBed.tick();
    await turns();
  }
  async function loaded(jobs: Job[] = [job('2'), job('1')], headers: Record<string, string> = {}) {
    TestBed.tick();
    server.expectOne('/api/jobs/job-list').flush(jobs, { headers });
    await settled();
  }
  const titles = () => list.jobs().map(({ title, isPending }) => (isPending ? `${title}…` : title));
  const toasts = () => TestBed.inject(Toasts).toasts();

  it('loads the jobs of whoever is signed in', async () => {
    TestBed.tick();
    expect(list.source.isFirstTry()).toBe(true);
    await loaded();
    expect(list.source.isFirstTry()).toBe(false);
    expect(titles()).toEqual(['Job 2', 'Job 1']);

    id.set('session-2');
    await loaded([job('9')]);
    expect(titles()).toEqual(['Job 9']);
  });

  it('says what is wrong when they cannot be loaded, and loads them when asked again', async () => {
    TestBed.tick();
    server.expectOne('/api/jobs/job-list').flush(null, failure);
    await settled();
    expect(list.source.problem()?.status).toBe(503);
    list.source.reload();
    await loaded();
    expect(list.source.problem()).toBeUndefined();
  });

  it('loads them by itself when the server is back', async () => {
    TestBed.tick();
    state.set('unreachable');
    server.expectOne('/api/jobs/job-list').error(new ProgressEvent('error'));
    await settled();
    state.set('signed in');
    await loaded();
    expect(titles()).toEqual(['Job 2', 'Job 1']);
  });

  it('shows more, without showing any twice', async () => {
    await loaded([job('2')], { Link: '<?after=2>; rel="next"' });
    const more = list.loadMore();
    server.expectOne('/api/jobs/job-list?after=2').flush([job('2'), job('1')]);
    await more;
    expect(titles()).toEqual(['Job 2', 'Job 1']);
    expect(list.nextPage()).toBeUndefined();
  });

  it('keeps what it has when there is an error on the way to more', async () => {
    await loaded([job('2')], { Link: '<?after=2>; rel="next"' });
    const more = list.loadMore();
    server.expectOne('/api/jobs/job-list?after=2').flush(null, failure);
    await more;
    expect(titles()).toEqual(['Job 2']);
    expect(list.nextPage()).toBe('/api/jobs/job-list?after=2');
    expect(toasts()).toHaveLength(1);
  });

  describe('shows a change at once', () => {
    beforeEach(() => loaded());

    it('when a job is added, and then as the server made it', async () => {
      list.add(draft('Oil'));
      expect(titles()).toEqual(['Oil…', 'Job 2', 'Job 1']);
      await turns();
      server.expectOne({ method: 'POST', url: '/api/jobs/jobs' }).flush(job('3', 'Oil'));
      await settled();
      expect(titles()).toEqual(['Oil', 'Job 2', 'Job 1']);
      expect(list.jobs()[0]?.id).toBe('3');
    });

    it('when a job is edited, and then as the server keeps it', async () => {
      list.edit('1', draft('Oil'));
      expect(titles()).toEqual(['Job 2', 'Oil…']);
      await turns();
      server.expectOne({ method: 'PUT', url: '/api/jobs/jobs/1' }).flush(job('1', 'Oil!'));
      await settled();
      expect(titles()).toEqual(['Job 2', 'Oil!']);
    });

    it('when a job is removed', async () => {
      list.remove(job('2'));
      expect(titles()).toEqual(['Job 1']);
      await turns();
      server
        .expectOne({ method: 'DELETE', url: '/api/jobs/jobs/2' })
        .flush(null, { status: 204, statusText: '' });
      await settled();
      expect(titles()).toEqual(['Job 1']);
    });
  });

  describe('undoes a change that fails, and says so', () => {
    beforeEach(() => loaded());

    const fail = async (url: string, body: object | null = null, answer = failure) => {
      await turns();
      server.expectOne(url).flush(body, answer);
      await settled();
      expect(titles()).toEqual(['Job 2', 'Job 1']);
    };

    it('when a job could not be added', async () => {
      list.add(draft('Oil'));
      await fail('/api/jobs/jobs');
      expect(toasts()[0]?.text).toBe(
        '“Oil” may not have been added. The server is busy. Try again in a moment.',
      );
    });

    it('when a job could not be edited', async () => {
      list.edit('1', draft('Oil'));
      const refusal = { code: 'validation_failed', errors: { title: ['is too long'] } };
      await fail('/api/jobs/jobs/1', refusal, { status: 422, statusText: 'No' });
      expect(toasts()[0]?.text).toBe('“Oil” could not be saved. Title is too long.');
    });

    it('when a job could not be removed', async () => {
      list.remove(job('2'));
      await fail('/api/jobs/jobs/2');
      expect(toasts()[0]).toMatchObject({ isError: true, action: { label: 'Try again' } });
    });

    it('and tries again when asked to', async () => {
      list.remove(job('2'));
      await fail('/api/jobs/jobs/2', null, { status: 429, statusText: 'Slower' });
      toasts()[0]?.action?.run();
      expect(titles()).toEqual(['Job 1']);
      await turns();
      server.expectOne('/api/jobs/jobs/2').flush(null, { status: 204, statusText: '' });
      await settled();
      expect(titles()).toEqual(['Job 1']);
    });
  });

  describe('finds out what became of a change whose answer was lost', () => {
    beforeEach(() => loaded());

    const lose = async (url = '/api/jobs/jobs') => {
      await turns();
      server.expectOne(url).error(new ProgressEvent('error'));
      await settled();
    };
    const readAgain = async (jobs: Job[], headers: Record<string, string> = {}) => {
      await turns();
      server.expectOne('/api/jobs/job-list').flush(jobs, { headers });
      await settled();
    };
    const tryAgain = async () => {
      const [toast] = toasts();
      if (toast) TestBed.inject(Toasts).close(toast);
      toast?.action?.run();
      await turns();
    };

    it('and says nothing where the job was added', async () => {
      list.add(draft('Oil'));
      await lose();
      expect(titles()).toEqual(['Oil…', 'Job 2', 'Job 1']);
      await readAgain([job('3', 'Oil'), job('2'), job('1')]);
      expect(titles()).toEqual(['Oil', 'Job 2', 'Job 1']);
      expect(toasts()).toEqual([]);
    });

    it('and says so where it was not, and looks again before it is added after all', async () => {
      list.add(draft('Oil'));
      await lose();
      await readAgain([job('2'), job('1')]);
      expect(titles()).toEqual(['Job 2', 'Job 1']);
      expect(toasts()[0]?.text).toContain('“Oil” could not be added.');
      await tryAgain();
      await readAgain([job('2'), job('1')]);
      server.expectOne({ method: 'POST', url: '/api/jobs/jobs' }).flush(job('3', 'Oil'));
      await settled();
      expect(titles()).toEqual(['Oil', 'Job 2', 'Job 1']);
    });

    it('and leaves it open while the list cannot be read, and adds none twice', async () => {
      list.add(draft('Oil'));
      await lose();
      await lose('/api/jobs/job-list');
      expect(toasts()[0]?.text).toContain('“Oil” may not have been added.');
      await tryAgain();
      await lose('/api/jobs/job-list');
      expect(toasts()[0]?.text).toContain('“Oil” may not have been added.');
      await tryAgain();
      await readAgain([job('3', 'Oil'), job('2'), job('1')]);
      expect(titles()).toEqual(['Oil', 'Job 2', 'Job 1']);
      expect(toasts()).toEqual([]);
    });

    it('and takes no other job of the same title for it', async () => {
      list.add(draft('Oil'));
      await turns();
      server.expectOne('/api/jobs/jobs').flush(job('3', 'Oil'));
      await settled();
      list.add(draft('Oil'));
      list.add(draft('Oil'));
      await lose();
      await readAgain([job('4', 'Oil'), job('3', 'Oil'), job('2'), job('1')]);
      await lose();
      await readAgain([job('4', 'Oil'), job('3', 'Oil'), job('2'), job('1')]);
      expect(titles()).toEqual(['Oil', 'Oil', 'Job 2', 'Job 1']);
      expect(toasts()).toHaveLength(1);
    });

    it('when it was edited', async () => {
      list.edit('1', draft('Oil'));
      await lose('/api/jobs/jobs/1');
      await readAgain([job('2'), job('1', 'Oil')]);
      expect(titles()).toEqual(['Job 2', 'Oil']);
      expect(toasts()).toEqual([]);
    });

    it('when it was removed', async () => {
      list.remove(job('2'));
      await lose('/api/jobs/jobs/2');
      await readAgain([job('1')]);
      expect(titles()).toEqual(['Job 1']);
      expect(toasts()).toEqual([]);
    });

    it('and does not take a job on a later page for removed', async () => {
      list.remove({ ...job('1'), createdAt: '2026-11-22T12:00:00Z' });
      await lose('/api/jobs/jobs/1');
      await readAgain([job('2')], { Link: '<?after=2>; rel="next"' });
      expect(titles()).toEqual(['Job 2', 'Job 1']);
      expect(toasts()[0]?.text).toContain('could not be removed.');
    });
  });

  it('does not show one user what another one added just before', async () => {
    await loaded();
    list.add(draft('Oil'));
    await turns();
    const late = server.expectOne('/api/jobs/jobs');
    id.set('session-2');
    await loaded([job('9')]);
    late.flush(job('3', 'Oil'));
    await settled();
    expect(titles()).toEqual(['Job 9']);
  });

  it('takes a job that is gone already for removed', async () => {
    await loaded();
    list.remove(job('2'));
    await turns();
    server.expectOne('/api/jobs/jobs/2').flush({ code: 'not_found' }, { status: 404, statusText: 'No' });
    await settled();
    expect(titles()).toEqual(['Job 1']);
    expect(toasts()).toEqual([]);
  });

  it('sends changes one after the other, and undoes one without losing those after it', async () => {
    await loaded();
    list.edit('1', draft('Oil'));
    list.edit('2', draft('Grease'));
    expect(titles()).toEqual(['Grease…', 'Oil…']);
    await turns();
    server.expectOne('/api/jobs/jobs/1').flush(null, failure);
    server.expectNone('/api/jobs/jobs/2');
    await settled();
    expect(titles()).toEqual(['Grease…', 'Job 1']);
    server.expectOne('/api/jobs/jobs/2').flush(job('2', 'Grease'));
    await settled();
    expect(titles()).toEqual(['Grease', 'Job 1']);
  });

  it('does not carry out for one user what another one did before', async () => {
    await loaded();
    list.edit('1', draft('Oil'));
    list.add(draft('Grease'));
    await turns();
    id.set('session-2');
    server.expectOne('/api/jobs/jobs/1').flush(job('1', 'Oil'));
    await loaded([job('9')]);
    expect(titles()).toEqual(['Job 9']);
  });
});
