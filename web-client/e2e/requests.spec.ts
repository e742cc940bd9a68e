// Many requests at once. Pages never make that many, so this looks into a development build for the application's own
// way of making them; it is the same code, only with its parts still reachable.
import { expect, signIn, test, tokens } from './support/test';

test.use({ build: 'development' });

test('twenty requests that fail together lead to one refresh, and each is repeated once', async ({
  page,
  context,
}) => {
  await signIn(page);
  const expired = (await tokens(page)).accessToken;
  await expect
    .poll(async () => {
      const headers = { Authorization: `Bearer ${expired}` };
      return (await context.request.get('/api/auth/current-user', { headers })).status();
    })
    .toBe(401);

  const sent: string[] = [];
  context.on('request', (request) =>
    sent.push(new URL(request.url()).pathname + new URL(request.url()).search),
  );
  const answers = await page.evaluate(twentyRequests, expired);

  expect(answers).toEqual(Array(20).fill('4 jobs'));
  const isRefresh = (path: string) => path === '/api/auth/refresh-token';
  const jobs = sent.filter((path) => path.startsWith('/api/jobs/'));
  expect(jobs).toHaveLength(40);
  for (let n = 1; n <= 20; n += 1)
    expect(jobs.filter((path) => path.endsWith(`?limit=${n + 4}`))).toHaveLength(2);
  // What is renewed a second later is another matter.
  expect(sent.slice(0, sent.lastIndexOf(jobs.at(-1) ?? '')).filter(isRefresh)).toHaveLength(1);
});

/** Runs in the page: puts the expired token in place of the current one, then asks for the jobs twenty times at once. */
function twentyRequests(expired: string): Promise<string[]> {
  interface App {
    session: { api: { http: { get(url: string): { subscribe(to: object): void } } } };
  }
  const root = document.querySelector('app-root');
  const { http } = (window as unknown as { ng: { getComponent(root: unknown): App } }).ng.getComponent(root)
    .session.api;
  const record = JSON.parse(localStorage.getItem('latchkey.session') ?? '') as object;
  localStorage.setItem('latchkey.session', JSON.stringify({ ...record, accessToken: expired }));
  const ask = (n: number) =>
    new Promise<string>((resolve) =>
      http.get(`/api/jobs/job-list?limit=${n + 5}`).subscribe({
        next: (jobs: unknown[]) => resolve(`${jobs.length} jobs`),
        error: (error: { status: number }) => resolve(`error ${error.status}`),
      }),
    );
  return Promise.all(Array.from({ length: 20 }, (_, n) => ask(n)));
}
