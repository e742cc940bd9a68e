// What goes wrong on the way to the server signs nobody out.
import {
  expect,
  expectJobs,
  generation,
  refreshes,
  refusals,
  renewals,
  signIn,
  test,
  tokens,
} from './support/test';

test('the answer to a refresh that is cut off is asked for again, with the same key', async ({
  page,
  context,
  wire,
}) => {
  await signIn(page);
  const exchanges = refreshes(context);
  const before = await generation(page);
  await wire.cutAnswerTo('POST /api/auth/refresh-token');
  await renewals(page, 2);
  await expectJobs(page);
  await expect(page).toHaveURL('/profile');

  const lost = exchanges.findIndex(({ outcome }) => outcome === 'failed');
  const [cut, repeated] = exchanges.slice(lost);
  expect(lost).toBeGreaterThanOrEqual(0);
  expect(repeated).toEqual({ ...cut, outcome: 200 });
  expect(await generation(page)).toBeGreaterThanOrEqual(before + 2);
});

test('a reload while a refresh is under way ends with the session that it made', async ({ page, wire }) => {
  await signIn(page);
  const { sessionId } = await tokens(page);
  await wire.holdAnswerTo('POST /api/auth/refresh-token');
  await page.reload();
  await expectJobs(page);
  await renewals(page, 1);
  expect((await tokens(page)).sessionId).toBe(sessionId);
  await expect(page).toHaveURL('/profile');
});

test('a server that is restarted finds everyone still signed in', async ({ page, latchkey }) => {
  await signIn(page);
  await expectJobs(page);
  const { sessionId } = await tokens(page);
  await latchkey.stop();
  await expect(page.getByText('You are still signed in.')).toBeVisible();
  await expect(page).toHaveURL('/profile');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('ada');

  await latchkey.run();
  await expect(page.getByText('You are still signed in.')).toBeHidden();
  await renewals(page, 1);
  expect((await tokens(page)).sessionId).toBe(sessionId);
});

test('a page that is loaded while the services are away waits for them, and fills when they are back', async ({
  page,
  latchkey,
  context,
}) => {
  await signIn(page);
  await expectJobs(page);
  await latchkey.stop();
  await expect(page.getByText('You are still signed in.')).toBeVisible();
  await page.getByRole('link', { name: 'Home', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Hello, ada');
  await page.goBack();
  await expect(page.getByText('Your jobs could not be loaded.')).toBeVisible();
  await latchkey.run();
  await expectJobs(page);
  expect(context.pages()).toHaveLength(1);
});

test('one service that answers nonsense is said to, and asked no more until the user wants it', async ({
  page,
}) => {
  await signIn(page);
  await expectJobs(page);
  let asked = 0;
  await page.route('**/api/jobs/job-list', (route) => {
    asked += 1;
    return route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>Welcome</title>' });
  });
  await page.reload();
  await expect(page.getByText('Your jobs could not be loaded.')).toBeVisible();
  await renewals(page, 3);
  await expect(page.getByText('You are still signed in.')).toBeHidden();
  expect(asked).toBe(1);
  await page.unroute('**/api/jobs/job-list');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expectJobs(page);
});

test('a device that is offline stays signed in, and goes on when it is back', async ({ page, context }) => {
  await signIn(page);
  await expectJobs(page);
  await context.setOffline(true);
  await expect(page.getByText('The server cannot be reached.')).toBeVisible();
  await expect(page.getByText('You are still signed in.')).toBeVisible();
  await context.setOffline(false);
  await expect(page.getByText('You are still signed in.')).toBeHidden();
  await renewals(page, 1);
  await expect(page).toHaveURL('/profile');
});

test('signing out offline takes effect at once, and on the server when it can be reached', async ({
  page,
  context,
}) => {
  await signIn(page);
  await expectJobs(page);
  await context.setOffline(true);
  const { refreshToken } = await tokens(page);
  await page.getByRole('banner').getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByText('You signed out.')).toBeVisible();
  expect(await tokens(page)).toEqual({ endedBecause: 'signed_out' });

  const ended = page.waitForResponse(
    (response) => response.url().endsWith('/logout') && response.status() === 204,
  );
  await context.setOffline(false);
  await ended;
  const refused = await context.request.post('/api/auth/refresh-token', { data: { refreshToken } });
  expect(await refused.json()).toMatchObject({ code: 'session_ended' });
});

for (const hours of [1, -1]) {
  test(`a device whose clock is ${hours > 0 ? 'an hour ahead' : 'an hour behind'} notices nothing`, async ({
    page,
    context,
  }) => {
    await page.addInitScript(turnClock, hours * 3_600_000);
    await signIn(page);
    const skew = await page.evaluate((now) => Date.now() - now, Date.now());
    expect(Math.abs(skew - hours * 3_600_000)).toBeLessThan(600_000);

    const exchanges = refreshes(context);
    await renewals(page, 3);
    expect(refusals(exchanges)).toEqual([]);
    await page.reload();
    await expectJobs(page);
    await expect(page).toHaveURL('/profile');
  });
}

/** Runs in the page: its clock is off by this many milliseconds. The monotonic clock knows nothing of that. */
function turnClock(skew: number): void {
  const RealDate = Date;
  window.Date = class extends RealDate {
    constructor(...parts: unknown[]) {
      // @ts-expect-error the overloads of Date's constructor are passed through as they come
      super(...(parts.length > 0 ? parts : [RealDate.now() + skew]));
    }
    static override now(): number {
      return RealDate.now() + skew;
    }
  } as DateConstructor;
}
