// The browser tests: Debian's Chromium against the real process. Each test starts a process of its own (e2e/support), so
// they need no order and leave nothing behind.
import { defineConfig, devices } from '@playwright/test';

const arguments_ = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'e2e/.results',
  fullyParallel: true,
  workers: 2,
  forbidOnly: true,
  timeout: 120_000,
  expect: { timeout: 30_000 },
  reporter: [['list']],
  use: {
    ...devices['Desktop Chrome'],
    locale: 'en-GB',
    timezoneId: 'UTC',
    reducedMotion: 'reduce',
    trace: 'retain-on-failure',
    launchOptions: { executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: arguments_ },
  },
  projects: [
    { name: 'tests', testMatch: '**/*.spec.ts' },
    { name: 'endure', testMatch: '**/endure.ts' },
    { name: 'screenshots', testMatch: '**/screenshots.ts' },
    // Against a stack that runs already (LATCHKEY_URL): the tests that need no process of their own and leave the demo users' jobs as
    // they were. They share users, so one runs after the other.
    { name: 'stack', testMatch: /(signing-in|ended-sessions|tabs)\.spec\.ts/, workers: 1 },
  ],
});
