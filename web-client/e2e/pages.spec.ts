// The pages as a person uses them, against the real services.
import { expect, signIn, test } from './support/test';

test.use({ settings: { TOKENS__ACCESS_TTL: '15m' } });

test('jobs are added, edited, moved on and removed, and are still so after a reload', async ({ page }) => {
  await signIn(page);
  await page.getByLabel('New job').fill('Oil the hinges');
  await page.getByLabel('Description').fill('The gate by the mill');
  await page.getByRole('button', { name: 'Add job' }).click();
  const job = page.getByRole('listitem').filter({ hasText: 'Oil the' });
  await expect(job.getByRole('heading')).toHaveText('Oil the hinges');
  await expect(job).toContainText('Changed');

  await job.getByRole('button', { name: 'Edit Oil the hinges' }).click();
  await page.getByLabel('Title').fill('Oil the lock');
  await page.keyboard.press('Enter');
  await expect(job.getByRole('heading')).toHaveText('Oil the lock');
  await job.getByLabel('Status of Oil the lock').selectOption('Done');
  await expect(job).toContainText('Changed');
  await page.getByRole('button', { name: 'Remove Buy strings for the harp' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  await expect(page.getByRole('heading', { name: 'Buy strings for the harp' })).toHaveCount(0);

  await page.reload();
  await expect(job.getByRole('heading')).toHaveText('Oil the lock');
  await expect(job).toContainText('The gate by the mill');
  await expect(job.getByLabel('Status of Oil the lock')).toHaveValue('done');
  await expect(page.getByRole('heading', { name: 'Buy strings for the harp' })).toHaveCount(0);
});

test('a job that was added is not added twice because the answer was lost', async ({ page, wire }) => {
  await signIn(page);
  await expect(page.getByText('4 jobs')).toBeVisible();
  const cut = wire.cutAnswerTo('POST /api/jobs/jobs');
  await page.getByLabel('New job').fill('Oil the hinges');
  await page.keyboard.press('Enter');
  await cut;
  const job = page.getByRole('listitem').filter({ hasText: 'Oil the hinges' });
  await expect(job).toContainText('Changed');
  await expect(page.getByRole('button', { name: 'Try again' })).toHaveCount(0);
  await page.reload();
  await expect(page.getByText('5 jobs')).toBeVisible();
  await expect(job).toHaveCount(1);
});

test('a job that could not be added is taken back, and can be tried again', async ({ page, latchkey }) => {
  await signIn(page);
  await expect(page.getByText('4 jobs')).toBeVisible();
  await latchkey.stop();
  await page.getByLabel('New job').fill('Oil the hinges');
  await page.keyboard.press('Enter');
  await expect(page.getByText('“Oil the hinges” may not have been added.')).toBeVisible();
  await expect(page.getByText('4 jobs')).toBeVisible();
  await latchkey.run();
  await expect(page.getByText('You are still signed in.')).toBeHidden();
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('listitem').filter({ hasText: 'Oil the hinges' })).toContainText('Changed');
  await page.reload();
  await expect(page.getByText('5 jobs')).toBeVisible();
});

test('a list that does not fit on one page is shown to its end', async ({ page, context }) => {
  await signIn(page);
  const token = await page.evaluate(
    () => (JSON.parse(localStorage.getItem('latchkey.session') ?? '') as { accessToken: string }).accessToken,
  );
  const headers = { Authorization: `Bearer ${token}` };
  for (let n = 1; n <= 100; n += 1) {
    await context.request.post('/api/jobs/jobs', { headers, data: { title: `Job number ${n}` } });
  }
  await page.reload();
  await expect(page.getByText('100+ jobs')).toBeVisible();
  await page.getByRole('button', { name: 'Show more' }).click();
  await expect(page.getByText('104 jobs')).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Check the table of Bernoulli numbers' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Show more' })).toHaveCount(0);
});

test('the whole way in and to a new job can be gone with the keyboard alone', async ({ page }) => {
  await page.goto('/login');
  await page.getByLabel('Username or e-mail').focus();
  await page.keyboard.type('ada');
  await page.keyboard.press('Tab');
  await page.keyboard.type('latchkey-demo-ada');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { level: 1, name: 'ada' })).toBeFocused();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await expect(page.getByLabel('New job')).toBeFocused();
  await page.keyboard.type('Oil the hinges');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Oil the hinges' })).toBeVisible();

  // The list is still changing when the row shows, and a button that is made anew loses the focus.
  const remove = page.getByRole('button', { name: 'Remove Oil the hinges' });
  await expect(async () => {
    await remove.focus();
    await expect(remove).toBeFocused({ timeout: 500 });
    await remove.press('Enter');
    await expect(page.getByRole('dialog')).toBeVisible({ timeout: 1_000 });
  }).toPass();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
  await expect(remove).toBeFocused();
});

test('the colours are the device’s until someone chooses, and the choice is kept', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.goto('/');
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await background();
  await page.getByRole('button', { name: 'Colours: system. Change' }).click();
  await expect.poll(background).not.toBe(dark);
  const light = await background();
  await page.reload();
  await expect.poll(background).toBe(light);
});

test('an address that leads nowhere says so', async ({ page }) => {
  await page.goto('/attic');
  await expect(page.getByRole('heading', { name: 'No such page' })).toBeVisible();
});
