// A wire between two nodes over real TCP, which a test can turn into a black hole or break.

import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';

interface Pipe {
  readonly near: Socket;
  readonly far: Socket;
  isFrozen: boolean;
}

export class Wire {
  readonly #server: Server;
  readonly #pipes = new Set<Pipe>();
  readonly #swallowed = new Set<Socket>();
  #target: string;
  #isFrozen = false;

  private constructor(target: string) {
    this.#target = target;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => this.#join(near));
  }

  /** A wire to an address, 'host:port'; it is closed after the test. */
  static async to(target: string, t?: Pick<ExecutionContext, 'teardown'>): Promise<Wire> {
    const wire = new Wire(target);
    t?.teardown(() => wire.close());
    await new Promise<void>((resolve, reject) => wire.#server.once('error', reject).listen(0, '127.0.0.1', resolve));
    return wire;
  }

  /** Where its near end listens. */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** New connections lead there. */
  lead(target: string): void {
    this.#target = target;
  }

  /** From now on nothing is read and nothing is written, either way, of new connections too; all sockets stay open. */
  freeze(): void {
    this.#isFrozen = true;
    for (const pipe of this.#pipes) hold(pipe);
  }

  /** New connections pass again. What was frozen stays so. */
  thaw(): void {
    this.#isFrozen = false;
  }

  /** The machine behind it came back, listens there, and knows of no connection: what is sent over an old one is answered with a reset. */
  reboot(target: string): void {
    this.lead(target);
    this.thaw();
    for (const { near, far } of this.#pipes) {
      far.removeAllListeners('close').destroy();
      near.removeAllListeners('data').removeAllListeners('end');
      near.on('data', () => near.resetAndDestroy()).resume();
    }
  }

  async close(): Promise<void> {
    for (const { near, far } of this.#pipes) {
      near.destroy();
      far.destroy();
    }
    for (const near of this.#swallowed) near.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(near: Socket): void {
    // The system takes it, and it leads nowhere.
    if (this.#isFrozen) return this.#swallow(near);
    const separator = this.#target.lastIndexOf(':');
    const far = connect({ host: this.#target.slice(0, separator), port: Number(this.#target.slice(separator + 1)), allowHalfOpen: true, noDelay: true });
    const pipe: Pipe = { near, far, isFrozen: false };
    this.#pipes.add(pipe);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (chunk) => {
        if (!to.write(chunk)) from.pause();
      });
      to.on('drain', () => {
        if (!pipe.isFrozen) from.resume();
      });
      from.on('end', () => to.end());
      from.on('error', () => {});
      from.on('close', () => {
        if (!pipe.isFrozen) to.destroy();
        if (near.destroyed && far.destroyed) this.#pipes.delete(pipe);
      });
    }
  }

  #swallow(near: Socket): void {
    this.#swallowed.add(near.pause());
    near.on('error', () => {}).on('close', () => this.#swallowed.delete(near));
  }
}

function hold(pipe: Pipe): void {
  pipe.isFrozen = true;
  pipe.near.pause();
  pipe.far.pause();
}
