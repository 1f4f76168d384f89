// The targets of a transport. The pool finds the target of a call; each target decides which
// connection a call takes, and when it is dialed (docs/design.md, the pool). `TransportEngine` owns
// the pool, tells it which connections came up and which take no more calls, and wakes it.
// `Connection` reports that its pipe is crowded, or that its peer drains. pool.test.ts and its
// siblings (growth, held, names) test this file.

import { parseTarget } from '../address.ts';
import { type ErrorCode, TransportError, withoutStack } from '../errors.ts';
import { List } from '../list.ts';
import type { Call } from '../rpc/call.ts';
import { memoryFull } from '../session/memory.ts';
import type { CallCarrier, OutCall } from '../session/outgoing-calls.ts';
import type { Connection, ConnectionHost } from './connection.ts';
import { Dialer, type DialTarget, type NameWatch } from './dial.ts';
import { nodeOf } from './membership.ts';

/** One hold of a target. */
interface Hold {
  /** The hold ends when a dial fails with one of these codes. */
  readonly stopOn: readonly ErrorCode[];
  /** Called once, when the hold ends, but never inside `Pool.hold` nor by `Pool.close`. */
  ended?(): void;
}

/** The connections that a transport dials, by target. */
export class Pool {
  readonly host: ConnectionHost;
  readonly dialer: Dialer;
  private readonly entries = new Map<string, PoolEntry>();
  /** Maps targets as written to their canonical form, so that each spelling is parsed only once. */
  private readonly keys = new Map<string, string>();
  /**
   * The target that was looked up last, as written, and its entry: most calls go to the same target
   * as the call before. Whatever removes an entry forgets this one.
   */
  #lastTarget = '';
  #last: PoolEntry | undefined = undefined;

  constructor(host: ConnectionHost) {
    this.host = host;
    this.dialer = new Dialer(host);
  }

  /**
   * Returns the live connection of a target for short messages, or undefined if it must be dialed.
   * Throws `invalid_argument` if the target can't be parsed.
   */
  live(target: string): Connection | undefined {
    if (target !== this.#lastTarget || this.#last === undefined) {
      this.#last = this.entries.get(this.#key(target));
      this.#lastTarget = target;
    }
    return this.#last?.connections[0] ?? this.dialer.live(target);
  }

  /** Returns the connections to a target that take calls, without those that only `live` knows. */
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
      const live = isBulky ? this.dialer.live(call.target) : this.live(call.target);
      if (live !== undefined) live.caller.start(call);
      else this.restart(call, isBulky);
    } catch (error) {
      call.failed(error as TransportError);
    }
  }

  /** Starts a call, also again if its connection has left and no handler can have seen it. */
  restart(call: Call, isBulky = false): void {
    this.#entry(call.target).start(call, isBulky);
  }

  /**
   * Waits for a connection to a target that has no live one. The signal, which must not have
   * aborted yet (`ProtocolTransport` checks that), ends the wait of this caller only.
   */
  connect(target: string, signal?: AbortSignal): Promise<Connection> {
    return this.#entry(target).connect(target, signal);
  }

  /** Keeps a target connected until the returned function is called; see `Transport.hold`. */
  hold(target: string, hold: Hold): () => void {
    if (nodeOf(target) !== undefined)
      throw new TypeError(
        `hold: ${target} names no address; to stay connected to a node, add it to the peers`,
      );
    return this.#entry(target).hold(hold);
  }

  /** Adds a connection that is up: calls find it even before the promise of its dial resolves. */
  add(connection: Connection): void {
    this.#entry(connection.target!).add(connection);
  }

  /** Removes a connection that takes no new calls because it is closing or closed. */
  forget(connection: Connection): void {
    // Several names may use the connection of one node.
    for (const { target } of this.dialer.watches) target.remove(connection);
    this.#entryOf(connection)?.remove(connection);
  }

  /** Removes a target without connections, waiters or holds, unless another entry replaced it. */
  drop(entry: PoolEntry): void {
    const key = this.#key(entry.target);
    if (this.entries.get(key) !== entry) return;
    this.entries.delete(key);
    this.#last = undefined;
  }

  /** Aborts dials, fails what waits, and stops watching names. Holds end with their transports. */
  close(error: TransportError): void {
    for (const entry of this.entries.values()) entry.close(error);
    this.entries.clear();
    this.#last = undefined;
  }

  /** Fails the waiting calls of one protocol, because it closes. */
  failChannel(channel: number, error: TransportError): void {
    for (const entry of this.entries.values()) entry.failChannel(channel, error);
  }

  /** Aborts the dial of a target and fails what waits for it; a held one is dialed again later. */
  cancel(target: string, error: TransportError): void {
    this.entries.get(this.#key(target))?.cancel(error);
  }

  /** Does what is due for all targets at `now`. Returns the next due time. */
  wake(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const entry of this.entries.values()) next = Math.min(next, entry.wake(now));
    return next;
  }

  /** Reports that `Session.crowded` of a connection has changed. */
  crowding(connection: Connection): void {
    this.#entryOf(connection)?.look();
  }

  /**
   * Stops using a connection whose peer refuses calls because it drains, if its target is a name
   * that lists an address whose peer does not drain.
   */
  drains(connection: Connection): void {
    const entry = this.#entryOf(connection);
    if (entry?.watch?.drains(connection) === true) entry.remove(connection);
  }

  /** Returns the entry of the target for which a connection was dialed. */
  #entryOf({ target }: Connection): PoolEntry | undefined {
    return target === undefined ? undefined : this.entries.get(this.#key(target));
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
}

