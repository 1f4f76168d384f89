// The targets of a transport. The pool decides which connection a call takes and when a target is
// dialed (docs/design.md, the pool).

import { parseTarget } from '../address.ts';
import { TransportError, withoutStack } from '../errors.ts';
import { List } from '../list.ts';
import type { Call } from '../rpc/call.ts';
import { memoryFull } from '../session/memory.ts';
import type { CallCarrier, OutCall } from '../session/out-call.ts';
import type { Connection, ConnectionHost } from './connection.ts';
import { HeldTarget, type Hold } from './held-target.ts';
import { nodeOf } from './membership.ts';
import type { Names, NameWatch } from './names.ts';

/**
 * Connects and completes the hello; rejects with a TransportError, or with the signal's reason. For
 * a name, one address after another is tried.
 */
type Open = (entry: PoolEntry, signal: AbortSignal) => Promise<Connection>;

/** The connections that a transport dials, by target. */
export class Pool {
  readonly host: ConnectionHost;
  readonly #names: Names;
  readonly #open: Open;
  private readonly entries = new Map<string, PoolEntry>();
  /** Maps targets as written to their canonical form, so that each spelling is parsed only once. */
  private readonly keys = new Map<string, string>();
  /**
   * The connections of a membership that entries of watched names use, with these entries: they were
   * dialed for other targets.
   */
  readonly #borrowed = new Map<Connection, readonly PoolEntry[]>();
  /**
   * The target that was looked up last, as written, and its entry: most calls go to the same target
   * as the call before.
   */
  #lastTarget = '';
  #last: PoolEntry | undefined = undefined;

  constructor(host: ConnectionHost, names: Names, open: Open) {
    this.host = host;
    this.#names = names;
    this.#open = open;
  }

  /**
   * Returns the live connection of a target for short messages, or undefined if it must be dialed.
   * Throws `invalid_argument` if the target can't be parsed.
   */
  live(target: string): Connection | undefined {
    if (target !== this.#lastTarget || this.#last === undefined) this.#find(target);
    return this.#last?.connections[0] ?? this.#names.live(target);
  }

  #find(target: string): void {
    this.#last = this.entries.get(this.#key(target));
    this.#lastTarget = target;
  }

  /** Returns all connections to a target. */
  connectionsOf(target: string): readonly Connection[] {
    return this.entries.get(this.#key(target))?.connections ?? [];
  }

  /** The targets that are being dialed. */
  get dialing(): string[] {
    return [...this.entries.values()].filter((entry) => entry.dialing).map((entry) => entry.target);
  }

  /** Starts a call on a live connection to its target, or as soon as one is up. */
  start(call: Call): void {
    try {
      const isBulky = call.isBulky(this.host.config.limits.packet);
      const live = isBulky ? this.#names.live(call.target) : this.live(call.target);
      if (live !== undefined) live.caller.start(call);
      else this.restart(call, isBulky);
    } catch (error) {
      call.failed(error as TransportError);
    }
  }

  /** Starts a call, also again if its connection has left and no handler can have seen it. */
  restart(call: Call, isBulky = false): void {
    const entry = this.#entry(call.target);
    const connection = isBulky ? leastLoaded(entry.connections) : entry.connections[0];
    if (connection !== undefined) {
      connection.caller.start(call);
      if (isBulky) entry.look();
      return;
    }
    const { memory } = this.host;
    if (!memory.fits(call.cost)) {
      call.failed(memoryFull(memory, call.cost));
      return this.settle(entry);
    }
    entry.wait(call);
    memory.makeRoom(this.host.ticker.now());
    this.host.timer.by(call.due);
    this.#dial(entry);
  }

  /**
   * Returns the live connection to a target, or waits for a new one. The signal ends the wait of
   * this caller only.
   */
  connect(target: string, signal?: AbortSignal): Promise<Connection> {
    const entry = this.#entry(target);
    const live = entry.connections[0];
    if (live !== undefined) return Promise.resolve(live);
    const connected = entry.connected(target, signal);
    this.#dial(entry);
    return connected;
  }

  /** Keeps a target connected until the returned function is called; see `Transport.hold`. */
  hold(target: string, hold: Hold): () => void {
    if (nodeOf(target) !== undefined)
      throw new TypeError(
        `hold: ${target} names no address; to stay connected to a node, add it to the peers`,
      );
    const entry = this.#entry(target);
    const held = (entry.held ??= new HeldTarget(this.host));
    held.hold(hold);
    if (held.due === Number.POSITIVE_INFINITY) this.#connectHeld(entry);
    return () => {
      if (held.leave(hold)) this.settle(entry);
    };
  }

  /** Removes a connection that takes no new calls because it is closing or closed. */
  forget(connection: Connection): void {
    const borrowers = this.#borrowed.get(connection) ?? [];
    this.#borrowed.delete(connection);
    for (const entry of borrowers) this.#remove(entry, connection);
    const entry = this.#entryOf(connection);
    if (entry !== undefined) this.#remove(entry, connection);
  }

  /** Returns the entry of the target for which a connection was dialed. */
  #entryOf({ target }: Connection): PoolEntry | undefined {
    return target === undefined ? undefined : this.entries.get(this.#key(target));
  }

  #remove(entry: PoolEntry, connection: Connection): void {
    const at = entry.connections.indexOf(connection);
    if (at < 0) return;
    entry.connections.splice(at, 1);
    this.#heldLost(entry, connection);
    this.settle(entry);
    if (entry.watch?.lists(connection) === true) entry.watch.distrust();
  }

