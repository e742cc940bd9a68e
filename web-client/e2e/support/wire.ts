// The wire between the browser and the server: passes everything on unchanged, until a test cuts it at a chosen point.
import { once } from 'node:events';
import { AddressInfo, Server, Socket, connect, createServer } from 'node:net';

export class Wire {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private ambush?: { request: string; fate: 'cut' | 'held'; done: () => void };

  private constructor(private readonly target: () => number) {
    this.server = createServer((browser) => this.carry(browser));
  }

  /** `target` is asked for the server's port at each connection. */
  static async to(target: () => number): Promise<Wire> {
    const wire = new Wire(target);
    wire.server.listen(0, '127.0.0.1');
    await once(wire.server, 'listening');
    return wire;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The next answer to a request that starts like this is cut in its middle, after the server has sent it whole. */
  cutAnswerTo(request: string): Promise<void> {
    return new Promise((done) => (this.ambush = { request, fate: 'cut', done }));
  }

  /** The next answer to a request that starts like this is kept back, while the browser waits for it. */
  holdAnswerTo(request: string): Promise<void> {
    return new Promise((done) => (this.ambush = { request, fate: 'held', done }));
  }

  async remove(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private carry(browser: Socket): void {
    const server = connect(this.target(), '127.0.0.1');
    let isDoomed = false;
    for (const socket of [browser, server]) {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
      // Cut connections are the point; whichever end sees it first, the other is closed too.
      socket.on('error', () => undefined);
    }
    browser.on('data', (chunk) => {
      isDoomed ||= this.ambush !== undefined && chunk.toString('latin1').startsWith(this.ambush.request);
      server.write(chunk);
    });
    server.on('data', (chunk) => {
      if (!isDoomed) {
        browser.write(chunk);
        return;
      }
      const { fate, done } = this.ambush ?? {};
      this.ambush = undefined;
      if (fate === 'cut') {
        // Far enough for the browser to have the head and the start of the body.
        browser.write(chunk.subarray(0, chunk.length - 20), () => browser.destroy());
        server.destroy();
      }
      done?.();
    });
    browser.on('close', () => server.destroy());
    server.on('close', () => browser.end());
  }
}