/** The number of spellings of targets that are remembered; at one more, all are forgotten. */
const KEYS = 4_096;

// The targets.

/** Tells a caller that waits without a call how the dial ended. */
type Pending = (outcome: Connection | TransportError) => void;

/**
 * One target: its connections, its dial, the calls that wait for it, and its holds. A held target
 * is dialed immediately after a connection that lasted, otherwise with a back-off.
 */
export class PoolEntry implements CallCarrier, DialTarget {
  readonly stage = 'it was waiting for a connection';
  readonly mark = 0;
  readonly target: string;
  readonly address: string;
  readonly nodeId: string | undefined;
  /** The connections that take calls, oldest first. Short messages all use the first one. */
  readonly connections: Connection[] = [];
  watch: NameWatch | undefined = undefined;
  /** The calls that wait for a connection, in order. */
  readonly #waiting = new List<OutCall>();
  readonly #pending = new Set<Pending>();
  #dialing: AbortController | undefined = undefined;
  readonly #holds = new Set<Hold>();
  /** The connection that is held, since when, and the function that releases it. */
  #held: { connection: Connection; since: number; release: () => void } | undefined = undefined;
  /** The time of the next dial of a held target; Infinity while none is due. */
  #holdDue = Number.POSITIVE_INFINITY;
  #delay = FIRST_DELAY;
  /** The time at which it grows, because all connections are crowded; Infinity if one is not. */
  #growthDue = Number.POSITIVE_INFINITY;
  /** The earliest time at which the target tries to grow again, because the last attempt failed. */
  #growAfter = 0;
  readonly #pool: Pool;

  constructor(pool: Pool, target: string) {
    const { address, nodeId } = parseTarget(target);
    this.#pool = pool;
    this.target = target;
    this.address = address;
    this.nodeId = nodeId;
  }

  get now(): number {
    return this.#pool.host.ticker.now();
  }

  // Calls and callers that wait for a connection.

  start(call: Call, isBulky: boolean): void {
    const connection = isBulky ? leastLoaded(this.connections) : this.connections[0];
    if (connection === undefined) return this.#wait(call);
    connection.caller.start(call);
    if (isBulky) this.look();
  }