  /** Aborts all dials and fails all calls and callers that wait. */
  close(error: TransportError): void {
    for (const entry of this.entries.values()) {
      entry.abortDial(error);
      entry.fail(error);
      entry.unwatch();
    }
    this.entries.clear();
    this.#borrowed.clear();
    this.#last = undefined;
  }

  /** Fails the waiting calls of one protocol, because it closes. */
  failChannel(channel: number, error: TransportError): void {
    for (const entry of this.entries.values()) {
      for (const call of entry.waiting) {
        if (call.channel !== channel) continue;
        entry.drop(call);
        call.failed(withoutStack(error, { sent: false }));
      }
      this.settle(entry);
    }
  }

  /** Aborts the dial of a target and fails everything that waits for it. */
  cancel(target: string, error: TransportError): void {
    const entry = this.entries.get(this.#key(target));
    if (entry === undefined) return;
    if (entry.dialing) entry.held?.failed();
    entry.abortDial(error);
    entry.fail(error);
    this.settle(entry);
  }

  /** Holds a live connection to a held target, or dials if there is none. */
  #connectHeld(entry: PoolEntry): void {
    const live = entry.connections[0] ?? this.#names.live(entry.target);
    if (live === undefined) this.#dial(entry);
    else this.#holdLive(entry, live);
  }

  #holdLive(entry: PoolEntry, connection: Connection): void {
    const { held } = entry;
    if (held === undefined) return;
    if (connection.isUp) held.up(connection);
    else if (held.due === Number.POSITIVE_INFINITY) held.failed();
    // `forget` finds this entry only for connections that were dialed for it.
    if (connection.isUp && !entry.connections.includes(connection))
      void connection.whenGone().then(() => this.#heldLost(entry, connection));
  }

  /** Holds another connection to the target if there is one; otherwise dials when that is due. */
  #heldLost(entry: PoolEntry, connection: Connection): void {
    const [other] = entry.connections;
    if (entry.held?.lost(connection) === true && other !== undefined) this.#holdLive(entry, other);
  }

  /**
   * Expires waiting calls whose time is up, and opens connections for crowded and held targets.
   * Returns the next due time.
   */
  wake(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const entry of this.entries.values()) {
      for (const call of entry.waiting) {
        if (call.due <= now) call.expired(now);
        else if (call.due < next) next = call.due;
      }
      if (now >= entry.growthDue) this.#grow(entry);
      else next = Math.min(next, entry.growthDue);
      if (entry.held !== undefined) {
        if (now >= entry.held.due) this.#connectHeld(entry);
        next = Math.min(next, entry.held.due);
      }
    }
    return next;
  }

  /** Reports that the pipe of a connection has run out of credit, or has credit again. */
  crowding(connection: Connection): void {
    this.#entryOf(connection)?.look();
  }

  /**
   * Stops using a connection whose peer refuses calls because it drains, if its target is a name
   * that lists another address.
   */
  drains(connection: Connection): void {
    const entry = this.#entryOf(connection);
    if (entry?.watch?.drains(connection) === true) this.#remove(entry, connection);
  }

  #grow(entry: PoolEntry): void {
    if (entry.wantsGrowth() && entry.connections.length < this.host.config.maxPool)
      this.#dial(entry, true);
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

  #entry(target: string): PoolEntry {
    const key = this.#key(target);
    let entry = this.entries.get(key);
    if (entry === undefined) {
      entry = new PoolEntry(this, target);
      this.entries.set(key, entry);
    }
    return entry;
  }

  #dial(entry: PoolEntry, background = false): void {
    // A dial that is under way serves the holders, too.
    if (entry.held !== undefined) entry.held.due = Number.POSITIVE_INFINITY;
    if (entry.dialing) return;
    const dial = entry.startDial();
    entry.watch ??= this.#names.watch(entry.address, () => this.#listChanged(entry));
    this.#open(entry, dial.signal).then(
      (connection) => {
        entry.endDial(dial);
        const isBorrowed = entry.watch?.borrows(connection) === true;
        // The link to a node was replaced by another link while it came up; dialing again finds the
        // new link.
        if (!connection.isUp && entry.wanted && (isBorrowed || nodeOf(entry.target) !== undefined))
          return this.#dial(entry);
        const isNew = connection.isUp && !entry.connections.includes(connection);
        if (isBorrowed && isNew) {
          const others = this.#borrowed.get(connection) ?? [];
          const users = others.filter(({ connections }) => connections.includes(connection));
          this.#borrowed.set(connection, [...users, entry]);
          entry.connections.push(connection);
        } else if (isBorrowed) entry.pauseGrowth();
        this.#holdLive(entry, connection);
        this.#opened(entry, connection);
      },
      (error) => {
        if (!entry.endDial(dial)) return;
        if (background) entry.pauseGrowth();
        const { held } = entry;
        if (entry.connections.length === 0) held?.failed(error.code);
        const retryIn = held?.active === true ? held.due - this.host.ticker.now() : undefined;
        this.host.dialFailed(entry.target, error, retryIn);
        entry.fail(error);
        this.settle(entry);
      },
    );
  }

  #opened(entry: PoolEntry, connection: Connection): void {
    entry.opened(connection);
    this.settle(entry);
  }

  /** Stops using connections to addresses that are no longer listed. */
  #listChanged(entry: PoolEntry): void {
    const { watch } = entry;
    if (watch === undefined) return;
    for (const connection of entry.connections.filter((one) => !watch.lists(one))) {
      if (watch.borrows(connection)) this.#remove(entry, connection);
      else this.host.retire(connection);
    }
    if (entry.held?.active === true && entry.connections.length === 0) this.#connectHeld(entry);
  }

  /**
   * Adds a connection whose session is up, so that calls find it even before the promise of its
   * dial resolves.
   */
  add(connection: Connection): void {
    const entry = this.#entry(connection.target!);
    entry.connections.push(connection);
    entry.held?.up(connection);
    this.#opened(entry, connection);
  }

  /**
   * Aborts a dial that nobody waits for, and removes a target that has no connections, dial or
   * waiters.
   */
  settle(entry: PoolEntry): void {
    if (entry.wanted || entry.connections.length > 0) return;
    entry.abortDial(UNWANTED);
    entry.unwatch();
    this.entries.delete(this.#key(entry.target));
    this.#last = undefined;
  }
}

