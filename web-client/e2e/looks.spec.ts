// What holds for every page, in light and dark, on a phone and on a desk: no barrier that axe can find, nothing wider than
// the screen, nothing from elsewhere, and nothing that the policy has to stop.
import AxeBuilder from '@axe-core/playwright';
import { Page } from '@playwright/test';
import { expect, signIn, test } from './support/test';

test.use({ settings: { TOKENS__ACCESS_TTL: '15m', REGISTRATION__ENABLED: 'true' } });

interface Place {
  readonly name: string;
  readonly path: string;
  readonly heading: string;
  readonly isGuarded?: boolean;
}

const places: readonly Place[] = [
  { name: 'the first page', path: '/', heading: 'One key. Every service.' },
  { name: 'the login page', path: '/login', heading: 'Sign in' },
  { name: 'the page for new accounts', path: '/register', heading: 'Create an account' },
  { name: 'the page that is none', path: '/attic', heading: 'No such page' },
  { name: 'the first page, signed in', path: '/', heading: 'Hello, ada', isGuarded: true },
  { name: 'the profile', path: '/profile', heading: 'ada', isGuarded: true },
  { name: 'the devices', path: '/devices', heading: 'Devices', isGuarded: true },
  { name: 'the page for a new password', path: '/password', heading: 'Change password', isGuarded: true },
];
const phone = { width: 360, height: 740 };
const desk = { width: 1280, height: 800 };
const colorSchemes = ['light', 'dark'] as const;

async function expectNoBarrier(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)])).toEqual([]);
}

for (const { name, path, heading, isGuarded } of places) {
  test(`${name} is without barriers in light and dark, on a phone and on a desk`, async ({ page }) => {
    if (isGuarded) await signIn(page);
    await page.goto(path);
    await expect(page.getByRole('heading', { level: 1, name: heading })).toBeVisible();
    await expect(page.locator('.skeleton')).toHaveCount(0);
    for (const colorScheme of colorSchemes) {
      await page.emulateMedia({ colorScheme });
      // Whoever wants no motion sees the new colours at once. A button that turns while its text has turned cannot be read.
      expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
      for (const viewport of [phone, desk]) {
        await page.setViewportSize(viewport);
        await expectNoBarrier(page);
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        expect(width).toBeLessThanOrEqual(viewport.width);
      }
    }
  });
}

for (const colorScheme of colorSchemes) {
  test(`forms with errors, dialogs and messages are without barriers in ${colorScheme}`, async ({
    page,
    latchkey,
  }) => {
    await page.emulateMedia({ colorScheme });
    await page.goto('/login');
    await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click();
    await expect(page.getByText('Enter your password.')).toBeVisible();
    await expectNoBarrier(page);

    await signIn(page);
    await page.getByLabel('New job').fill('Oil the hinges');
    await page.getByRole('button', { name: 'Edit Buy strings for the harp' }).click();
    await expectNoBarrier(page);
    await page.getByRole('button', { name: 'Remove Answer Charles about the engine' }).click();
    await expect(page.getByRole('dialog')).toBeVisible();
    await expectNoBarrier(page);
    await latchkey.stop();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await expect(page.getByText('may not have been removed.')).toBeVisible();
    await expect(page.getByText('You are still signed in.')).toBeVisible();
    await expectNoBarrier(page);
  });
}

test('nothing comes from elsewhere, no token goes there, and the policy has nothing to stop', async ({
  page,
  context,
  baseURL,
}) => {
  const strangers: string[] = [];
  const complaints: string[] = [];
  context.on('request', (request) => {
    if (new URL(request.url()).origin !== baseURL) strangers.push(request.url());
  });
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.addInitScript(() =>
    addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
      console.error(`${violatedDirective} stopped ${blockedURI}`),
    ),
  );
  await signIn(page);
  for (const { path, heading } of places.filter(({ isGuarded }) => isGuarded)) {
    await page.goto(path);
    await expect(page.getByRole('heading', { level: 1, name: heading })).toBeVisible();
  }
  expect(strangers).toEqual([]);
  expect(complaints).toEqual([]);
});

test('the page is served with a policy that runs no script but its own files', async ({ request }) => {
  const response = await request.get('/profile');
  const policy = response.headers()['content-security-policy'] ?? '';
  const directives = new Map(policy.split(';').map((part) => [part.trim().split(/\s+/)[0], part.trim()]));
  const scripts = directives.get('script-src') ?? directives.get('default-src');
  expect(scripts).toMatch(/^(script|default)-src 'self'$/);
  expect(policy).toContain("frame-ancestors 'none'");
  expect(response.headers()['cache-control']).toBe('no-cache');
});

test('every page works under a policy that allows nothing but its own files', async ({ page, context }) => {
  const strictest = [
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'",
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
    "require-trusted-types-for 'script'; trusted-types angular",
  ];
  await context.route('**/*', async (route) => {
    if (route.request().resourceType() !== 'document') return route.continue();
    const response = await route.fetch();
    const headers = { ...response.headers(), 'content-security-policy': strictest.join('; ') };
    return route.fulfill({ response, headers });
  });
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  for (const { path, heading, isGuarded } of places) {
    if (isGuarded && page.url().includes('attic')) await signIn(page);
    await page.goto(path);
    await expect(page.getByRole('heading', { level: 1, name: heading })).toBeVisible();
    await expect(page.locator('body')).toHaveCSS('font-family', /Figtree/);
  }
  expect(complaints).toEqual([]);
});

test('files whose names change with their content are kept, all others are asked for again', async ({
  request,
}) => {
  const page = await (await request.get('/')).text();
  const named = [...page.matchAll(/(?:src|href)="([^"]+\.(?:js|css|svg))"/g)].map(([, path]) => path ?? '');
  expect(named.length).toBeGreaterThanOrEqual(4);
  for (const path of named) {
    const caching = (await request.get(`/${path}`)).headers()['cache-control'];
    const isHashed = !['theme.js', 'favicon.svg'].includes(path);
    expect([path, caching]).toEqual([path, isHashed ? 'public, max-age=31536000, immutable' : 'no-cache']);
  }
});
