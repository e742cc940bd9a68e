// Takes the pictures in docs/images: each page at the width of a desk and of a phone, some of them in the dark as well.
import { Page } from '@playwright/test';
import { join } from 'node:path';
import { expect, expectJobs, signIn, test } from './support/test';

const images = join(import.meta.dirname, '../../docs/images');
const widths = {
  desktop: { viewport: { width: 1200, height: 750 }, deviceScaleFactor: 1 },
  phone: { viewport: { width: 390, height: 780 }, deviceScaleFactor: 2 },
};

for (const [width, screen] of Object.entries(widths)) {
  for (const colorScheme of ['light', 'dark'] as const) {
    if (width === 'phone' && colorScheme === 'dark') continue;
    test.describe(`${width} in ${colorScheme}`, () => {
      test.use({
        ...screen,
        colorScheme,
        settings: { TOKENS__ACCESS_TTL: '15m', REGISTRATION__ENABLED: 'true' },
      });

      test('pages', async ({ page, context }) => {
        const take = async (name: string) => {
          await page.evaluate(() => document.fonts.ready);
          const suffix = colorScheme === 'dark' ? '-dark' : '';
          // A screen as tall as the page, so that nothing is cut in two; what is fixed to its foot stays there.
          const height = await page.evaluate(() => document.documentElement.scrollHeight);
          await page.setViewportSize({ ...screen.viewport, height });
          await page.screenshot({
            path: join(images, `${name}-${width}${suffix}.png`),
            animations: 'disabled',
          });
          await page.setViewportSize(screen.viewport);
        };

        await page.goto('/');
        await expect(page.getByRole('link', { name: 'Create an account' })).toBeVisible();
        await take('home');
        await page.goto('/register');
        await expect(page.getByLabel('E-mail')).toBeVisible();
        await take('register');
        await page.goto('/login');
        await expect(page.getByText('Demo data:')).toBeVisible();
        await expect(page.getByRole('link', { name: 'Create an account' })).toBeVisible();
        await take('login');

        for (const deviceName of ['Pixel phone', 'Workshop terminal']) {
          const data = { username: 'ada', password: 'latchkey-demo-ada', deviceName };
          await context.request.post('/api/auth/login', { data });
        }
        await signIn(page);
        await expectJobs(page);
        await blur(page);
        await take('profile');
        await page.goto('/devices');
        await expect(page.getByRole('heading', { name: 'Workshop terminal' })).toBeVisible();
        await take('devices');
        await page.goto('/password');
        await expect(page.getByRole('heading', { name: 'Change password' })).toBeVisible();
        await take('password');
        await renewed(page);
        await page.goto('/');
        await expect(page.getByText(/1[34]:\d\d/)).toBeVisible();
        await take('tokens');
      });
    });
  }
}

/** So that the chain of tokens has some links to show. */
async function renewed(page: Page): Promise<void> {
  for (let n = 0; n < 3; n += 1) {
    await page.evaluate(async () => {
      const record = JSON.parse(localStorage.getItem('latchkey.session') ?? '') as Record<string, string>;
      const answer = await fetch('/api/auth/refresh-token', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'Idempotency-Key': record['idempotencyKey'] ?? '' },
        body: JSON.stringify({ refreshToken: record['refreshToken'] }),
      });
      const pair = (await answer.json()) as object;
      const idempotencyKey = crypto.randomUUID();
      localStorage.setItem('latchkey.session', JSON.stringify({ ...record, ...pair, idempotencyKey }));
    });
  }
}

async function blur(page: Page): Promise<void> {
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
}
