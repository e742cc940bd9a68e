// Several tabs of one browser: they share one session, and what happens in one is seen in all.
import { Page } from '@playwright/test';
import {
  expect,
  expectJobs,
  openTabs,
  refreshes,
  refusals,
  renewals,
  signIn,
  test,
  tokens,
} from './support/test';

async function expectAllSignedIn(tabs: readonly Page[]): Promise<void> {
  await Promise.all(
    tabs.map(async (tab) => {
      await tab.reload();
      await expectJobs(tab);
      await expect(tab).toHaveURL('/profile');
    }),
  );
}

test('five tabs over several expiries sign nobody out', async ({ context }) => {
  const tabs = await openTabs(context, 5);
  const exchanges = refreshes(context);
  await renewals(tabs[0], 6);
  await expectAllSignedIn(tabs);
  expect(refusals(exchanges)).toEqual([]);
});

test.describe('without locks', () => {
  // Nothing but the key keeps the tabs in step here, and the service knows the key of the last exchange alone: a tab may be
  // late by the time between two renewals. That is many minutes, by default; of two seconds it would be one, which is less
  // than a busy machine may hold up a tab.
  test.use({ settings: { TOKENS__ACCESS_TTL: '6s' } });

  test('five tabs, all refreshing at once, sign nobody out', async ({ context }) => {
    await context.addInitScript(() => Object.defineProperty(navigator, 'locks', { value: undefined }));
    const tabs = await openTabs(context, 5);
    const exchanges = refreshes(context);
    await renewals(tabs[0], 4);
    await expectAllSignedIn(tabs);
    expect(refusals(exchanges)).toEqual([]);
    // Whoever spent the same token, spent it with the same key.
    const keys = new Map<string, Set<string | undefined>>();
    for (const { refreshToken, key } of exchanges) {
      keys.set(refreshToken, (keys.get(refreshToken) ?? new Set()).add(key));
    }
    expect([...keys.values()].filter(({ size }) => size !== 1)).toEqual([]);
  });
});

test('tabs that are reloaded over and over sign nobody out', async ({ context }) => {
  const tabs = await openTabs(context, 3);
  const exchanges = refreshes(context);
  const start = await tokens(tabs[0]);
  await Promise.all(
    tabs.map(async (tab) => {
      for (let round = 0; round < 12; round += 1)
        await tab.goto('/profile', { waitUntil: 'domcontentloaded' });
    }),
  );
  await expectAllSignedIn(tabs);
  expect((await tokens(tabs[0])).sessionId).toBe(start.sessionId);
  expect(refusals(exchanges)).toEqual([]);
});

test('tabs hold the same tokens after one of them has refreshed', async ({ context }) => {
  const tabs = await openTabs(context, 3);
  await renewals(tabs[0], 2);
  await expect
    .poll(
      async () => new Set((await Promise.all(tabs.map(tokens))).map((record) => JSON.stringify(record))).size,
    )
    .toBe(1);
});

test('signing in in one tab is seen in the other', async ({ context }) => {
  const [here, there] = [await context.newPage(), await context.newPage()];
  await there.goto('/devices');
  await expect(there).toHaveURL('/login?returnTo=%2Fdevices');
  await signIn(here);
  await expect(there).toHaveURL('/devices');
});

test('signing out in one tab is seen in the other', async ({ context }) => {
  const [here, there] = (await openTabs(context, 2)) as [Page, Page];
  await expectJobs(there);
  await here.getByRole('banner').getByRole('button', { name: 'Sign out' }).click();
  await expect(there.getByText('You signed out.')).toBeVisible();
  await expect(there).toHaveURL('/login?returnTo=%2Fprofile');
});

test('signing in as someone else in one tab shows no one else’s jobs in the other', async ({ context }) => {
  const [here, there] = (await openTabs(context, 2)) as [Page, Page];
  await expectJobs(there);
  await here.getByRole('banner').getByRole('button', { name: 'Sign out' }).click();
  await expect(there).toHaveURL(/login/);
  await signIn(here, 'grace');
  await expect(there.getByRole('heading', { level: 1 })).toHaveText('grace');
  await expect(there.getByRole('heading', { name: 'Take the moth out of relay 70' })).toBeVisible();
  await expect(there.getByRole('heading', { name: 'Buy strings for the harp' })).toHaveCount(0);
});
