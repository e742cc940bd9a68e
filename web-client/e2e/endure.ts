// Three tabs in use for minutes (ENDURE_MINUTES, ten where it is left out) with tokens that live two seconds: nobody is signed
// out. Too long for every run of the tests: `npm run endure`.
import { Page } from '@playwright/test';
import {
  expect,
  expectJobs,
  generation,
  openTabs,
  refreshes,
  refusals,
  renewals,
  test,
  tokens,
} from './support/test';

const minutes = Number(process.env['ENDURE_MINUTES'] ?? 10);

/** What somebody does in a tab, one after the other; each begins where the one before left the page. */
const steps: readonly ((tab: Page, name: string) => Promise<void>)[] = [
  async (tab, name) => {
    await tab.getByLabel('New job').fill(name);
    await tab.keyboard.press('Enter');
    const job = tab.getByRole('listitem').filter({ hasText: name });
    await insisting(tab, () => expect(job).toContainText('Changed', { timeout: 1_000 }));
  },
  async (tab) => {
    await tab.getByRole('link', { name: 'Devices', exact: true }).click();
    await expect(tab.getByRole('article').filter({ hasText: 'This device' })).toContainText('In use now');
  },
  async (tab) => {
    await tab.reload();
    await expect(tab.getByRole('article').filter({ hasText: 'This device' })).toContainText('In use now');
  },
  async (tab) => {
    await tab.getByRole('link', { name: 'Home', exact: true }).click();
    await expect(tab.getByRole('heading', { level: 1 })).toHaveText('Hello, ada');
  },
  async (tab, name) => {
    await tab.goto('/profile');
    await expectJobs(tab);
    await tab.getByRole('button', { name: `Remove ${name}` }).click();
    await tab.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    const heading = tab.getByRole('heading', { name });
    await insisting(tab, () => expect(heading).toHaveCount(0, { timeout: 1_000 }));
  },
];

let secondAttempts = 0;

/** A call gives up when the token's successor is too old as well, as may be on a busy machine: a person would try again. */
async function insisting(tab: Page, isDone: () => Promise<void>): Promise<void> {
  const again = tab.getByRole('button', { name: 'Try again' });
  await expect(async () => {
    if (await again.isVisible()) {
      secondAttempts += 1;
      await again.click();
    }
    await isDone();
  }).toPass();
}

test(`three tabs in use for ${minutes} minutes sign nobody out`, async ({ context }) => {
  test.setTimeout((minutes + 3) * 60_000);
  const tabs = await openTabs(context, 3);
  const exchanges = refreshes(context);
  const { sessionId } = await tokens(tabs[0]);
  const end = performance.now() + minutes * 60_000;
  const rounds = await Promise.all(
    tabs.map(async (tab, number) => {
      await expectJobs(tab);
      let round = 0;
      for (; performance.now() < end; round += 1) {
        for (const step of steps) {
          await step(tab, `Round ${round} of tab ${number + 1}`);
          await renewals(tab, 1);
        }
      }
      return round;
    }),
  );

  expect((await tokens(tabs[0])).sessionId).toBe(sessionId);
  expect(refusals(exchanges)).toEqual([]);
  const count = (outcome: unknown) => exchanges.filter((exchange) => exchange.outcome === outcome).length;
  console.log(
    `${minutes} minutes: ${rounds.join(' + ')} rounds, generation ${await generation(tabs[0])}, ` +
      `${exchanges.length} refreshes (${count(200)} granted, ${count('failed')} failed, ` +
      `${count('unanswered')} left behind by their page), none refused; ` +
      `${secondAttempts} changes tried a second time.`,
  );
});
