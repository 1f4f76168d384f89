// One target of the pool. It owns the target's connections, its dial, and the calls and callers
// that wait for a connection; the pool reports events to it and decides when to dial.

import { parseTarget } from '../address.ts';
import { TransportError, withoutStack } from '../errors.ts';
import { List } from '../list.ts';
import type { Memory } from '../session/memory.ts';
import type { CallCarrier, OutCall } from '../session/out-call.ts';
import type { Connection } from './connection.ts';
import type { HeldTarget } from './held-target.ts';
import type { NameWatch } from './names.ts';

/** The pool as its entries see it. */
export interface PoolEntryOwner {
  readonly host: {
    /** Counts the memory of waiting calls towards limits.memory. */
    readonly memory: Memory;
    now(): number;
    wakeBy(time: number): void;
  };
  /** Called when a call or a caller has stopped waiting. */
  settle(entry: PoolEntry): void;
}

/** A caller that waits for a connection without a call. */
interface PendingDial {
  resolve(connection: Connection): void;
  reject(error: TransportError): void;
}

/** One target: its connections, its dial, and the calls that wait for it. */
export class PoolEntry implements CallCarrier {
  readonly stage = 'it was waiting for a connection';
  readonly mark = 0;
  readonly target: string;
  readonly address: string;
  readonly nodeId: string | undefined;
  readonly connections: Connection[] = [];
  /** Set once the target has been held. */
  held: HeldTarget | undefined = undefined;
  /** Set while the target is a watched name. */
  watch: NameWatch | undefined = undefined;
  readonly #waiting = new List<OutCall>();
  readonly #pending = new Set<PendingDial>();
  #dialing: AbortController | undefined = undefined;
  /** The time since which every connection's pipe has lacked credit while long messages wait. */
  #crowdedSince = Number.POSITIVE_INFINITY;
  /** The earliest time at which the pool tries to grow again, because the last attempt failed. */
  #growAfter = 0;
  readonly #pool: PoolEntryOwner;

  constructor(pool: PoolEntryOwner, target: string) {
    const { address, nodeId } = parseTarget(target);
    this.#pool = pool;
    this.target = target;
    this.address = address;
    this.nodeId = nodeId;
  }

  // Calls and callers that wait for a connection.

  get now(): number {
    return this.#pool.host.now();
  }

  requestWritten(): void {}

  abandon(call: OutCall): void {
    this.drop(call);
    this.#pool.settle(this);
  }

  /** The calls that wait for a connection, in order. */
  get waiting(): Iterable<OutCall> {
    return this.#waiting;
  }

  wait(call: OutCall): void {
    call.carryBy(this);
    call.keep();
    this.#waiting.push(call);
    this.#pool.host.memory.hold(call.cost);
  }

  drop(call: OutCall): void {
    if (this.#waiting.remove(call)) this.#pool.host.memory.hold(-call.cost);
  }

  /** Waits for a connection; the signal ends this wait only. */
  connected(target: string, signal: AbortSignal | undefined): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#pending.delete(pending);
        reject(
          new TransportError('cancelled', `the dial of ${target} was cancelled`, {
            target,
            cause: signal?.reason,
            sent: false,
          }),
        );
        this.#pool.settle(this);
      };
      const settled = () => signal?.removeEventListener('abort', leave);
      const pending: PendingDial = {
        resolve: (connection) => {
          settled();
          resolve(connection);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#pending.add(pending);
    });
  }

  /** Starts the calls that waited for this connection, in order, then resolves other callers. */
  opened(connection: Connection): void {
    for (let call = this.#next(); call !== undefined; call = this.#next()) {
      if (connection.over) call.failed(LOST);
      else connection.caller.start(call);
    }
    for (const pending of this.#pending) pending.resolve(connection);
    this.#pending.clear();
  }

  /** Fails everything that is waiting. */
  fail(error: TransportError): void {
    for (let call = this.#next(); call !== undefined; call = this.#next())
      call.failed(withoutStack(error, { sent: false }));
    for (const pending of this.#pending)
      pending.reject(withoutStack(error, { sent: false, target: this.target }));
    this.#pending.clear();
  }

  /** Removes and returns the call that has waited longest. */
  #next(): OutCall | undefined {
    const call = this.#waiting.first;
    if (call !== undefined) this.drop(call);
    return call;
  }

  /** True if anything waits for a connection, or the target is held. */
  get wanted(): boolean {
    return this.#waiting.length > 0 || this.#pending.size > 0 || this.held?.active === true;
  }

  // Names.

  /** Stops watching the name. */
  unwatch(): void {
    this.watch?.close();
    this.watch = undefined;
  }

  // The dial.

  get dialing(): boolean {
    return this.#dialing !== undefined;
  }

  startDial(): AbortController {
    this.#dialing = new AbortController();
    return this.#dialing;
  }

  /** Records the end of a dial. Returns false if it was aborted before. */
  endDial(dial: AbortController): boolean {
    if (this.#dialing !== dial) return false;
    this.#dialing = undefined;
    return true;
  }

  abortDial(reason: TransportError): void {
    const dial = this.#dialing;
    this.#dialing = undefined;
    dial?.abort(reason);
  }

  // Growth.

  /** Records since when all connections have been crowded. */
  look(): void {
    const isCrowded =
      this.connections.length > 0 && this.connections.every((connection) => connection.crowded);
    if (!isCrowded) this.#crowdedSince = Number.POSITIVE_INFINITY;
    else if (this.#crowdedSince === Number.POSITIVE_INFINITY) {
      const { host } = this.#pool;
      this.#crowdedSince = host.now();
      host.wakeBy(this.growthDue);
    }
  }

  /** The time at which a crowded target gets another connection; Infinity if it is not crowded. */
  get growthDue(): number {
    return this.#crowdedSince + CROWDED;
  }

  /** Returns true if the target is still crowded and may grow now. */
  wantsGrowth(): boolean {
    this.#crowdedSince = Number.POSITIVE_INFINITY;
    this.look();
    return this.#crowdedSince !== Number.POSITIVE_INFINITY && this.now >= this.#growAfter;
  }

  /** Delays the next growth, because the last attempt failed. */
  pauseGrowth(): void {
    this.#growAfter = this.now + GROW_PAUSE;
  }
}

/** Duration, in milliseconds, for which a target must be crowded before its pool grows. */
const CROWDED = 50;
/**
 * Duration, in milliseconds, after which a pool that could not grow tries again, so that a full
 * peer is not dialed twenty times per second.
 */
const GROW_PAUSE = 1_000;
const LOST = new TransportError(
  'unavailable',
  'the connection was lost while it was being established',
  {
    sent: false,
  },
);
