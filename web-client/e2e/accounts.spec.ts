// Accounts and devices: making one, guarding it, and seeing where it is in use.
import { Browser, Page } from '@playwright/test';
import { expect, expectJobs, signIn, test } from './support/test';

/** Another browser, with storage of its own, in which the same user signs in. */
async function elsewhere(browser: Browser, baseURL: string | undefined, password?: string): Promise<Page> {
  const context = await browser.newContext({ baseURL });
  const page = await context.newPage();
  await signIn(page, 'ada', password);
  return page;
}

test.describe('where visitors may make accounts', () => {
  test.use({ settings: { REGISTRATION__ENABLED: 'true' } });

  test('a new account is signed in at once, and has no jobs yet', async ({ page }) => {
    await page.goto('/register');
    await page.getByLabel('Username').fill('margaret');
    await page.getByLabel('E-mail').fill('margaret@example.test');
    await page.getByLabel('Password', { exact: true }).fill('one small step for a program');
    await page.getByRole('button', { name: 'Create account' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('margaret');
    await expect(page.getByText('No jobs yet.')).toBeVisible();
  });

  test('what is taken and what is too easy is said at its field', async ({ page }) => {
    await page.goto('/register');
    await page.getByLabel('Username').fill('ada');
    await page.getByLabel('E-mail').fill('margaret@example.test');
    await page.getByLabel('Password', { exact: true }).fill('password');
    await page.getByRole('button', { name: 'Create account' }).click();
    await expect(page.getByLabel('Password', { exact: true })).toHaveAttribute('aria-invalid', 'true');
    await page.getByLabel('Password', { exact: true }).fill('one small step for a program');
    await page.getByRole('button', { name: 'Create account' }).click();
    await expect(page.getByLabel('Username')).toHaveAttribute('aria-invalid', 'true');
  });
});

test('where visitors may not make accounts, the page says so', async ({ page }) => {
  await page.goto('/register');
  await page.getByLabel('Username').fill('margaret');
  await page.getByLabel('E-mail').fill('margaret@example.test');
  await page.getByLabel('Password', { exact: true }).fill('one small step for a program');
  await page.getByRole('button', { name: 'Create account' }).click();
  await expect(page.getByText('Accounts cannot be made here by visitors.')).toBeVisible();
});

test('a new password signs out the other devices, and this one stays', async ({ page, browser, baseURL }) => {
  const other = await elsewhere(browser, baseURL);
  await expectJobs(other);
  await signIn(page);
  await page.getByRole('link', { name: 'Change password' }).click();
  await page.getByRole('textbox', { name: 'Current password' }).fill('not this one');
  await page
    .getByRole('textbox', { name: 'New password', exact: true })
    .fill('note G of the analytical engine');
  await page
    .getByRole('textbox', { name: 'New password, once more' })
    .fill('note G of the analytical engine');
  await page.getByRole('button', { name: 'Change password' }).click();
  await expect(page.getByRole('textbox', { name: 'Current password' })).toHaveAttribute(
    'aria-invalid',
    'true',
  );

  await page.getByRole('textbox', { name: 'Current password' }).fill('latchkey-demo-ada');
  await page.getByRole('button', { name: 'Change password' }).click();
  await expect(page.getByText('Your password is changed')).toBeVisible();
  await expectJobs(page);
  await expect(other.getByText('You were signed out because your password was changed.')).toBeVisible();
  await signIn(other, 'ada', 'note G of the analytical engine');
  await page.reload();
  await expectJobs(page);
  await other.context().close();
});

test('the devices page shows this device and the others, and ends one or all of the others', async ({
  page,
  browser,
  baseURL,
  context,
}) => {
  const first = await elsewhere(browser, baseURL);
  for (const deviceName of ['Pixel phone', 'Workshop terminal']) {
    const data = { username: 'ada', password: 'latchkey-demo-ada', deviceName };
    expect((await context.request.post('/api/auth/login', { data })).status()).toBe(200);
  }
  await signIn(page);
  await page.getByRole('link', { name: 'Devices', exact: true }).click();
  const cards = page.getByRole('article');
  await expect(cards).toHaveCount(4);
  await expect(cards.filter({ hasText: 'This device' })).toContainText('In use now');
  await expect(cards.filter({ hasText: 'Pixel phone' })).toContainText('Last used just now');

  await page.getByRole('button', { name: 'Sign out Pixel phone' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Sign out there' }).click();
  await expect(cards).toHaveCount(3);
  await page.getByRole('button', { name: 'Sign out everywhere else' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere else' }).click();
  await expect(page.getByText('You are signed in nowhere else.')).toBeVisible();
  await expect(
    first.getByText('You were signed out because this session was ended from another device.'),
  ).toBeVisible();
  await page.reload();
  await expect(cards).toHaveCount(1);
  await first.context().close();
});

test('ending this device on the devices page is signing out', async ({ page }) => {
  await signIn(page);
  await page.goto('/devices');
  await page.getByRole('article').getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByText('You signed out.')).toBeVisible();
});

test('a sixth device is told which ones had to be signed out for it', async ({ page, context }) => {
  for (let n = 1; n <= 5; n += 1) {
    const data = { username: 'ada', password: 'latchkey-demo-ada', deviceName: `Device ${n}` };
    expect((await context.request.post('/api/auth/login', { data })).status()).toBe(200);
  }
  await signIn(page);
  await expect(page.getByText('You were signed in on too many devices.')).toContainText('Device 1');
});

test.describe('where guessing is slowed down', () => {
  test.use({
    settings: {
      RATE_LIMIT__ACCOUNT_ATTEMPTS: '1',
      RATE_LIMIT__FIRST_DELAY: '3s',
    },
  });

  test('too many attempts show the seconds to wait, after which signing in works', async ({ page }) => {
    await page.goto('/login');
    await page.getByLabel('Username or e-mail').fill('ada');
    await page.getByLabel('Password', { exact: true }).fill('wrong');
    const button = page.getByRole('main').getByRole('button', { name: /^(Sign in|Wait)/ });
    await expect(async () => {
      await button.click({ timeout: 1_000 });
      await expect(page.getByText('Too many attempts.')).toBeVisible({ timeout: 1_000 });
    }).toPass();
    await expect(page.getByRole('button', { name: /^Wait \d+ s$/ })).toBeDisabled();
    await expect(button).toHaveText('Sign in');
    await signIn(page);
    await expectJobs(page);
  });
});
