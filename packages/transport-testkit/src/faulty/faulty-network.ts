// The faults of one network: the current settings, and the connections and dials that they affect.

import {
  type Backend,
  type Clock,
  type Random,
  systemClock,
  TransportError,
} from '@trunkline/transport-core';
import {
  type DialOptions,
  inMs,
  reasonError,
  type StreamConnection,
  type StreamLayer,
} from '@trunkline/transport-core/backend';
import { seededRandom } from '@trunkline/transport-core/testing';
import {
  changed,
  type FaultDirection,
  type FaultSettings,
  type NetworkFaults,
  NO_FAULTS,
} from './faults.ts';
import { FaultyConnection } from './faulty-connection.ts';
import { type LaneRandom, RANDOM_FAULTS } from './lane.ts';

/** Controls the faults of the backend or the layer that `faulty` has wrapped. */
export interface FaultyNetwork {
  /**
   * The number that determines all random choices. Pass it to `faulty` again to get the same
   * faults.
   */
  readonly seed: number;
  /**
   * The number of connections, dialed and accepted, whose end was not yet reported to the wrapped
   * side.
   */
  readonly connections: number;
  /**
   * Changes faults from now on, even for open connections. Omitted members stay as they are. Throws
   * a TypeError that names an invalid fault or direction. `direction` is seen from the wrapped end:
   * 'out' is for data that it sends, 'in' for data that it receives. Default: 'both'.
   */
  set(faults: NetworkFaults, direction?: 'out' | 'in' | 'both'): void;
  /** Ends all faults. Connections that have lost something are reset. */
  heal(): void;
  /**
   * Resets every open connection at both ends, once. If a connection's outgoing line is stalled or
   * half-open, the other end learns of it when that is over, or when the layer is closed.
   */
  cut(): void;
}

export class FaultController implements FaultyNetwork {
  readonly seed: number;
  settings: { readonly out: FaultSettings; readonly in: FaultSettings };
  readonly #live = new Set<FaultyConnection>();
  readonly #detached = new Map<FaultyConnection, FaultyLayer>();
  /** The callbacks of pending dials, called when the fault settings change. */
  readonly #waiting = new Set<() => void>();
  #made = 0;

  constructor(seed: number, faults: NetworkFaults) {
    this.seed = seed;
    const settings = changed(NO_FAULTS, faults);
    this.settings = { out: settings, in: settings };
  }

  get connections(): number {
    return this.#live.size;
  }

