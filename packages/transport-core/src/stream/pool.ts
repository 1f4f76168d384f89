// Targets and their connections: who is dialled, which connection a call takes, what waits meanwhile (docs/design.md, the pool).

import { parseTarget } from '../address.ts';
import { TransportError, withDetails } from '../errors.ts';
import { List } from '../list.ts';
import type { Call } from '../rpc/call.ts';
import { memoryFull } from '../session/link.ts';
import type { MemoryGauge } from '../session/memory.ts';
import type { CallCarrier, OutCall } from '../session/out-call.ts';
import type { Connection } from './connection.ts';
import { nodeOf } from './membership.ts';

/** What the pool asks of the transport. */
export interface PoolHost {
  readonly maxPool: number;
  /** What waits here counts in limits.memory. */
  readonly memory: MemoryGauge;
  now(): number;
  wakeBy(time: number): void;
  /** Connects and says hello; rejects with a TransportError, or with the signal's reason. */
  open(target: string, address: string, nodeId: string | undefined, signal: AbortSignal): Promise<Connection>;
  dialFailed(target: string, error: TransportError): void;
}

/** Who waits for a connection, without a call. */
interface Waiter {
  resolve(connection: Connection): void;
  reject(error: TransportError): void;
}

/** One target as written, in canonical form. */
class Entry implements CallCarrier {
  readonly stage = 'it waited for a connection';
  readonly mark = 0;
  readonly target: string;
  readonly address: string;
  readonly nodeId: string | undefined;
  readonly connections: Connection[] = [];
  readonly #waiting = new List<OutCall>();
  readonly waiters = new Set<Waiter>();
  dialling: AbortController | undefined = undefined;
  /** Since when every connection's pipe has been empty with bodies waiting. */
  crowdedSince = Number.POSITIVE_INFINITY;
  /** Growing failed: not again before this. */
  growAfter = 0;
  readonly #pool: Pool;

  constructor(pool: Pool, target: string) {
    const { address, nodeId } = parseTarget(target);
    this.#pool = pool;
    this.target = target;
    this.address = address;
    this.nodeId = nodeId;
  }

  get now(): number {
    return this.#pool.host.now();
  }

  requestWritten(): void {}

  abandon(call: OutCall): void {
    this.drop(call);
    this.#pool.settle(this);
  }

  /** Calls that wait for a connection, in order. */
  get waiting(): Iterable<OutCall> {
    return this.#waiting;
  }

  wait(call: OutCall): void {
    call.carrier = this;
    call.widen();
    this.#waiting.push(call);
    this.#pool.host.memory.used += call.cost;
  }

  drop(call: OutCall): void {
    if (this.#waiting.remove(call)) this.#pool.host.memory.used -= call.cost;
  }

  /** The one that has waited longest, which waits no more. */
  next(): OutCall | undefined {
    const call = this.#waiting.first;
    if (call !== undefined) this.drop(call);
    return call;
  }

  get wanted(): boolean {
    return this.#waiting.length > 0 || this.waiters.size > 0;
  }
}

export class Pool {
  readonly host: PoolHost;
  private readonly entries = new Map<string, Entry>();
  /** Targets as they were written, to their canonical form: parsing is for the first use. */
  private readonly keys = new Map<string, string>();
  /** The target that was asked for last, as it was written, and what it is: most calls go where the one before went. */
  #lastTarget = '';
  #last: Entry | undefined = undefined;

  constructor(host: PoolHost) {
    this.host = host;
  }

  /** The connection of a target for short messages, live; undefined: it must be dialled. Throws `invalid_argument` for no target. */
  live(target: string): Connection | undefined {
    const latest = this.latest(target);
    if (latest !== undefined) return latest;
    this.#last = this.entries.get(this.#key(target));
    this.#lastTarget = target;
    return this.#last?.connections[0];
  }

  /** The same, of the target that was asked for last; undefined may be any other one. */
  latest(target: string): Connection | undefined {
    return target === this.#lastTarget ? this.#last?.connections[0] : undefined;
  }

