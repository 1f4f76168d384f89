// The memory that a transport holds for all its connections, and the part of it that each of them
// holds. When `limits.memory` is exceeded, incomplete messages are refused, beginning with the
// connection that holds the most bytes of them.
//
// `Memory` owns the sums of a transport, and `MemoryUsage` the figures of one connection. The parts
// of a session tell it what they hold and what they free; the pool counts calls that wait for a
// connection in `Memory` alone. It may refuse incomplete messages, and end a connection that sends
// them too slowly. Tested in memory.test.ts; rpc/calls-pair.limits.test.ts tests the shares of
// `limits.total`.

import { TransportError } from '../errors.ts';
import { List, type ListEntry } from '../list.ts';
import { EMPTY, UNIT } from '../wire/frame.ts';

/** The memory of a transport; its limit is `limits.memory`. */
export class Memory {
  /**
   * The number of bytes held in messages that are incomplete, unread, being handled or unsent, on
   * all connections and in calls that wait for one.
   */
  used = 0;
  /**
   * The number of bytes by which the windows of streams have grown (`GrowingAccount`): peers may
   * send that much beyond the initial windows.
   */
  lent = 0;
  readonly limit: number;
  /** The number of bytes above which the connection that holds the most ends; `Inbox` checks it. */
  readonly most: number;
  /** The number of open connections, including those whose handshake is not finished. */
  connections = 0;
  /**
   * The number of incoming requests that wait or are being handled, plus that of one-ways that are
   * being handled.
   */
  calls = 0;
  /**
   * Bytes of all incoming short messages that wait or are being handled, and a fixed cost for each
   * message, also for long ones.
   */
  bytes = 0;
  /** The part of `used` that incomplete messages hold. */
  unfinished = 0;
  /** Bytes that were allocated for incomplete messages and have not arrived yet. */
  ahead = 0;
  /** Pieces of messages that were dropped, or joined when complete, by length; and their bytes. */
  readonly #spare = new Map<number, Uint8Array[]>();
  #spareBytes = 0;
  /** The scratch buffer of all connections. */
  #scratch: Uint8Array = EMPTY;
  readonly #senders = new Set<MemoryUsage>();

  constructor(limit: number) {
    this.limit = limit;
    this.most = limit * 1.25;
  }

  /** Called with 1 when a connection is made, and with -1 when it has ended. */
  countConnection(change: 1 | -1): void {
    this.connections += change;
  }

  /** Counts `bytes` that are held; a negative number means that they are free again. */
  hold(bytes: number): void {
    this.used += bytes;
  }

  /** Counts a window that grew by `bytes`, or shrank if the number is negative. */
  lend(bytes: number): void {
    this.lent += bytes;
  }

  /** Adds to the calls and bytes that `limits.total` bounds; negative amounts are subtracted. */
  count(calls: number, bytes: number): void {
    this.calls += calls;
    this.bytes += bytes;
  }

  /** Counts bytes that were allocated ahead of their arrival; a negative amount was released. */
  reserve(bytes: number): void {
    this.ahead += bytes;
  }

  /**
   * Counts bytes of incomplete messages that arrived; negative ones were handed over or dropped.
   */
  arrive(bytes: number): void {
    this.used += bytes;
    this.unfinished += bytes;
  }

  /**
   * Returns true if `bytes` may be allocated before they arrive. Only a part of the limit may be:
   * the mere announcement of a message must not cost memory for its whole size.
   */
  mayReserve(bytes: number): boolean {
    return this.ahead + this.#spareBytes + bytes <= this.limit / AHEAD;
  }

  /** Adds a connection that has incomplete messages. */
  begins(sender: MemoryUsage): void {
    this.#senders.add(sender);
  }