function leastLoaded(connections: readonly Connection[]): Connection | undefined {
  let best: Connection | undefined;
  for (const connection of connections)
    if (best === undefined || connection.parts.load < best.parts.load) best = connection;
  return best;
}

/** The number of spellings of targets that are remembered. */
const KEYS = 4_096;
const UNWANTED = new TransportError('cancelled', 'no caller waits for this connection any more');

// The targets. The pool reports events to them and decides when to dial.

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
  /** The calls that wait for a connection, in order. */
  readonly waiting = new List<OutCall>();
  readonly #pending = new Set<PendingDial>();
  #dialing: AbortController | undefined = undefined;
  /** The time since which every connection's pipe has lacked credit while long messages wait. */
  #crowdedSince = Number.POSITIVE_INFINITY;
  /** The earliest time at which the pool tries to grow again, because the last attempt failed. */
  #growAfter = 0;
  readonly #pool: Pool;

  constructor(pool: Pool, target: string) {
    const { address, nodeId } = parseTarget(target);
    this.#pool = pool;
    this.target = target;
    this.address = address;
    this.nodeId = nodeId;
  }

  // Calls and callers that wait for a connection.

  get now(): number {
    return this.#pool.host.ticker.now();
  }

  requestWritten(): void {}

  abandon(call: OutCall): void {
    this.drop(call);
    this.#pool.settle(this);
  }

  wait(call: OutCall): void {
    call.carryBy(this);
    call.keep();
    this.waiting.push(call);
    this.#pool.host.memory.hold(call.cost);
  }

  drop(call: OutCall): void {
    if (this.waiting.remove(call)) this.#pool.host.memory.hold(-call.cost);
  }

  /** Waits for a connection; the signal ends this wait only. */
  connected(target: string, signal: AbortSignal | undefined): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const settling =
        <T>(settle: (value: T) => void) =>
        (value: T) => {
          signal?.removeEventListener('abort', leave);
          settle(value);
        };
      const pending = { resolve: settling(resolve), reject: settling(reject) };
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
    const call = this.waiting.first;
    if (call !== undefined) this.drop(call);
    return call;
  }

  /** True if anything waits for a connection, or the target is held. */
  get wanted(): boolean {
    return this.waiting.length > 0 || this.#pending.size > 0 || this.held?.active === true;
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
      this.connections.length > 0 && this.connections.every(({ session }) => session.crowded);
    if (!isCrowded) this.#crowdedSince = Number.POSITIVE_INFINITY;
    else if (this.#crowdedSince === Number.POSITIVE_INFINITY) {
      const { host } = this.#pool;
      this.#crowdedSince = host.ticker.now();
      host.timer.by(this.growthDue);
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
  { sent: false },
);