  #wait(call: OutCall): void {
    const { memory, timer } = this.#pool.host;
    if (!memory.fits(call.cost)) {
      call.failed(memoryFull(memory, call.cost));
      return this.#settle();
    }
    call.carryBy(this);
    call.keep();
    this.#waiting.push(call);
    memory.hold(call.cost);
    memory.makeRoom(this.now);
    timer.by(call.due);
    this.#dial();
  }

  requestWritten(): void {}

  abandon(call: OutCall): void {
    this.#drop(call);
    this.#settle();
  }

  #drop(call: OutCall): void {
    if (this.#waiting.remove(call)) this.#pool.host.memory.hold(-call.cost);
  }

  /** @param target as the caller spells it. */
  connect(target: string, signal: AbortSignal | undefined): Promise<Connection> {
    const connected = new Promise<Connection>((resolve, reject) => {
      const pending: Pending = (outcome) => {
        signal?.removeEventListener('abort', leave);
        if (outcome instanceof TransportError) reject(outcome);
        else resolve(outcome);
      };
      const leave = () => {
        this.#pending.delete(pending);
        const details = { target, cause: signal?.reason, sent: false };
        reject(new TransportError('cancelled', `the dial of ${target} was cancelled`, details));
        this.#settle();
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#pending.add(pending);
    });
    this.#dial();
    return connected;
  }

  /** Starts the calls that waited for this connection, in order, then resolves other callers. */
  #opened(connection: Connection): void {
    for (const call of this.#takeWaiting())
      if (connection.over) call.failed(LOST);
      else if (!call.done) connection.caller.start(call);
    for (const pending of this.#pending) pending(connection);
    this.#pending.clear();
  }

  /** Fails everything that is waiting. */
  #fail(error: TransportError): void {
    for (const call of this.#takeWaiting()) call.failed(withoutStack(error, { sent: false }));
    for (const pending of this.#pending)
      pending(withoutStack(error, { sent: false, target: this.target }));
    this.#pending.clear();
  }

  failChannel(channel: number, error: TransportError): void {
    for (const call of this.#waiting) {
      if (call.method.channel !== channel) continue;
      this.#drop(call);
      call.failed(withoutStack(error, { sent: false }));
    }
    this.#settle();
  }

  cancel(error: TransportError): void {
    if (this.dialing) this.#holdFailed();
    this.#abortDial(error);
    this.#fail(error);
    this.#settle();
  }

  close(error: TransportError): void {
    this.#abortDial(error);
    this.#fail(error);
    this.watch?.close();
    this.watch = undefined;
  }

  /**
   * Removes and returns the calls that wait, in order. Those that observers make when these end are
   * not among them.
   */
  #takeWaiting(): OutCall[] {
    const taken = [...this.#waiting];
    for (const call of taken) this.#drop(call);
    return taken;
  }

  /** True if anything waits for a connection, or the target is held. */
  get #isWanted(): boolean {
    return this.#waiting.length > 0 || this.#pending.size > 0 || this.#isHeld;
  }

  /** Ends a target that has no connections, no holds, and nobody waiting for it. */
  #settle(): void {
    if (this.#isWanted || this.connections.length > 0) return;
    this.#abortDial(UNWANTED);
    this.watch?.close();
    this.watch = undefined;
    this.#pool.drop(this);
  }

  /**
   * Expires waiting calls whose time is up, and opens connections if the target is crowded or held.
   * Returns the next due time.
   */
  wake(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    for (const call of this.#waiting) {
      if (call.due <= now) call.expired(now);
      else if (call.due < next) next = call.due;
    }
    if (now >= this.#growthDue) this.#grow();
    if (now >= this.#holdDue) this.#connectHeld();
    return Math.min(next, this.#growthDue, this.#holdDue);
  }

  // The connections.

  add(connection: Connection): void {
    // Its address was removed from the list meanwhile: `#dialed` dials again for those that wait.
    if (this.watch?.lists(connection) === false) return this.#pool.host.retire(connection);
    // If it is closing already, it takes the calls that wait before its GO_AWAY, but no later ones.
    if (connection.isUp) this.connections.push(connection);
    this.#holdLive(connection);
    this.#opened(connection);
  }

  remove(connection: Connection): void {
    const at = this.connections.indexOf(connection);
    if (at < 0) return;
    this.connections.splice(at, 1);
    this.#heldLost(connection);
    this.#settle();
    if (this.watch?.lists(connection) === true) this.watch.distrust();
  }

  /** Stops using connections to addresses that are no longer listed. */
  listChanged(): void {
    const { watch } = this;
    if (watch === undefined) return;
    for (const connection of this.connections.filter((one) => !watch.lists(one))) {
      if (watch.borrows(connection)) this.remove(connection);
      else this.#pool.host.retire(connection);
    }
    if (this.#isHeld && this.connections.length === 0) this.#connectHeld();
  }

  // The dial.

  get dialing(): boolean {
    return this.#dialing !== undefined;
  }

  /** @param isBackground true if the target only grows: calls have other connections. */
  #dial(isBackground = false): void {
    // A dial that is under way serves the holders, too.
    this.#holdDue = Number.POSITIVE_INFINITY;
    if (this.dialing) return;
    const { dialer } = this.#pool;
    const dial = new AbortController();
    this.#dialing = dial;
    this.watch ??= dialer.watch(this);
    dialer.open(this, dial.signal).then(
      (connection) => {
        if (this.#dialing === dial) this.#dialing = undefined;
        this.#dialed(connection);
      },
      (error) => {
        // An aborted dial has been replaced, or is not wanted anymore.
        if (this.#dialing !== dial) return;
        this.#dialing = undefined;
        this.#dialFailed(error, isBackground);
      },
    );
  }

  #dialed(connection: Connection): void {
    if (this.watch?.lists(connection) === false)
      return this.#isWanted ? this.#dial() : this.#settle();
    const isBorrowed = this.watch?.borrows(connection) === true;
    // The link to a node was replaced by another link while it came up; dialing again finds the new
    // link.
    const isLink = isBorrowed || nodeOf(this.target) !== undefined;
    if (!connection.isUp && this.#isWanted && isLink) return this.#dial();
    // (`add` has added a connection that was dialed for this target.) If this dial has gained none,
    // the target must not grow again at once.
    if (isBorrowed && connection.isUp && !this.connections.includes(connection))
      this.connections.push(connection);
    else if (isBorrowed || !connection.isUp) this.#pauseGrowth();
    this.#holdLive(connection);
    // A connection that is closing takes no calls. Another dial to this target replaces it.
    const isClosing = !connection.isUp && !connection.over && connection.target === this.target;
    if (!isClosing) this.#opened(connection);
    else if (this.#waiting.length > 0 || this.#pending.size > 0) this.#dial();
    this.#settle();
  }

  #dialFailed(error: TransportError, isBackground: boolean): void {
    if (isBackground) this.#pauseGrowth();
    if (this.connections.length === 0) this.#holdFailed(error.code);
    const due = this.#holdDue;
    const retryIn = due === Number.POSITIVE_INFINITY ? undefined : due - this.now;
    this.#pool.host.dialFailed(this.target, error, retryIn);
    this.#fail(error);
    this.#settle();
  }

  #abortDial(reason: TransportError): void {
    const dial = this.#dialing;
    this.#dialing = undefined;
    dial?.abort(reason);
  }

  // Holds.

  get #isHeld(): boolean {
    return this.#holds.size > 0;
  }

  hold(hold: Hold): () => void {
    this.#holds.add(hold);
    if (this.#holdDue === Number.POSITIVE_INFINITY) this.#connectHeld();
    return () => {
      if (this.#endHold(hold)) this.#settle();
    };
  }

  /** Ends one hold, and what it held if it is the last one. Returns false if it ended before. */
  #endHold(hold: Hold): boolean {
    if (!this.#holds.delete(hold)) return false;
    hold.ended?.();
    if (this.#isHeld) return true;
    this.#holdDue = Number.POSITIVE_INFINITY;
    this.#held?.release();
    this.#held = undefined;
    return true;
  }

  /** Holds a live connection to a held target, or dials if there is none. */
  #connectHeld(): void {
    const live = this.connections[0] ?? this.#pool.dialer.live(this.target);
    if (live === undefined) this.#dial();
    else this.#holdLive(live);
  }

  /**
   * Holds a connection if the target is held, unless another one is held. If the connection is
   * closing, the target is dialed again after the back-off.
   */
  #holdLive(connection: Connection): void {
    if (!this.#isHeld) return;
    if (!connection.isUp) {
      if (this.#holdDue === Number.POSITIVE_INFINITY) this.#holdFailed();
      return;
    }
    this.#holdDue = Number.POSITIVE_INFINITY;
    this.#held ??= { connection, since: this.now, release: connection.session.hold() };
    // `Pool.forget` reports only the ends of those in `connections`, so of none to a node.
    if (!this.connections.includes(connection))
      void connection.whenGone().then(() => this.#heldLost(connection));
  }

  /**
   * Replaces the connection that is held, if it is this one, because it takes no new calls: by
   * another one to the target, otherwise by a dial. A connection that was held for longer than the
   * back-off is replaced immediately.
   */
  #heldLost(connection: Connection): void {
    const held = this.#held;
    if (connection !== held?.connection) return;
    this.#held = undefined;
    held.release();
    if (this.now - held.since <= this.#delay) this.#holdFailed();
    else {
      this.#delay = FIRST_DELAY;
      this.#dialAt(this.now);
    }
    const [other] = this.connections;
    if (other !== undefined) this.#holdLive(other);
  }

  /** Dials a held target again after the back-off; a code ends the holds that it stops. */
  #holdFailed(code?: ErrorCode): void {
    for (const hold of this.#holds) if (hold.stopOn.includes(code!)) this.#endHold(hold);
    if (!this.#isHeld) return;
    const { random } = this.#pool.host;
    this.#dialAt(this.now + this.#delay * (1 + JITTER * (2 * random() - 1)));
    this.#delay = Math.min(2 * this.#delay, LONGEST_DELAY);
  }

  #dialAt(time: number): void {
    this.#holdDue = time;
    this.#pool.host.timer.by(time);
  }

  // Growth.

  /** Sets the time of growth if all connections are crowded, and clears it if one is not. */
  look(): void {
    const { connections } = this;
    const isCrowded = connections.length > 0 && connections.every(({ session }) => session.crowded);
    if (!isCrowded) this.#growthDue = Number.POSITIVE_INFINITY;
    else if (this.#growthDue === Number.POSITIVE_INFINITY) {
      this.#growthDue = this.now + CROWDED;
      this.#pool.host.timer.by(this.#growthDue);
    }
  }

  /** Dials another connection if the target is still crowded and may grow now. */
  #grow(): void {
    this.#growthDue = Number.POSITIVE_INFINITY;
    this.look();
    if (this.#growthDue === Number.POSITIVE_INFINITY || this.now < this.#growAfter) return;
    if (this.connections.length < this.#pool.host.config.maxPool) this.#dial(true);
  }

  /** Delays the next growth, because the last attempt failed. */
  #pauseGrowth(): void {
    this.#growAfter = this.now + GROW_PAUSE;
  }
}

function leastLoaded(connections: readonly Connection[]): Connection | undefined {
  let best: Connection | undefined;
  for (const connection of connections)
    if (best === undefined || connection.parts.load < best.parts.load) best = connection;
  return best;
}

/** The delay before the second dial of a held target, in milliseconds; further delays double. */
const FIRST_DELAY = 100;
const LONGEST_DELAY = 30_000;
/** The fraction by which a wait varies, so that the clients of a server do not return together. */
const JITTER = 0.2;
/** Duration, in milliseconds, for which a target must be crowded before it gets a connection. */
const CROWDED = 50;
/**
 * Duration, in milliseconds, after a failure to grow for which the target does not grow, so that a
 * full peer is not dialed twenty times per second.
 */
const GROW_PAUSE = 1_000;
const UNWANTED = new TransportError('cancelled', 'no caller waits for this connection any more');
const LOST = new TransportError(
  'unavailable',
  'the connection was lost while it was being established',
  { sent: false },
);