  set(faults: NetworkFaults, direction: FaultDirection = 'both'): void {
    if (!DIRECTIONS.includes(direction))
      throw new TypeError(
        `faulty: set: direction: must be 'out', 'in' or 'both', got ${JSON.stringify(direction)}`,
      );
    const { out, in: inward } = this.settings;
    this.#change({
      out: direction === 'in' ? out : changed(out, faults),
      in: direction === 'out' ? inward : changed(inward, faults),
    });
  }

  heal(): void {
    this.#change({ out: NO_FAULTS, in: NO_FAULTS });
  }

  cut(): void {
    for (const connection of [...this.#live]) connection.cut('cut() was called');
  }

  /** True if at least one direction lets nothing through. */
  get isStopped(): boolean {
    const { out, in: inward } = this.settings;
    return out.stalled || out.halfOpen || inward.stalled || inward.halfOpen;
  }

  /** Calls `callback` when the faults change; the returned function unregisters it. */
  onChange(callback: () => void): () => void {
    this.#waiting.add(callback);
    return () => this.#waiting.delete(callback);
  }

  adopt(layer: FaultyLayer, clock: Clock, inner: StreamConnection): FaultyConnection {
    const number = this.#made++;
    const first = 2 * RANDOM_FAULTS.length * number + 1;
    const random = (lane: 0 | 1) =>
      Object.fromEntries(
        RANDOM_FAULTS.map((fault, i) => {
          const source = first + RANDOM_FAULTS.length * lane + i;
          return [fault, seededRandom((this.seed + Math.imul(source, SPREAD)) | 0)];
        }),
      ) as LaneRandom;
    const network = this;
    const connection = new FaultyConnection(
      {
        clock,
        get settings() {
          return network.settings;
        },
        detach: (each) => {
          this.#live.delete(each);
          if (layer.isClosed) each.release();
          else this.#detached.set(each, layer);
        },
        gone: (each) => {
          this.#live.delete(each);
          this.#detached.delete(each);
        },
      },
      inner,
      { out: random(0), in: random(1) },
    );
    this.#live.add(connection);
    return connection;
  }

  /** Ends connections of a closed layer that were kept because the line was dead. */
  release(layer: FaultyLayer): void {
    for (const [connection, owner] of [...this.#detached])
      if (owner === layer) connection.release();
  }

  #change(settings: { readonly out: FaultSettings; readonly in: FaultSettings }): void {
    this.settings = settings;
    for (const connection of [...this.#live, ...this.#detached.keys()]) connection.change(settings);
    for (const callback of [...this.#waiting]) callback();
  }
}

/** A stream layer whose connections have the faults of a network. */
export class FaultyLayer implements StreamLayer {
  readonly #network: FaultController;
  readonly #inner: StreamLayer;
  readonly #clock: Clock;
  /** The functions that fail the waiting dials, one for each dial. */
  readonly #dials = new Set<(error: unknown) => void>();
  /** Present only if the wrapped layer has it: without it, `close` is called instead. */
  declare readonly stopListening?: () => void;
  isClosed = false;

  constructor(network: FaultController, inner: StreamLayer, clock: Clock | undefined) {
    this.#network = network;
    this.#inner = inner;
    this.#clock = clock ?? inner.clock ?? systemClock;
    if (inner.stopListening !== undefined) this.stopListening = () => inner.stopListening!();
  }

  listen: StreamLayer['listen'] = (accept, failed, options) => {
    this.isClosed = false;
    return this.#inner.listen(
      (connection, pass) => accept(this.#adopt(connection), pass),
      failed,
      options,
    );
  };

  async dial(address: string, options: DialOptions): Promise<StreamConnection> {
    this.isClosed = false;
    const { out, in: inward } = this.#network.settings;
    const trip = () => out.delay + inward.delay;
    if (!this.#network.isStopped && trip() === 0)
      return this.#adopt(await this.#inner.dial(address, options));
    this.#inner.checkAddress?.(address);
    const until = this.#clock.now() + options.timeout;
    await this.#wait(address, options, until, trip());
    const left = Math.max(until - this.#clock.now(), 0);
    return this.#adopt(await this.#inner.dial(address, { ...options, timeout: left }));
  }

  checkAddress(address: string): void {
    this.#inner.checkAddress?.(address);
  }

  localAddr(): string {
    return this.#inner.localAddr();
  }

  localAddrs(): string[] {
    return this.#inner.localAddrs?.() ?? [this.#inner.localAddr()];
  }

  advertiseAddr(): string {
    return this.#inner.advertiseAddr();
  }

  get clock(): Clock {
    return this.#clock;
  }

  get machine(): StreamLayer['machine'] {
    return this.#inner.machine;
  }

  get nodeId(): string | undefined {
    return this.#inner.nodeId;
  }

  get certificate(): StreamLayer['certificate'] {
    return this.#inner.certificate;
  }

  proves(address: string): boolean {
    return this.#inner.nodeId !== undefined && this.#inner.proves?.(address) !== false;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    for (const end of [...this.#dials])
      end(new TransportError('shutdown', 'The dial was cancelled: the layer was closed'));
    this.#network.release(this);
    await this.#inner.close();
  }

  #adopt(inner: StreamConnection): FaultyConnection {
    return this.#network.adopt(this, this.#clock, inner);
  }

  /**
   * Resolves once the line has worked for `trip` milliseconds, which is how long the two packets of
   * a handshake take.
   */
  #wait(
    address: string,
    { timeout, signal }: DialOptions,
    until: number,
    trip: number,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const clock = this.#clock;
      let isThrough = false;
      let crossing: unknown;
      const settle = () => {
        clock.clearTimeout(late);
        if (crossing !== undefined) clock.clearTimeout(crossing);
        stop();
        this.#dials.delete(fail);
        signal?.removeEventListener('abort', onAbort);
      };
      const fail = (error: unknown) => {
        settle();
        reject(error);
      };
      const onAbort = () => fail(signal?.reason);
      const check = () => {
        if (!isThrough || this.#network.isStopped) return;
        settle();
        resolve();
      };
      const stop = this.#network.onChange(check);
      const tooLate = () =>
        fail(
          reasonError(
            'dial_timeout',
            `Cannot connect to ${address}: no answer within ${inMs(timeout)} (dialTimeout)`,
            { target: address },
          ),
        );
      const late = clock.setTimeout(tooLate, until - clock.now());
      crossing = clock.setTimeout(() => {
        isThrough = true;
        check();
      }, trip);
      this.#dials.add(fail);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }
}

/** Returns true for a backend, and false for a layer: only backends have schemes. */
export function isBackend(value: Backend | StreamLayer): value is Backend {
  return 'schemes' in value;
}

/** Draws a seed, for options without one. */
export function drawSeed(random: Random): number {
  return Math.floor(random() * 0x8000_0000);
}

const DIRECTIONS: readonly FaultDirection[] = ['out', 'in', 'both'];
/** The distance between the seeds of two random sources (2^32 ÷ the golden ratio). */
const SPREAD = 0x9e37_79b1;
