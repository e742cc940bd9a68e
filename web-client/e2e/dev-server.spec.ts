// `make dev`: the pages from their sources, everything else from the process beside them.
import { ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from './support/test';

const client = resolve(import.meta.dirname, '..');

/** `npm start`, on a free port and with the process at `url` for the one that is to run on 8080. */
async function start(directory: string, url: string): Promise<ChildProcess> {
  const proxy = await readFile(join(client, 'proxy.conf.json'), 'utf8');
  await writeFile(join(directory, 'proxy.json'), proxy.replaceAll('http://127.0.0.1:8080', url));
  const arguments_ = ['serve', '--proxy-config', join(directory, 'proxy.json'), '--port', '0', '--no-hmr'];
  return spawn(process.execPath, [join(client, 'node_modules/.bin/ng'), ...arguments_], {
    cwd: client,
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

async function addressOf({ stdout }: ChildProcess): Promise<string> {
  if (!stdout) throw new Error('no output to read');
  for await (const line of createInterface({ input: stdout })) {
    const port = /localhost:(\d+)/.exec(line)?.[1];
    if (!port) continue;
    stdout.resume();
    return `http://localhost:${port}`;
  }
  throw new Error('ng serve ended before it listened');
}

const withServer = test.extend<{ devServer: string }>({
  // It compiles the pages first, which takes a busy machine minutes.
  devServer: [
    async ({ latchkey }, use) => {
      const directory = await mkdtemp(join(tmpdir(), 'latchkey-dev-'));
      const server = await start(directory, latchkey.url);
      const exit = once(server, 'exit');
      await use(await addressOf(server));
      server.kill('SIGTERM');
      await exit;
      await rm(directory, { recursive: true });
    },
    { timeout: 300_000 },
  ],
});

withServer.use({ settings: { REGISTRATION__ENABLED: 'true' } });

withServer(
  'the development server asks the process for all but the pages',
  async ({ devServer, request }) => {
    expect(await (await request.get(`${devServer}/login`)).text()).toContain('<app-root>');
    const offers = await request.get(`${devServer}/config.json`);
    expect(await offers.json()).toEqual({ registration: true, demo: true });
    expect((await request.get(`${devServer}/api/auth/current-user`)).status()).toBe(401);
    expect((await request.get(`${devServer}/api/jobs/job-list`)).status()).toBe(401);
  },
);
