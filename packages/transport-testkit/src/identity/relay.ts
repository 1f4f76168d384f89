// A wire between two nodes that secure their connection. Like an attacker on the path, it sees
// their bytes, and records, alters, cuts or holds them.

import type { StreamConnection, StreamLayer } from '@trunkline/transport-core/backend';

/** The end that wrote the bytes. */
export type WritingEnd = 'dialer' | 'acceptor';

/**
 * Determines how the bytes that one end writes are treated; positions count from its first byte.
 * `flip`, `end` and `piece` don't apply to bytes that `hold` holds.
 */
export interface Tampering {
  /** Flips one bit of the byte at this position. */
  readonly flip?: number | undefined;
  /**
   * Ends both connections as soon as this end has written that many bytes: gracefully, after these
   * bytes have passed, or immediately.
   */
  readonly end?: { readonly at: number; readonly how: 'close' | 'destroy' } | undefined;
  /**
   * Passes that many bytes and holds the rest until `release` is called; the end of the writer's
   * stream still passes.
   */
  readonly hold?: number | undefined;
  /** Passes bytes on in pieces of at most this size. */
  readonly piece?: number | undefined;
}

export type Tamperings = Readonly<Partial<Record<WritingEnd, Tampering>>>;

export interface RelayHooks {
  /** Called when bytes arrive or a connection ends. */
  stirred(): void;
}

export class Relay {
  /** The address that dialers use: an address of the layer that carries the secured bytes. */
  readonly address: string;
  /** The tamperings for later connections. */
  tamperings: Tamperings = {};
  readonly connections: RelayedConnection[] = [];
  readonly #layers: readonly StreamLayer[];

  private constructor(layers: readonly StreamLayer[], address: string) {
    this.#layers = layers;
    this.address = address;
  }

  /** Listens on `front`, and dials `target` with `back` for each incoming connection. */
  static async open(
    front: StreamLayer,
    back: StreamLayer,
    target: string,
    hooks: RelayHooks,
  ): Promise<Relay> {
    let relay: Relay | undefined;
    await front.listen((connection) => {
      const relayed = new RelayedConnection(relay!.tamperings, hooks);
      relay!.connections.push(relayed);
      relayed.join(
        connection,
        back.dial(target, { timeout: 60_000 }).catch(() => undefined),
      );
    });
    relay = new Relay([front, back], front.localAddr());
    return relay;
  }

  /** The last connection. */
  get last(): RelayedConnection {
    return this.connections.at(-1)!;
  }

  /** The number of connections that have not ended. */
  get open(): number {
    return this.connections.filter((relayed) => !relayed.over).length;
  }

  async close(): Promise<void> {
    for (const relayed of this.connections) relayed.destroy();
    for (const layer of this.#layers) await layer.close();
  }
}

/** One connection through the relay. */
export class RelayedConnection {
  /** The bytes that each end wrote. */
  readonly dialer: Lane;
  readonly acceptor: Lane;

  constructor(tamperings: Tamperings, hooks: RelayHooks) {
    const ended = (how: 'close' | 'destroy') => this.#end(how);
    this.dialer = new Lane(tamperings.dialer ?? {}, hooks, ended);
    this.acceptor = new Lane(tamperings.acceptor ?? {}, hooks, ended);
  }

  get over(): boolean {
    return this.dialer.over && this.acceptor.over;
  }

  /** Joins both ends. The bytes that `here` writes wait until `there` resolves. */
  join(here: StreamConnection, there: Promise<StreamConnection | undefined>): void {
    this.acceptor.goTo(here, this.dialer);
    void there.then((connection) => {
      if (connection === undefined) {
        this.dialer.over = true;
        return here.destroy();
      }
      this.dialer.goTo(connection, this.acceptor);
    });
  }

  destroy(): void {
    this.#end('destroy');
  }

  #end(how: 'close' | 'destroy'): void {
    this.dialer.end(how);
    this.acceptor.end(how);
  }
}

/**
 * The bytes of one direction: bytes that one end wrote, on their way to the other end's connection.
 */
class Lane {
  /** The chunks as they were written. */
  readonly chunks: Uint8Array[] = [];
  /** The number of bytes received, and the number of these bytes that were not held. */
  written = 0;
  passed = 0;
  course: Tampering;
  /** True if the connection that it writes to has ended or was never made. */
  over = false;
  readonly #hooks: RelayHooks;
  readonly #ended: (how: 'close' | 'destroy') => void;
  readonly #queue: Uint8Array[] = [];
  #to: StreamConnection | undefined = undefined;
  #blocked = false;
  #ending: 'close' | 'destroy' | undefined = undefined;

  constructor(course: Tampering, hooks: RelayHooks, ended: (how: 'close' | 'destroy') => void) {
    this.course = course;
    this.#hooks = hooks;
    this.#ended = ended;
  }

  /** Starts writing to `to`; the bytes that `to` writes go to `back`. */
  goTo(to: StreamConnection, back: Lane): void {
    this.#to = to;
    to.attach({
      data: (chunk) => back.push(chunk),
      frames: () => {}, // Never called: a connection that carries bytes reports no frames.
      drained: () => {
        this.#blocked = false;
        this.#pump();
      },
      closed: (error) => {
        this.over = true;
        this.#hooks.stirred();
        back.end(error === undefined ? 'close' : 'destroy');
      },
    });
    this.#pump();
    if (this.#ending === 'destroy') to.destroy();
  }

  push(chunk: Uint8Array): void {
    this.#hooks.stirred();
    this.chunks.push(chunk.slice());
    const { flip, end, hold, piece } = this.course;
    const begin = this.written;
    this.written += chunk.length;
    const most = Math.min(end?.at ?? Number.POSITIVE_INFINITY, hold ?? Number.POSITIVE_INFINITY);
    const passing = chunk.slice(0, this.#ending === undefined ? Math.max(most - begin, 0) : 0);
    if (flip !== undefined && flip >= begin && flip < begin + passing.length)
      passing[flip - begin]! ^= 1 << (flip % 8);
    const step = piece ?? Math.max(passing.length, 1);
    for (let at = 0; at < passing.length; at += step)
      this.#queue.push(passing.slice(at, at + step));
    this.passed += passing.length;
    this.#pump();
    if (end !== undefined && this.written >= end.at) this.#ended(end.how);
  }

  /** Stops holding: passes on the held bytes and everything that follows. */
  release(): void {
    const { hold, ...course } = this.course;
    this.course = course;
    if (hold === undefined) return;
    let begin = 0;
    for (const chunk of this.chunks) {
      const rest = chunk.slice(Math.max(hold - begin, 0));
      begin += chunk.length;
      if (rest.length > 0) this.#queue.push(rest);
      this.passed += rest.length;
    }
    this.#pump();
  }

  /**
   * Ends the connection that it writes to; a graceful end waits for the bytes that were written
   * before.
   */
  end(how: 'close' | 'destroy'): void {
    if (this.#ending === 'destroy' || this.#ending === how) return;
    this.#ending = how;
    if (how === 'destroy') this.#to?.destroy();
    else this.#pump();
  }

  #pump(): void {
    const to = this.#to;
    if (to === undefined || this.#ending === 'destroy') return;
    while (!this.#blocked && this.#queue.length > 0)
      this.#blocked = !to.write(this.#queue.shift()!);
    if (this.#ending === 'close' && this.#queue.length === 0 && !this.#blocked) to.close();
  }
}
