// The real process: started on ports of its own in a directory of its own, stopped, and started again with the same.
import { ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const repository = resolve(import.meta.dirname, '../../..');
const program = process.env['LATCHKEY_PROGRAM'] ?? join(repository, 'target/debug/latchkey');
const built = (build: string) => join(repository, 'web-client/dist', build, 'browser');

export type Settings = Readonly<Record<string, string>>;

export class Latchkey {
  private child?: ChildProcess;
  /** The port of the web client and the services behind it; the same after a restart. */
  port = 0;
  private written = '';

  private constructor(
    private readonly directory: string,
    private readonly settings: Settings,
  ) {}

  /** `settings` are environment variables without their prefix; `build` names a build of the web client. */
  static async start(settings: Settings = {}, build = 'web-client'): Promise<Latchkey> {
    const directory = await mkdtemp(join(tmpdir(), 'latchkey-e2e-'));
    const latchkey = new Latchkey(directory, { WEB_DIR: built(build), ...settings });
    await latchkey.run();
    return latchkey;
  }

  /** One that runs already, on this port, and is not ours to start or stop. */
  static running(port: number): Latchkey {
    const latchkey = new Latchkey('', {});
    latchkey.port = port;
    return latchkey;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.run();
  }

  /** Starts it again after a `stop`, on the same port and data. */
  async run(): Promise<void> {
    this.child = spawn(program, { env: this.environment(), stdio: ['ignore', 'pipe', 'ignore'] });
    this.child.stdout?.on('data', (text: Buffer) => (this.written += text.toString()));
    this.port = await webPort(this.child);
  }

  async stop(): Promise<void> {
    const { child } = this;
    if (!child || child.exitCode !== null) return;
    const closed = once(child, 'close');
    child.kill('SIGTERM');
    await closed;
    await this.assertSilent();
  }

  /** Nothing that it wrote has a token in it, or one of its secrets. */
  private async assertSilent(): Promise<void> {
    const file = await readFile(join(this.directory, 'data/secrets.toml'), 'utf8');
    const secrets = [...file.matchAll(/"(.+)"/g)].flatMap(([, secret]) => secret ?? []);
    const token = /eyJ[\w-]+\.[\w-]+\.[\w-]+/;
    const line = this.written
      .split('\n')
      .find((line) => token.test(line) || secrets.some((secret) => line.includes(secret)));
    if (line !== undefined) throw new Error(`a secret is written: ${line}`);
  }

  async remove(): Promise<void> {
    await this.stop();
    await rm(this.directory, { recursive: true });
  }

  private environment(): NodeJS.ProcessEnv {
    const settings: Settings = {
      DATA_DIR: join(this.directory, 'data'),
      DEMO: 'true',
      PORTS__WEB: String(this.port),
      PORTS__AUTH: '0',
      PORTS__JOBS: '0',
      TOKENS__ACCESS_TTL: '2s',
      ...this.settings,
    };
    const prefixed = Object.entries(settings).map(([key, value]) => [`LATCHKEY_${key}`, value]);
    return { PATH: process.env['PATH'], ...(Object.fromEntries(prefixed) as Settings) };
  }
}

/** The process says where it is once it listens; the first address is the web client's. */
async function webPort(child: ChildProcess): Promise<number> {
  if (!child.stdout) throw new Error('no output to read');
  const lines = createInterface({ input: child.stdout });
  for await (const line of lines) {
    const port = /^\s*http:\/\/127\.0\.0\.1:(\d+)\s/.exec(line)?.[1];
    if (!port) continue;
    // What it says from here on is nobody's concern, but a full pipe would stop it.
    child.stdout.resume();
    return Number(port);
  }
  throw new Error(`${program} ended before it listened; build it with: cargo build --package latchkey`);
}
