// A relay between two nodes over real TCP, which a test can turn into a black hole or break.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { ExecutionContext } from 'ava';

/** A TCP relay between two nodes. */
export class TcpRelay {
  readonly #server = createServer(OPTIONS, (near) => this.#join(near));
  readonly #pipes = new Set<{ readonly near: Socket; readonly far: Socket; isFrozen: boolean }>();
  /** Connections that were accepted while the relay was frozen. */
  readonly #swallowed = new Set<Socket>();
  #target: string;
  #isFrozen = false;

  private constructor(target: string) {
    this.#target = target;
  }

  /**
   * Creates a relay to an address, 'host:port' or 'tcp://host:port'. It is closed after the test.
   */
  static async to(target: string, t: Pick<ExecutionContext, 'teardown'>): Promise<TcpRelay> {
    const relay = new TcpRelay(target);
    t.teardown(() => relay.#close());
    await once(relay.#server.listen(0, '127.0.0.1'), 'listening');
    return relay;
  }

  /** The address where its near end listens. */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Sets the target of new connections. */
  redirect(target: string): void {
    this.#target = target;
  }

  /**
   * Stops reading and writing in both directions, on existing and new connections alike. All
   * sockets stay open.
   */
  freeze(): void {
    this.#isFrozen = true;
    for (const pipe of this.#pipes) {
      pipe.isFrozen = true;
      pipe.near.pause();
      pipe.far.pause();
    }
  }

  /** Lets new connections pass again. Frozen connections stay frozen. */
  thaw(): void {
    this.#isFrozen = false;
  }

  /**
   * Simulates a reboot of the machine behind the relay: it listens at `target` and knows none of
   * the old connections, so data sent over one of them is answered with a reset.
   */
  reboot(target: string): void {
    this.redirect(target);
    this.thaw();
    for (const { near, far } of this.#pipes) {
      far.removeAllListeners('close').destroy();
      near.removeAllListeners('data').removeAllListeners('end');
      near.on('data', () => near.resetAndDestroy()).resume();
    }
  }

  async #close(): Promise<void> {
    const pipes = [...this.#pipes].flatMap(({ near, far }) => [near, far]);
    for (const socket of [...pipes, ...this.#swallowed]) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #join(near: Socket): void {
    // The system accepts the connection, but it leads nowhere.
    if (this.#isFrozen) {
      this.#swallowed.add(near.pause());
      near.on('error', () => {}).on('close', () => this.#swallowed.delete(near));
      return;
    }
    const [host, port] = this.#target.replace('tcp://', '').split(':');
    const far = connect({ host: host!, port: Number(port), ...OPTIONS });
    const pipe = { near, far, isFrozen: false };
    this.#pipes.add(pipe);
    for (const from of [near, far]) {
      const to = from === near ? far : near;
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
}

/** Options of all sockets: bytes and ends pass as they come. */
const OPTIONS = { allowHalfOpen: true, noDelay: true };