  /** All that is open to a target. */
  connectionsOf(target: string): readonly Connection[] {
    return this.entries.get(this.#key(target))?.connections ?? [];
  }

  /** Targets that are being dialled. */
  get dialling(): string[] {
    return [...this.entries.values()].filter((entry) => entry.dialling !== undefined).map((entry) => entry.target);
  }

  /** Takes a call over a live connection, or dials. */
  start(target: string, call: Call<unknown>, bulky: boolean): void {
    const entry = this.#entry(target);
    const connection = bulky ? leastLoaded(entry.connections) : entry.connections[0];
    if (connection !== undefined) {
      connection.session.caller.start(call);
      if (bulky) this.#look(entry);
      return;
    }
    const { memory } = this.host;
    if (memory.used + call.cost > memory.limit) {
      call.failed(memoryFull(memory));
      return this.settle(entry);
    }
    entry.wait(call);
    this.host.wakeBy(call.due);
    this.#dial(entry);
  }

  /** A connection to a target: the live one, or the one that comes; who waits for it may leave by a signal. */
  connect(target: string, signal?: AbortSignal): Promise<Connection> {
    const entry = this.#entry(target);
    const live = entry.connections[0];
    if (live !== undefined) return Promise.resolve(live);
    return new Promise((resolve, reject) => {
      const leave = () => {
        entry.waiters.delete(waiter);
        reject(new TransportError('cancelled', `the dial of ${target} was cancelled`, { target, cause: signal?.reason, sent: false }));
        this.settle(entry);
      };
      const settled = () => signal?.removeEventListener('abort', leave);
      const waiter: Waiter = {
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
      entry.waiters.add(waiter);
      this.#dial(entry);
    });
  }

  /** A connection takes nothing new: it is closing, or closed. */
  forget(connection: Connection): void {
    if (connection.target === undefined) return;
    const entry = this.entries.get(this.#key(connection.target));
    const at = entry?.connections.indexOf(connection) ?? -1;
    if (entry === undefined || at < 0) return;
    entry.connections.splice(at, 1);
    this.settle(entry);
  }

  /** Dials that are under way end; those that wait for them fail. */
  close(error: TransportError): void {
    for (const entry of this.entries.values()) {
      entry.dialling?.abort(error);
      entry.dialling = undefined;
      this.#fail(entry, error);
    }
    this.entries.clear();
    this.#last = undefined;
  }

  /** One protocol closes: its calls that wait for a connection fail. */
  failChannel(channel: number, error: TransportError): void {
    for (const entry of this.entries.values()) {
      for (const call of entry.waiting) {
        if (call.channel !== channel) continue;
        entry.drop(call);
        call.failed(withDetails(error, { sent: false }));
      }
      this.settle(entry);
    }
  }

  /** Gives up dials to a target. */
  cancel(target: string, error: TransportError): void {
    const entry = this.entries.get(this.#key(target));
    if (entry === undefined) return;
    entry.dialling?.abort(error);
    entry.dialling = undefined;
    this.#fail(entry, error);
    this.settle(entry);
  }

  /** Ends the calls whose time is up while they wait, grows what is crowded; gives the next time. */
  wake(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const entry of this.entries.values()) {
      for (const call of entry.waiting) {
        if (call.due <= now) call.expired(now);
        else if (call.due < next) next = call.due;
      }
      if (now >= entry.crowdedSince + CROWDED) this.#grow(entry);
      else if (entry.crowdedSince !== Number.POSITIVE_INFINITY) next = Math.min(next, entry.crowdedSince + CROWDED);
    }
    return next;
  }

  /** The pipe of a connection ran dry, or has credit again. */
  crowding(connection: Connection): void {
    const entry = connection.target === undefined ? undefined : this.entries.get(this.#key(connection.target));
    if (entry !== undefined) this.#look(entry);
  }

  #look(entry: Entry): void {
    const crowded = entry.connections.length > 0 && entry.connections.every((connection) => connection.session.crowded);
    if (!crowded) entry.crowdedSince = Number.POSITIVE_INFINITY;
    else if (entry.crowdedSince === Number.POSITIVE_INFINITY) {
      entry.crowdedSince = this.host.now();
      this.host.wakeBy(entry.crowdedSince + CROWDED);
    }
  }

  #grow(entry: Entry): void {
    entry.crowdedSince = Number.POSITIVE_INFINITY;
    this.#look(entry);
    if (entry.crowdedSince === Number.POSITIVE_INFINITY || entry.connections.length >= this.host.maxPool) return;
    if (this.host.now() >= entry.growAfter) this.#dial(entry, true);
  }

  #key(target: string): string {
    let key = this.keys.get(target);
    if (key === undefined) {
      key = parseTarget(target).key;
      if (this.keys.size >= KEYS) this.keys.clear();
      this.keys.set(target, key);
    }
    return key;
  }

  #entry(target: string): Entry {
    const key = this.#key(target);
    let entry = this.entries.get(key);
    if (entry === undefined) {
      entry = new Entry(this, target);
      this.entries.set(key, entry);
    }
    return entry;
  }

