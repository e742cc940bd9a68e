// Into the application and out of it, in one browser.
import { expect, expectJobs, renewals, refreshes, refusals, signIn, test, tokens } from './support/test';

test('someone who signs in sees their profile and their jobs', async ({ page }) => {
  await signIn(page);
  await expect(page).toHaveURL('/profile');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('ada');
  await expectJobs(page);
  // As the browser's language, British English, writes it.
  await expect(page.getByText('here since')).toHaveText(/here since \d{1,2} [A-Z][a-z]+ \d{4}$/);
});

test('someone who signs in with their e-mail address is let in', async ({ page }) => {
  await signIn(page, 'grace@example.test', 'latchkey-demo-grace');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('grace');
});

test('a wrong password is told, and not which of the two was wrong', async ({ page }) => {
  await page.goto('/login');
  await page.getByLabel('Username or e-mail').fill('ada');
  await page.getByLabel('Password', { exact: true }).fill('wrong');
  await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByText('That name and password do not go together.')).toBeVisible();
  expect(await tokens(page)).toEqual({});
});

test('a guarded page asks to sign in first, and is there afterwards', async ({ page }) => {
  await page.goto('/password');
  await expect(page).toHaveURL('/login?returnTo=%2Fpassword');
  await signIn(page);
  await expect(page).toHaveURL('/password');
});

test('signing in never leads to another site', async ({ page, baseURL }) => {
  await page.goto('/login?returnTo=%2F%2Felsewhere.test%2F');
  await signIn(page);
  await expect(page).toHaveURL(`${baseURL}/profile`);
});

test('a reload stays signed in and on the page', async ({ page }) => {
  await signIn(page);
  await page.goto('/password');
  await page.reload();
  await expect(page.getByRole('heading', { name: 'Change password' })).toBeVisible();
  await expect(page).toHaveURL('/password');
});

test('a reload long after the token expired stays signed in', async ({ page, context }) => {
  await signIn(page);
  const { accessToken } = await tokens(page);
  await page.goto('about:blank');
  await expect
    .poll(async () => {
      const headers = { Authorization: `Bearer ${accessToken}` };
      return (await context.request.get('/api/auth/current-user', { headers })).status();
    })
    .toBe(401);
  await page.goto('/profile');
  await expectJobs(page);
});

test('the token is renewed without anyone noticing', async ({ page, context }) => {
  await signIn(page);
  const exchanges = refreshes(context);
  await renewals(page, 3);
  expect(refusals(exchanges)).toEqual([]);
  expect(new Set(exchanges.map(({ key }) => key)).size).toBe(exchanges.length);
  await expect(page).toHaveURL('/profile');
  await expectJobs(page);
});

test('signing out ends the session on the server too', async ({ page, context }) => {
  await signIn(page);
  const ended = page.waitForResponse('**/api/auth/logout');
  await page.getByRole('banner').getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByText('You signed out.')).toBeVisible();
  expect((await ended).status()).toBe(204);
  const { refreshToken } = (await ended).request().postDataJSON() as { refreshToken: string };
  const refused = await context.request.post('/api/auth/refresh-token', { data: { refreshToken } });
  expect(refused.status()).toBe(403);
  expect(await refused.json()).toMatchObject({ code: 'session_ended', reason: 'signed_out' });
  expect(await page.evaluate(() => Object.keys(localStorage))).not.toContainEqual(
    expect.stringContaining('sign-out'),
  );
});
