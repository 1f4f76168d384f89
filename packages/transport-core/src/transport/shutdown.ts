// The end of a transport and of its mounts: calls in flight get a grace period, then everything
// closes. Below is Serving, which decides whether this node takes calls to its services.

import { reasonError, TransportError } from '../errors.ts';
import type { Connection, ConnectionHost } from '../stream/connection.ts';
import type { Pool } from '../stream/pool.ts';
import type { DeadlineTimer } from '../stream/ticker.ts';
import type { Acceptor } from './connect.ts';
import type { Mount } from './mount.ts';
import type { EventDispatcher } from './event-dispatcher.ts';

/**
 * The parts of a transport that its shutdown uses. It is an interface because `TransportEngine`,
 * which implements it, creates its shutdown.
 */
interface ClosingTransport extends ConnectionHost {
  readonly mounts: ReadonlyMap<number, Mount>;
  readonly acceptor: Acceptor;
  readonly pool: Pool;
  readonly timer: DeadlineTimer;
  readonly dispatcher: EventDispatcher;
  readonly isDraining: boolean;
  readonly serving: { changed(): void };
  leave(connections: readonly Connection[], text: string): Promise<void>;
  unmount(mount: Mount): void;
}

/** Closes a transport and its mounts. */
export class Shutdown {
  state: 'open' | 'closing' | 'closed' = 'open';
  readonly #transport: ClosingTransport;
  #graceDue = Number.POSITIVE_INFINITY;
  #ending: Promise<void> | undefined = undefined;
  #ended: (() => void) | undefined = undefined;

  constructor(transport: ClosingTransport) {
    this.#transport = transport;
  }

  close(grace: number): Promise<void> {
    this.#ending ??=
      this.#transport.isDraining && grace > 0 ? this.#leaveFirst(grace) : this.#end(grace);
    return this.#ending;
  }

  /**
   * Closes a transport that was drained. It accepts no more connections, and leaves its open
   * connections in the same way as a transport that stays open. Both ends then wait for each other,
   * so calls that are on their way here are still refused with `sent: false`.
   */
  async #leaveFirst(grace: number): Promise<void> {
    const { acceptor, clock, connections } = this.#transport;
    const until = clock.now() + grace;
    acceptor.stop().catch(() => {});
    const left = new AbortController();
    const leaving = async () => {
      // A connection in its hello is left once it is up: its peer may have sent calls already.
      while (connections.size > 0 && !left.signal.aborted) {
        const up = this.#up;
        if (up.length === 0) await clock.sleep(STEP, left.signal);
        else await this.#transport.leave(up, 'this node goes out of service');
      }
      left.abort();
    };
    leaving().catch(() => {});
    await clock.sleep(grace, left.signal).catch(() => {});
    left.abort();
    await this.#end(connections.size === 0 ? 0 : Math.max(until - clock.now(), 0));
  }

  get #up(): Connection[] {
    return [...this.#transport.connections].filter((connection) => connection.isUp);
  }

  async #end(grace: number): Promise<void> {
    const { acceptor, aborts, connections, dispatcher, mounts, pool, scheduler, ticker, timer } =
      this.#transport;
    this.state = 'closing';
    dispatcher.closing();
    this.#transport.serving.changed();
    this.#transport.membership?.closed();
    for (const mount of mounts.values()) mount.refuse();
    const stopped = acceptor.stop();
    pool.close(CLOSED);
    ticker.run((now) => {
      for (const connection of [...connections]) connection.shut(grace);
      this.#graceDue = now + grace;
      if (grace === 0) this.#endGrace();
      else timer.by(this.#graceDue);
    });
    if (connections.size > 0) await new Promise<void>((resolve) => (this.#ended = resolve));
    await stopped.catch(() => {});
    this.#endGrace();
    timer.stop();
    aborts.finish();
    scheduler.stop();
    this.state = 'closed';
    dispatcher.end();
  }

  /** Called when the stream of a connection has closed. */
  gone(): void {
    if (this.state === 'closing' && this.#transport.connections.size === 0) this.#ended?.();
  }

  /** Ends the grace period if its time has come. Returns the time at which it ends. */
  wake(now: number): number {
    if (now >= this.#graceDue) this.#endGrace();
    return this.#graceDue;
  }

  /**
   * Closes one protocol. Its calls get up to `grace` milliseconds to finish; then calls made here
   * fail and peers' calls are refused.
   */
  async closeMount(mount: Mount, grace: number): Promise<void> {
    const { clock, connections, pool, ticker } = this.#transport;
    mount.refuse();
    if (grace > 0 && mount.open > 0 && this.state === 'open') {
      const enough = new AbortController();
      void mount.whenIdle().then(() => enough.abort());
      await clock.sleep(grace, enough.signal).catch(() => {});
    }
    ticker.run(() => {
      if (!mount.inbox.closed)
        mount.inbox.close(
          new TransportError(
            'unimplemented',
            `protocol '${mount.protocol.name}' was closed on this node`,
          ),
        );
      pool.failChannel(mount.protocol.channel, mount.over!);
      for (const connection of connections)
        connection.endChannel(mount.protocol.channel, mount.over!);
      this.#transport.unmount(mount);
    });
  }

  #endGrace(): void {
    this.#graceDue = Number.POSITIVE_INFINITY;
    for (const mount of this.#transport.mounts.values())
      if (!mount.inbox.closed)
        mount.inbox.close(reasonError('closed', 'the other end has closed its transport'));
  }
}

/** The interval, in milliseconds, between checks for connections that have come up. */
const STEP = 10;
/** The error of calls that were made before the transport closed. */
export const CLOSED: TransportError = new TransportError('shutdown', 'this transport was closed', {
  sent: false,
});

// Serving decides whether this node takes calls to a service, from the drain state and the health
// of the node.

/** Combines a transport's drain state with its health, and notifies listeners of changes. */
export class Serving {
  readonly #hasWithdrawn: (service: string) => boolean;
  readonly #listeners = new Set<() => void>();
  #health: ((service: string) => string) | undefined;

  /** @param hasWithdrawn returns true if the transport drains, unless the service goes on. */
  constructor(hasWithdrawn: (service: string) => boolean) {
    this.#hasWithdrawn = hasWithdrawn;
  }

  /** Sets the health that is served, by service; undefined when none is served anymore. */
  set health(health: ((service: string) => string) | undefined) {
    this.#health = health;
    this.changed();
  }

  /** Returns false if the transport drains, or if the health of the service says so. */
  isServing(service: string): boolean {
    return !this.#hasWithdrawn(service) && this.#health?.(service) !== 'not_serving';
  }

  /** Calls a function after each change, until the returned function is called. */
  onChange(listener: () => void): () => void {
    // A wrapper, so that a function that is registered twice is called twice.
    const mine = () => listener();
    this.#listeners.add(mine);
    return () => void this.#listeners.delete(mine);
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