  /**
   * Removes a connection that has no more incomplete messages, or that has ended. When the last one
   * is removed, the spare pieces of memory are freed.
   */
  ends(sender: MemoryUsage, free: (piece: Uint8Array) => void): void {
    this.#senders.delete(sender);
    if (this.#senders.size > 0) return;
    for (const pieces of this.#spare.values()) for (const piece of pieces) free(piece);
    this.#spare.clear();
    this.#spareBytes = 0;
  }

  /**
   * Keeps a piece that its message no longer needs for incomplete ones, as long as there are any
   * and the bound of `ahead` is kept. Returns false if the caller has to free the piece. Without
   * spare pieces, peers whose messages are refused again and again would make this end free and
   * allocate memory at the rate of their messages, and V8 would mark its heap after every 64 MiB.
   */
  spares(piece: Uint8Array): boolean {
    if (this.#senders.size === 0 || !this.mayReserve(piece.length)) return false;
    const pieces = this.#spare.get(piece.length) ?? [];
    pieces.push(piece);
    this.#spare.set(piece.length, pieces);
    this.#spareBytes += piece.length;
    return true;
  }

  /** Returns a spare piece of this length, with arbitrary content; undefined if there is none. */
  takeSpare(length: number): Uint8Array | undefined {
    const piece = this.#spare.get(length)?.pop();
    if (piece !== undefined) this.#spareBytes -= length;
    return piece;
  }

  /**
   * Returns memory for a packet of a dropped message, whose bytes nobody reads. All connections
   * share it; it is as long as the longest such packet.
   */
  discardRoom(length: number, allocate: (size: number) => Uint8Array): Uint8Array {
    if (this.#scratch.length < length) this.#scratch = allocate(length);
    return this.#scratch.subarray(0, length);
  }

  /**
   * Returns true if there is room for `bytes` more, counting the room of incomplete messages, which
   * can be refused. A caller that then holds the bytes calls `makeRoom`.
   */
  fits(bytes: number): boolean {
    return this.used - this.unfinished + bytes <= this.limit;
  }

  /** Returns the error text for a message that does not fit; `what` begins with an article. */
  noRoom(what: string, bytes: number): string {
    return `limits.memory is reached: ${what} of ${bytes} bytes has no room beside the ${this.used - this.unfinished} of ${this.limit} bytes held`;
  }

  /**
   * Refuses incomplete messages until the limit is met or none is left. The next one to be refused
   * is always the largest message of the connection whose incomplete messages hold the most bytes.
   * One message is spared as long as there are others, so that it can finish: the largest message
   * of the connection that sends fastest.
   */
  makeRoom(now: number): void {
    while (this.used > this.limit && this.#senders.size > 0) {
      const senders = [...this.#senders];
      const fastest = senders.reduce((a, b) => (b.rate(now) > a.rate(now) ? b : a));
      let most = fastest;
      let share = fastest.unfinished - fastest.largest;
      for (const sender of senders) {
        if (sender === fastest || sender.unfinished <= share) continue;
        most = sender;
        share = sender.unfinished;
      }
      most.refuse(now, most === fastest && share > 0);
    }
  }
}

/** The call that a long message belongs to; it is notified when the message is abandoned. */
export interface MessageOwner {
  /**
   * Called when there is no room for the rest. Must drop the message before it returns, because
   * `makeRoom` loops until memory is free.
   */
  crowdOut(): void;
  /**
   * Called when neither a packet of a long message nor an item has arrived on the connection for
   * STALLED milliseconds (packets.ts).
   */
  stopped(): void;
}

/** An incomplete long message, of which `got` bytes have arrived. */
export class UnfinishedMessage implements ListEntry {
  // Links in the connection's list of incomplete messages.
  list: List<ListEntry> | undefined = undefined;
  before: ListEntry | undefined = undefined;
  after: ListEntry | undefined = undefined;
  readonly owner: MessageOwner;
  got: number;

  constructor(owner: MessageOwner, got: number) {
    this.owner = owner;
    this.got = got;
  }
}

/**
 * The connection as its memory figures see it. It is an interface because `SessionContext`, which
 * implements it, contains these figures.
 */
export interface MemoryOwner {
  readonly now: number;
  readonly terms: { readonly packet: number };
  readonly limits: { readonly total: { readonly calls: number; readonly bytes: number } };
  /** Frees memory that is no longer used. */
  readonly freeMemory: (memory: Uint8Array) => void;
  /**
   * Ends the connection, and frees its memory, before it returns. The GO_AWAY carries the error.
   */
  breakOff(error: TransportError): void;
}

/** The memory that one connection holds. */
export class MemoryUsage {
  /** Bytes held for this connection; its part of {@link Memory.used}. */
  held = 0;
  /**
   * The part of `held` that belongs to running calls (`InCall.run`): requests and one-ways whose
   * handler or asynchronous rule is running, and requests that a reader was given and has not
   * answered.
   */
  working = 0;
  /** The shares of `working`, `calls` and `bytes` that a reader's requests have; see `end`. */
  #reading = 0;
  #readCalls = 0;
  #readWeight = 0;
  /** This connection's share of the figures that `limits.total` bounds. */
  calls = 0;
  bytes = 0;
  /** True once the connection has ended. */
  #over = false;
  /** The number of bytes of incomplete messages that have arrived. */
  unfinished = 0;
  /** The incomplete messages of this connection, except those whose packets are only counted. */
  readonly assemblies = new List<UnfinishedMessage>();
  /** Bytes of long messages that arrived since `#since`. */
  #came = 0;
  #since = 0;
  /**
   * The number of bytes that arrived from `#from` to `#since`, and whether they arrived too slowly.
   */
  #before = 0;
  #from = 0;
  #wasSlow = false;
  readonly #memory: Memory;
  readonly #owner: MemoryOwner;

  constructor(memory: Memory, owner: MemoryOwner) {
    this.#memory = memory;
    this.#owner = owner;
    memory.countConnection(1);
  }

  hold(bytes: number): void {
    this.held += bytes;
    this.#memory.hold(bytes);
  }

  free(bytes: number): void {
    this.held -= bytes;
    this.#memory.hold(-bytes);
  }

  /**
   * Called with 1 when an incoming message begins to wait or to be handled, and with -1 when that
   * ends: it counts against `limits.memory` and `limits.total`. A waiting one-way does not count as
   * a call yet. Pass the same `cost` and `isCall` both times.
   */
  waits(change: 1 | -1, cost: number, isCall: boolean): void {
    this.hold(change * cost);
    this.#count(isCall ? change : 0, change * this.#weight(cost));
  }

  /**
   * Called when a handler, an asynchronous rule or a reader (`isRead`) starts on an incoming
   * message, and when it has ended. After `end`, readers are ignored.
   */
  works(change: 1 | -1, cost: number, isRead: boolean): void {
    if (isRead && this.#over) return;
    this.waits(change, cost, true);
    this.working += change * cost;
    if (!isRead) return;
    this.#reading += change * cost;
    this.#readCalls += change;
    this.#readWeight += change * this.#weight(cost);
  }

  /**
   * Returns the number of bytes that a message counts against `limits.total.bytes`. A long message
   * counts only as a call, because `limits.memory` bounds its bytes.
   */
  #weight(cost: number): number {
    return cost > this.#owner.terms.packet + UNIT ? CALL : cost + CALL;
  }

  #count(calls: number, bytes: number): void {
    this.calls += calls;
    this.bytes += bytes;
    this.#memory.count(calls, bytes);
  }

  /**
   * True if this connection has used up its share of `limits.total`: it must not open any more
   * calls.
   */
  get hasTooMany(): boolean {
    const { calls } = this.#owner.limits.total;
    return this.hasTooMuch || this.#isBeyond(this.calls, this.#memory.calls, calls);
  }

  /** The same check for bytes only. */
  get hasTooMuch(): boolean {
    return this.#isBeyond(this.bytes, this.#memory.bytes, this.#owner.limits.total.bytes);
  }

  /**
   * Returns true if this connection must not take more of what `limits.total` bounds. Of three
   * quarters of the limit, a connection may hold as much as is still free. So a connection that
   * holds much is refused before one that holds little (dynamic thresholds, Choudhury and Hahne
   * 1998). But many connections that each take half of the rest would leave nothing. Therefore the
   * last quarter is shared more cautiously: each connection may hold at most as much of it as
   * remains for each other connection.
   */
  #isBeyond(own: number, used: number, limit: number): boolean {
    const reserve = limit * RESERVE;
    return (
      own + used >= limit - reserve &&
      own * this.#memory.connections >= Math.min(limit - used, reserve)
    );
  }

  /**
   * Called when the connection has ended, before its calls end. Running handlers continue to count
   * until they end; the calls held by readers no longer count, since they need no answer. The
   * incomplete messages are dropped soon, so `makeRoom`, which an observer may cause, skips them.
   */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#memory.countConnection(-1);
    this.#memory.ends(this, this.#owner.freeMemory);
    this.free(this.#reading);
    this.working -= this.#reading;
    this.#count(-this.#readCalls, -this.#readWeight);
  }

  // Incoming long messages.

  /**
   * Registers a long message. `bytes` of it have arrived, and `ahead` more bytes were allocated for
   * it.
   */
  begins(assembly: UnfinishedMessage, bytes: number, ahead: number): void {
    if (this.assemblies.length === 0) {
      this.#memory.begins(this);
      this.#from = this.#since = this.#owner.now;
      this.#came = this.#before = 0;
    }
    this.assemblies.push(assembly);
    this.#memory.reserve(ahead + bytes);
    this.comes(bytes);
  }

  /**
   * Counts further bytes of a long message, which arrive in memory that was allocated for them and
   * counted with `Memory.reserve`.
   */
  comes(bytes: number): void {
    const { now } = this.#owner;
    this.held += bytes;
    this.unfinished += bytes;
    this.#memory.arrive(bytes);
    this.#memory.reserve(-bytes);
    if (now >= this.#since + SLOW_TIME) {
      this.#wasSlow = this.#came < ((now - this.#since) / 1_000) * SLOW_RATE;
      this.#from = this.#since;
      this.#before = this.#came;
      this.#since = now;
      this.#came = 0;
    }
    this.#came += bytes;
  }

  /** Removes a long message that is complete or was dropped. */
  ends(assembly: UnfinishedMessage, bytes: number, ahead: number): void {
    this.held -= bytes;
    this.unfinished -= bytes;
    this.#memory.arrive(-bytes);
    this.#memory.reserve(-ahead);
    this.assemblies.remove(assembly);
    if (this.assemblies.length > 0) return;
    this.#wasSlow = false;
    this.#memory.ends(this, this.#owner.freeMemory);
  }

  /** Refuses incomplete messages, of any connection, while `limits.memory` is exceeded. */
  makeRoom(): void {
    if (this.#memory.used > this.#memory.limit) this.#memory.makeRoom(this.#owner.now);
  }

  /** Returns the recent rate of incoming long messages in bytes per second. */
  rate(now: number): number {
    return (this.#before + this.#came) / Math.max((now - this.#from) / 1_000, 1);
  }

  /** The part of `unfinished` that belongs to the largest message. */
  get largest(): number {
    return this.#largest(undefined)?.got ?? 0;
  }

  /**
   * Refuses the largest incomplete message or, with `spares`, the second largest. The message then
   * holds no memory. Ends the connection instead if it has sent too slowly.
   */
  refuse(now: number, spares: boolean): void {
    const time = now - this.#since;
    const isSlow = time < SLOW_TIME ? this.#wasSlow : this.#came < (time / 1_000) * SLOW_RATE;
    if (isSlow) {
      const { used, limit } = this.#memory;
      const message = `limits.memory is reached (${used} of ${limit} bytes are held), and this connection sent less than ${SLOW_RATE} bytes of long messages a second for ${SLOW_TIME / 1_000} s`;
      return this.#owner.breakOff(new TransportError('resource_exhausted', message));
    }
    const largest = this.#largest(undefined);
    (spares ? this.#largest(largest) : largest)!.owner.crowdOut();
  }

  #largest(but: UnfinishedMessage | undefined): UnfinishedMessage | undefined {
    let largest: UnfinishedMessage | undefined;
    for (const each of this.assemblies)
      if (each !== but && (largest === undefined || each.got > largest.got)) largest = each;
    return largest;
  }

  /**
   * Leaves `lateness` milliseconds out of the measured rate: the sender is not to blame for them;
   * see `Session.excuse`.
   */
  excuse(lateness: number): void {
    this.#since += lateness;
    this.#from += lateness;
  }
}

/** Returns the error for a call of `cost` bytes that would have to wait without room in memory. */
export function memoryFull(memory: Memory, cost: number): TransportError {
  return new TransportError('resource_exhausted', memory.noRoom('a call', cost), { sent: false });
}

/**
 * The divisor of `limits.memory` that gives the maximum memory allocated for bytes that have not
 * arrived yet, together with the spare pieces.
 */
const AHEAD = 8;
/**
 * The minimum rate of a sender of long messages, in bytes per second. A sender below it for
 * `SLOW_TIME` milliseconds is disconnected when memory is scarce.
 */
const SLOW_RATE = 16 * 1024;
const SLOW_TIME = 10_000;
/**
 * Bytes that a call is assumed to cost besides its payload: our objects and those of its handler.
 */
const CALL = 512;
/** The part of `limits.total` that all connections share equally. */
const RESERVE = 1 / 4;
