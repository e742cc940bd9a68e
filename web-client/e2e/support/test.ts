// What the tests are written with: a process, a browser that talks to it, and the steps that most of them begin with.
import { BrowserContext, Page, Request, expect, test as base } from '@playwright/test';
import { Latchkey, Settings } from './latchkey';
import { signDemoUsersOut, stackPort } from './stack';
import { Wire } from './wire';

interface Options {
  /** The process's settings, environment variables without their prefix. */
  settings: Settings;
  /** Which build of the web client it serves. */
  build: string;
}

interface Fixtures {
  latchkey: Latchkey;
  wire: Wire;
}

export const test = base.extend<Options & Fixtures>({
  settings: [{}, { option: true }],
  build: ['web-client', { option: true }],
  latchkey: async ({ settings, build }, use) => {
    const port = stackPort();
    if (port !== undefined) {
      await signDemoUsersOut(port);
      await use(Latchkey.running(port));
      return;
    }
    const latchkey = await Latchkey.start(settings, build);
    await use(latchkey);
    await latchkey.remove();
  },
  wire: async ({ latchkey }, use) => {
    const wire = await Wire.to(() => latchkey.port);
    await use(wire);
    await wire.remove();
  },
  baseURL: async ({ wire }, use) => {
    await use(wire.url);
  },
});

export { expect };

/** Signs in on the page that it is on, or on the login page. */
export async function signIn(
  page: Page,
  username = 'ada',
  password = `latchkey-demo-${username}`,
): Promise<void> {
  if (!page.url().includes('/login')) await page.goto('/login');
  await page.getByLabel('Username or e-mail').fill(username);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('button', { name: 'Sign out' }).first()).toBeVisible();
}

/** Tabs of one browser that show the profile, after signing in in the first. */
export async function openTabs(context: BrowserContext, count: number): Promise<[Page, ...Page[]]> {
  const first = await context.newPage();
  await signIn(first);
  const others = Array.from({ length: count - 1 }, async () => {
    const tab = await context.newPage();
    await tab.goto('/profile');
    return tab;
  });
  return [first, ...(await Promise.all(others))];
}

interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly idempotencyKey: string;
  readonly sessionId: string;
  /** Where there is no session, why the last one ended. */
  readonly endedBecause?: string;
}

/** What the browser has stored of its session. */
export async function tokens(page: Page): Promise<Tokens> {
  const text = await page.evaluate(() => localStorage.getItem('latchkey.session'));
  return JSON.parse(text ?? '{}') as Tokens;
}

/** How often the session's refresh token has been exchanged, as the stored one says. */
export async function generation(page: Page): Promise<number> {
  const payload = (await tokens(page)).refreshToken.split('.')[1] ?? '';
  return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { gen: number }).gen;
}

/** Waits until the session has been renewed this many times more. */
export async function renewals(page: Page, count: number): Promise<void> {
  const target = (await generation(page)) + count;
  await expect.poll(() => generation(page), { timeout: 45_000 }).toBeGreaterThanOrEqual(target);
}

export interface Exchange {
  /** `failed` where the connection broke; `unanswered` where the page was left before an answer came. */
  readonly outcome: number | 'failed' | 'unanswered';
  readonly key: string | undefined;
  readonly refreshToken: string;
}

/** Every refresh that any tab of this browser begins from now on, in that order. */
export function refreshes(context: BrowserContext): readonly Exchange[] {
  const exchanges: Exchange[] = [];
  const places = new Map<Request, number>();
  const settle = (request: Request, outcome: Exchange['outcome']) => {
    const place = places.get(request);
    const exchange = place === undefined ? undefined : exchanges[place];
    if (place !== undefined && exchange) exchanges[place] = { ...exchange, outcome };
  };
  context.on('request', (request) => {
    if (!request.url().endsWith('/api/auth/refresh-token')) return;
    const { refreshToken } = request.postDataJSON() as { refreshToken: string };
    places.set(request, exchanges.length);
    exchanges.push({ outcome: 'unanswered', key: request.headers()['idempotency-key'], refreshToken });
  });
  context.on('response', (response) => settle(response.request(), response.status()));
  context.on('requestfailed', (request) => {
    // The browser also reports as aborted what it has read to the end, or what a page left behind.
    if (request.failure()?.errorText !== 'net::ERR_ABORTED') settle(request, 'failed');
  });
  return exchanges;
}

/** Those that were refused, in whatever way: none of them should be. */
export function refusals(exchanges: readonly Exchange[]): readonly Exchange[] {
  return exchanges.filter(({ outcome }) => typeof outcome === 'number' && outcome !== 200);
}

/** The jobs of demo user ada, there on the page: proof that the session works. */
export async function expectJobs(page: Page): Promise<void> {
  await expect(page.getByRole('heading', { name: 'Buy strings for the harp' })).toBeVisible();
}
