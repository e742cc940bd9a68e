// Sessions that the server has ended: the user is told why, and led back to where they were.
import { Page } from '@playwright/test';
import { expect, expectJobs, signIn, test, tokens } from './support/test';

/** As someone does who has copied the token, but not the key that belongs to it: before the page spends it, or just after. */
async function spendCopiedToken(page: Page): Promise<void> {
  const { refreshToken } = await tokens(page);
  const answer = await page.request.post('/api/auth/refresh-token', { data: { refreshToken } });
  expect([200, 403]).toContain(answer.status());
}

test('a token that was used twice signs out, and says so', async ({ page }) => {
  await signIn(page);
  await page.goto('/password');
  await expect(page.getByRole('heading', { name: 'Change password' })).toBeVisible();
  await spendCopiedToken(page);

  await expect(
    page.getByText('You were signed out because this session’s token was used twice'),
  ).toBeVisible();
  await expect(page.getByText('change your password')).toBeVisible();
  expect((await tokens(page)).endedBecause).toContain('reuse');
  await signIn(page);
  await expect(page).toHaveURL('/password');
});

test('a session that is ended from another browser signs out, and says so', async ({
  page,
  browser,
  baseURL,
}) => {
  await signIn(page);
  await expectJobs(page);
  const elsewhere = await browser.newContext({ baseURL });
  const other = await elsewhere.newPage();
  await signIn(other);
  await other.goto('/devices');
  await other
    .getByRole('main')
    .getByRole('button', { name: /^Sign out .+/ })
    .click();
  await other.getByRole('dialog').getByRole('button', { name: 'Sign out there' }).click();
  await expect(other.getByText('You are signed in nowhere else.')).toBeVisible();

  await expect(
    page.getByText('You were signed out because this session was ended from another device.'),
  ).toBeVisible();
  await expect(page).toHaveURL('/login?returnTo=%2Fprofile');
  await elsewhere.close();
});

test('the reason is shown in every tab', async ({ page, context }) => {
  await signIn(page);
  const other = await context.newPage();
  await other.goto('/profile');
  await expectJobs(other);
  await spendCopiedToken(page);
  for (const tab of [page, other]) await expect(tab.getByText('used twice')).toBeVisible();
});