  #dial(entry: Entry, background = false): void {
    if (entry.dialling !== undefined) return;
    const dialling = new AbortController();
    entry.dialling = dialling;
    this.host.open(entry.target, entry.address, entry.nodeId, dialling.signal).then(
      (connection) => {
        if (entry.dialling === dialling) entry.dialling = undefined;
        // A node's link that gave way to another as it came up: that other is found now.
        if (connection.session.state !== 'up' && entry.wanted && nodeOf(entry.target) !== undefined) return this.#dial(entry);
        this.#opened(entry, connection);
      },
      (error) => {
        if (entry.dialling !== dialling) return;
        entry.dialling = undefined;
        if (background) entry.growAfter = this.host.now() + GROW_PAUSE;
        this.host.dialFailed(entry.target, error);
        this.#fail(entry, error);
        this.settle(entry);
      },
    );
  }

  /** A connection is up: who waited for it goes first, in order. */
  #opened(entry: Entry, connection: Connection): void {
    for (let call = entry.next(); call !== undefined; call = entry.next()) {
      if (connection.over) call.failed(LOST);
      else connection.session.caller.start(call);
    }
    for (const waiter of entry.waiters) waiter.resolve(connection);
    entry.waiters.clear();
    this.settle(entry);
  }

  /** The session is up: from now on it is found, before its dialler's promise is. */
  add(connection: Connection): void {
    const entry = this.#entry(connection.target!);
    entry.connections.push(connection);
    this.#opened(entry, connection);
  }

  #fail(entry: Entry, error: TransportError): void {
    for (let call = entry.next(); call !== undefined; call = entry.next()) call.failed(withDetails(error, { sent: false }));
    for (const waiter of entry.waiters) waiter.reject(withDetails(error, { sent: false, target: entry.target }));
    entry.waiters.clear();
  }

  /** A dial that nobody waits for ends; a target with nothing to it is forgotten. */
  settle(entry: Entry): void {
    if (entry.dialling !== undefined && !entry.wanted && entry.connections.length === 0) {
      const { dialling } = entry;
      entry.dialling = undefined;
      dialling.abort(UNWANTED);
    }
    if (entry.dialling === undefined && !entry.wanted && entry.connections.length === 0) {
      this.entries.delete(this.#key(entry.target));
      this.#last = undefined;
    }
  }
}

function leastLoaded(connections: readonly Connection[]): Connection | undefined {
  let best: Connection | undefined;
  for (const connection of connections) if (best === undefined || connection.session.load < best.session.load) best = connection;
  return best;
}

/** A pool grows when it was crowded for so long. */
const CROWDED = 50;
/** A pool that could not grow tries again after this: a peer that is full is not dialled twenty times a second. */
const GROW_PAUSE = 1_000;
/** Spellings of targets that are remembered. */
const KEYS = 4_096;
const LOST = new TransportError('unavailable', 'the connection was lost as it came up', { sent: false });
const UNWANTED = new TransportError('cancelled', 'nobody waits for this connection any more');
