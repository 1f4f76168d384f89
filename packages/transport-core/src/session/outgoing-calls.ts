// Outgoing calls as the session sees them, and the channels on which calls go both ways. `Call` in
// the `rpc` directory adds what the caller sees. Below OutCall are Slots, the table of our calls by
// id, and Channels, the channels of one connection by their byte.
//
// OutCall owns the state of the call on its connection. The carrier and the parts of a session tell
// it what happened to its request and its streams; it tells its carrier when its request is written
// and when it is given up. Tested in waiting.test.ts and session.test.ts; Slots in
// id-table.test.ts.

import { TransportError, withDetails } from '../errors.ts';
import { List, type ListEntry } from '../list.ts';
import type { ProtocolMethod } from '../protocol/protocol.ts';
import type { Remote } from '../remote.ts';
import { type EncodedMetadata, HIGHEST, MOST_PRICE, SLOTS, slotOf, UNIT } from '../wire/frame.ts';
import {
  type Announcement,
  agree,
  decodeProtocols,
  encodeProtocols,
  type HelloProtocol,
  helloProtocol,
  nothingShared,
} from '../wire/hello.ts';
import type { Creditor } from './batch.ts';
import { InChannel, type Mounted } from './incoming-calls.ts';
import type { MessageOwner } from './memory.ts';
import { isLent, kept, Outgoing, type UnitSender } from './outgoing.ts';
import type { Assembly } from './packets.ts';
import type { SessionContext } from './session-context.ts';
import type { InStream, OutStream } from './streams.ts';

/** The session, or the pool, that carries a call. */
export interface CallCarrier {
  /** The number of the batch being filled; the connection was given all with a smaller number. */
  readonly mark: number;
  /**
   * The stage of a call that has not been sent, for error messages: 'it was waiting for a
   * connection'.
   */
  readonly stage: string;
  /** The peer that it carries calls to; undefined for the pool. */
  readonly remote?: Remote | undefined;
  /** Called when the request of `call`, which was queued, is completely written to the batch. */
  requestWritten(call: OutCall): void;
  /** Called when the call is given up: it is taken back or canceled. */
  abandon(call: OutCall): void;
}

/**
 * One outgoing call, from `send` until it has settled and its terminal frame was read. Without a
 * subclass, its fate is not reported to anybody.
 */
export class OutCall implements ListEntry, MessageOwner, UnitSender {
  readonly method: ProtocolMethod;
  payload: Uint8Array;
  readonly metadata: EncodedMetadata | undefined;
  /** The place of this call in the order in which this transport's calls were sent. */
  seq = 0;
  /** The time at which the call expires, on the transport's clock; Infinity if never. */
  due = Number.POSITIVE_INFINITY;
  /**
   * True once the call has settled; its id stays in use until the terminal frame. The subclass sets
   * it, and `Caller.trySend` for a one-way without a subclass.
   */
  done = false;

  // State of the session that carries the call.
  id = 0;
  carrier: CallCarrier | undefined = undefined;
  /**
   * The batch that the last packet of its request was written to; 0 if none. For a streaming call,
   * that of the first packet until the last one is written.
   */
  writtenIn = 0;

  // The following properties matter only for a call that waits, is long or streams. All others do
  // not have them, because memory is a large part of the cost of a call. Call `widen` before
  // setting any of them.
  /** Undefined if the call has none of these properties; then none of them needs a clean-up. */
  declare wide: true | undefined;
  declare list: List<ListEntry> | undefined;
  declare before: ListEntry | undefined;
  declare after: ListEntry | undefined;
  declare unit: Outgoing | undefined;
  /**
   * True if the deadline is sent to the callee. A streaming call sends it only if the call has its
   * own timeout.
   */
  declare travels: boolean;
  /** The number of times that the call moved to another connection, as the engine counts them. */
  declare moves: number;
  /** True if its payload does not change while the call waits. */
  declare isKept: boolean;
  /** The long message that is arriving: the response, or an item. */
  declare assembly: Assembly | undefined;
  declare upload: OutStream | undefined;
  declare download: InStream | undefined;

  constructor(method: ProtocolMethod, payload: Uint8Array, metadata: EncodedMetadata | undefined) {
    this.method = method;
    this.payload = payload;
    this.metadata = metadata;
  }

  /**
   * Initializes the optional properties all at once, so that calls have few shapes: V8 is slow with
   * many. `Call` adds properties of its own right after it, if it streams.
   */
  widen(): void {
    if (this.wide) return;
    this.wide = true;
    this.list = this.before = this.after = undefined;
    this.unit = this.assembly = this.upload = this.download = undefined;
    this.travels = true;
    this.moves = 0;
    this.isKept = false;
  }

  // Changes of that state, by the session or the pool that carries the call.

  /** Sets its id on the wire, when it enters the table of open calls. */
  assignId(id: number): void {
    this.id = id;
  }

  /** Sets its carrier; undefined if none carries it for now. */
  carryBy(carrier: CallCarrier | undefined): void {
    this.carrier = carrier;
  }

  /** Records that its request was written to the batch with this number. */
  writeIn(batch: number): void {
    this.writtenIn = batch;
  }

  /** Called before it waits: copies a payload below LENT, whose memory its caller may reuse. */
  keep(): void {
    this.widen();
    if (this.isKept) return;
    this.isKept = true;
    this.payload = kept(this.payload, this.method.request);
  }

  /** True if the caller must leave its payload alone until that has left. */
  get isLent(): boolean {
    return isLent(this.payload, this.method.request);
  }

  /**
   * Returns the unit that its request waits as; `kind` is REQUEST or ONEWAY. Call it after
   * `carryBy` and, if the call gets an id, `assignId`.
   * @param pays true if the inbox account pays for it.
   */
  queue(kind: number, pays: boolean): Outgoing {
    this.keep();
    const unit = new Outgoing(kind, this.id, this.payload, this);
    unit.setRequest(this.method, this.metadata, pays);
    this.unit = unit;
    return unit;
  }

  /**
   * Returns the unit of its request unless that has left, and clears the reference to it. The
   * outbox drops a unit whose deadline has passed, so it may not wait anymore.
   */
  takeUnit(): Outgoing | undefined {
    const { unit } = this;
    if (unit !== undefined) this.unit = undefined;
    return unit;
  }

  openStreams(upload: OutStream | undefined, download: InStream | undefined): void {
    this.widen();
    this.upload = upload;
    this.download = download;
  }

  /** Begins to receive a long response or item. */
  assemble(assembly: Assembly): void {
    this.widen();
    this.assembly = assembly;
  }

  /** Returns a long message that is complete; undefined if its packets were only counted. */
  takeAssembly(): Uint8Array | undefined {
    const { assembly } = this;
    this.assembly = undefined;
    return assembly?.take();
  }

  /** Fails because `limits.memory` has no room for a long message, and sends a CANCEL. */
  crowdOut(): void {
    const { assembly } = this;
    if (assembly === undefined) return;
    assembly.drop();
    const message = `${this.method.full}: limits.memory is reached, ${this.arriving} was dropped after ${assembly.got} of ${assembly.size} bytes; raise the limit, or request less at a time`;
    this.failed(new TransportError('resource_exhausted', message, { sent: true }));
    this.carrier?.abandon(this);
  }

  /** Fails because a long message stopped arriving; a callee that still streams gets a CANCEL. */
  stopped(): void {
    const { assembly } = this;
    assembly?.drop();
    if (assembly === undefined || this.done) return;
    const message = `${this.arriving} stopped after ${assembly.got} of ${assembly.size} bytes`;
    this.failed(new TransportError('aborted', message, { sent: true }));
    if (this.download !== undefined) this.carrier?.abandon(this);
  }

  private get arriving(): string {
    return this.download === undefined ? 'the response' : 'an item';
  }

  /** Resets it to a call that was never sent. Its unit must have been taken (`takeUnit`). */
  unsend(): void {
    this.widen();
    this.id = 0;
    this.writtenIn = 0;
    this.carrier = undefined;
    this.upload = this.download = this.assembly = undefined;
  }

  /** The cost in the queues, in bytes. */
  get cost(): number {
    return this.payload.length + (this.metadata === undefined ? 0 : this.metadata.size) + UNIT;
  }

  /** True if a handler may have seen the call. */
  get sent(): boolean {
    return this.writtenIn !== 0 && this.carrier !== undefined && this.writtenIn < this.carrier.mark;
  }

  /**
   * The time since which nobody has begun to read its items, although a reader could; Infinity if
   * none could yet. Undefined if somebody has, if the call has none, or while it uploads.
   */
  get unreadSince(): number | undefined {
    const { upload, download } = this;
    return upload === undefined || upload.ended ? download?.unreadSince : undefined;
  }

  // Events, for the subclass.

  /** Called with the response of a unary or uploading call. */
  answered(_payload: Uint8Array): void {}
  /** Called when the callee's stream is complete. */
  ended(): void {}
  /** Called when the call fails, for any reason. Must do nothing if it is `done` already. */
  failed(_error: TransportError): void {}
  /** Called when the deadline has passed. Must settle the call and make its carrier abandon it. */
  expired(_now: number): void {}
  /**
   * Called when the place of a one-way in the send order is certain and its caller may use the
   * memory of the payload again, or when the request of a streaming call is completely written to a
   * batch, so its streams can be used. Must do nothing for a one-way that is `done` already.
   */
  accepted(): void {}
  /**
   * Called when a streaming call makes progress: a packet of its upload was written, or an item or
   * the first packet of one was received. `Call` also calls it when its reader has taken an item.
   */
  progressed(): void {}
  /** Called when the callee has taken items of the upload. */
  taken(): void {}

  timeLeft(now: number): number {
    if (!this.travels || this.due === Number.POSITIVE_INFINITY) return 0;
    const left = this.due - now;
    if (left <= 0) return -1;
    // Rounds up; `Math.ceil` and the conversion back to an integer would take three times as long.
    return left < 0x4000_0000
      ? (left + NEARLY_ONE) | 0 || 1
      : Math.min(Math.ceil(left), 0xffff_ffff);
  }

  paid(): void {
    if (this.method.kind === 'oneway' && !this.isLent) this.accepted();
  }

  written(unit: Outgoing, last: boolean): void {
    // A streaming call is sent once its first packet is, another call once its last one is. `Call`
    // reports that in `writeIn`, once, so a later packet only sets the number.
    if (this.method.flags === 0 ? last : this.writtenIn === 0) this.writeIn(this.carrier!.mark);
    else if (last) this.writtenIn = this.carrier!.mark;
    if (!last) return;
    if (this.unit === unit) this.unit = undefined;
    this.carrier!.requestWritten(this);
  }
}

/** Slightly less than 1; the difference is far below the resolution of the clock. */
const NEARLY_ONE = 1 - 2 ** -30;

/** Defaults of the optional properties that are not undefined. */
Object.assign(OutCall.prototype, { travels: true, moves: 0, isKept: false });

// The ids of our own calls on the wire: dense slots with a generation. Owns the assignment of ids.
// The caller enters and removes its calls; the table calls nothing but `assignId`.

/**
 * Our own calls: an array with a free list that is last in, first out, so that ids stay dense (5 ns
 * for a lookup; a Map takes 42 ns).
 */
export class Slots<T extends { readonly id: number; assignId(id: number): void }> {
  readonly #entries: (T | undefined)[] = [];
  readonly #ids: number[] = [];
  readonly #free: number[] = [];
  readonly #parity: number;
  size = 0;

  /** @param parity 1 for a dialer's ids, 0 for an acceptor's. */
  constructor(parity: 0 | 1) {
    this.#parity = parity;
  }

  get full(): boolean {
    return this.size >= SLOTS;
  }

  /** Assigns the entry an id that no live entry has. Call it only if the table is not `full`. */
  add(entry: T): void {
    let slot = this.#free.pop();
    if (slot === undefined) {
      slot = this.#entries.length;
      this.#ids.push(slot === 0 && this.#parity === 0 ? SLOTS * 2 : slot * 2 + this.#parity);
    }
    this.#entries[slot] = entry;
    this.size++;
    entry.assignId(this.#ids[slot]!);
  }

  get(id: number): T | undefined {
    const entry = this.#entries[slotOf(id)];
    return entry !== undefined && entry.id === id ? entry : undefined;
  }

  /**
   * Removes an entry; its slot may then be used again under an id of the next generation. Returns
   * false if the entry was not in the table.
   */
  delete(entry: T): boolean {
    const slot = slotOf(entry.id);
    if (this.#entries[slot] !== entry) return false;
    this.#entries[slot] = undefined;
    // The next generation, modulo 2^31. A plain sum could exceed V8's small integers, and a single
    // such value would make V8 store every id as a number on the heap.
    this.#ids[slot] = (entry.id - (HIGHEST + 1 - SLOTS * 2)) & HIGHEST || SLOTS * 2;
    this.#free.push(slot);
    this.size--;
    return true;
  }

  values(): T[] {
    return this.#entries.filter((entry) => entry !== undefined);
  }
}

// The channels of one connection, and the agreement of both ends on the protocol of each
// (docs/wire-protocol.md §3). Channels owns them (see `Channel`) and the peer's list of protocols.
// The session reports changes of the protocols.

/**
 * One channel on one connection: its lanes, its account, and the calls in both directions. It
 * continues to exist when its protocol is unmounted.
 */
export class Channel extends InChannel {
  /**
   * The name of the first protocol mounted here; a channel byte keeps its name as long as the
   * connection exists.
   */
  name: string | undefined = undefined;
  /** The reason why the ends can't speak the protocol; undefined if they can or none is mounted. */
  disagreement: TransportError | undefined = undefined;

  /** The number of our calls in the table of open calls, except one-ways. */
  open = 0;
  /** Our calls that wait for room, in order, except streaming ones; see `queueFor`. */
  readonly waiting = new List<OutCall>();
  readonly waitingLong = new List<OutCall>();
  /** The check that the next caller of `writable()` waits for; undefined for room for a packet. */
  #refused: (() => boolean) | undefined = undefined;

  /**
   * Called with 1 when one of our calls, except one-ways, enters the table of open calls, and with
   * -1 when it leaves it: with its terminal frame, unsent, or with the connection.
   */
  countCall(change: 1 | -1): void {
    this.open += change;
  }

  /**
   * Returns the queue in which our calls with a payload of this length wait. Long messages that are
   * not ordered with short ones have a queue of their own.
   */
  queueFor(length: number): List<OutCall> {
    return length > this.context.terms.packet && this.mounted?.protocol.ordered !== true
      ? this.waitingLong
      : this.waiting;
  }

  /** Returns true if a one-way of this length has credit, and no call waits before it. */
  canPay(length: number): boolean {
    return this.queueFor(length).length === 0 && this.lanes.hasCredit;
  }

  /** Returns true if a one-way of this length has credit, and room in its queue. */
  hasRoom(length: number): boolean {
    const { limits, terms } = this.context;
    const tally = length > terms.packet ? this.lanes.longs : this.lanes.shorts;
    return this.canPay(length) && tally.fits(Math.min(length + UNIT, MOST_PRICE), limits.outbound);
  }

  /** Sets the check for the next caller of `writable()`, because `trySend` refused a message. */
  refuse(isReady: (() => boolean) | undefined): void {
    this.#refused = isReady;
  }

  /**
   * Resolves when there is room for the long message that `trySend` refused last, unless an earlier
   * caller waits for that; otherwise when there is room for a packet. Rejects if there never will
   * be, or if too many callers already wait.
   * @param endpoint of the peer, for errors.
   */
  whenWritable(endpoint: string): Promise<void> {
    const { disagreement } = this;
    if (disagreement !== undefined)
      return Promise.reject(withDetails(disagreement, { sent: false }));
    const isReady = this.#refused ?? (() => this.hasRoom(this.context.terms.packet));
    this.#refused = undefined;
    if (isReady()) return Promise.resolve();
    const { writers } = this.lanes;
    if (writers.length >= this.context.limits.outbound.messages) {
      const message = `${writers.length} calls already wait until ${endpoint} is writable (limits.outbound)`;
      const error = new TransportError('resource_exhausted', message, { target: endpoint });
      return Promise.reject(error);
    }
    this.context.port.dirty();
    return new Promise((resolve, reject) => writers.push({ isReady, resolve, reject }));
  }

  /**
   * Settles the callers of `writable()` that no longer have to wait, and dispatches calls again if
   * there is room for their replies.
   */
  settleIfRoom(): void {
    if (this.lanes.writers.length > 0) this.lanes.settleWriters(this.disagreement);
    if (!this.stalled || this.lanes.congested(this.context.limits.outbound)) return;
    this.stalled = false;
    this.mounted?.feedAll();
  }

  // The protocol.

  /**
   * Mounts a protocol; undefined unmounts it.
   * @param theirs the protocols of the peer.
   */
  mount(mounted: Mounted | undefined, theirs: readonly HelloProtocol[]): void {
    if (this.mounted === mounted) return;
    this.mounted = mounted;
    this.disagreement = undefined;
    if (mounted === undefined) return;
    this.lanes.prioritize(mounted.protocol.priority);
    this.name ??= mounted.protocol.name;
    this.agree(theirs);
  }

  /** Determines the version of the mounted protocol, or the reason why the ends can't speak it. */
  agree(theirs: readonly HelloProtocol[]): void {
    if (this.mounted === undefined) return;
    const { protocol } = this.mounted;
    const text = `channel ${this.byte} was '${this.name}' on this connection before it was '${protocol.name}'; a channel keeps its protocol while the connection is open`;
    const agreed =
      this.name === protocol.name
        ? agree(protocol, theirs)
        : new TransportError('failed_precondition', text);
    this.disagreement = typeof agreed === 'number' ? undefined : agreed;
    if (typeof agreed === 'number') this.version = agreed;
  }
}

/** All channels of one connection. */
export class Channels {
  /** The peer's protocols as it last announced them. */
  theirs: readonly HelloProtocol[] = [];
  /**
   * Our protocols whose disagreement was reported; there are at most as many as were ever mounted.
   */
  #told: readonly string[] = NONE;
  /** All channels that were used, by this end or, if a protocol is mounted there, by the peer. */
  all: readonly Channel[] = [];
  /**
   * The channel that was requested last. Most frames look up their channel, many more than once.
   */
  #last: Channel | undefined = undefined;
  readonly #context: SessionContext;
  readonly #creditor: Creditor;
  readonly #mounts: ReadonlyMap<number, Mounted>;

  constructor(context: SessionContext, creditor: Creditor, mounts: ReadonlyMap<number, Mounted>) {
    this.#context = context;
    this.#creditor = creditor;
    this.#mounts = mounts;
  }

  /**
   * Returns the channel for a channel byte. It is created on first use, which must come after the
   * peer's HELLO has settled its credit, and exists as long as the connection.
   */
  get(byte: number): Channel {
    const last = this.#last;
    return last !== undefined && last.byte === byte ? last : this.#find(byte);
  }

  /**
   * Returns the channel that a peer names if a protocol is or was mounted on it. `number` is as the
   * peer wrote it, so it may be above 255. Numbers that the peer makes up cost no memory.
   */
  known(number: number): Channel | undefined {
    const last = this.#last;
    if (last !== undefined && last.byte === number) return last;
    return this.#mounts.has(number) ? this.#find(number) : this.used(number);
  }

  #find(byte: number): Channel {
    let channel = this.used(byte);
    if (channel === undefined) {
      channel = new Channel(this.#context, this.#creditor, byte);
      // Most connections have one or two channels, so the array is copied to exactly the size it
      // needs.
      this.all = [...this.all, channel];
      channel.mount(this.#mounts.get(byte), this.theirs);
    }
    this.#last = channel;
    return channel;
  }

  /** Returns the channel of a byte if it was used. */
  used(byte: number): Channel | undefined {
    for (const channel of this.all) if (channel.byte === byte) return channel;
    return undefined;
  }

  /** Stores the protocols of the peer's HELLO. No channel exists yet. */
  met(theirs: readonly HelloProtocol[]): void {
    this.theirs = theirs;
  }

  /** Applies a change to our own protocols. */
  remount(): void {
    for (const channel of this.all) channel.mount(this.#mounts.get(channel.byte), this.theirs);
  }

  /**
   * Applies a change to the peer's protocols; returns a description of the mistake if the list is
   * malformed.
   */
  learn(list: Uint8Array): Announcement | string {
    const announcement = decodeProtocols(list);
    if (typeof announcement === 'string') return announcement;
    this.theirs = announcement.protocols;
    for (const channel of this.all) channel.agree(this.theirs);
    return announcement;
  }

  // The protocols of both ends.

  /** Encodes our list and our address, to be sent to the peer. */
  announcement(addr: string): Uint8Array {
    const protocols = Array.from(this.#mounts.values(), ({ protocol }) => helloProtocol(protocol));
    return encodeProtocols({ protocols, addr });
  }

  /**
   * Returns the protocols that both ends have mounted but in incompatible ways. Each one is
   * returned only once.
   */
  disagreements(): { readonly protocol: string; readonly error: TransportError }[] {
    const found: { protocol: string; error: TransportError }[] = [];
    for (const { protocol } of this.#mounts.values()) {
      const agreed = agree(protocol, this.theirs);
      if (!(agreed instanceof TransportError) || this.#told.includes(protocol.name)) continue;
      this.#told = [...this.#told, protocol.name];
      found.push({ protocol: protocol.name, error: agreed });
    }
    return found;
  }

  /** Returns an error if no protocol is shared with the peer; see `nothingShared`. */
  nothingShared(): TransportError | undefined {
    const own = Array.from(this.#mounts.values(), ({ protocol }) => protocol);
    return nothingShared(own, this.theirs);
  }
}

/** Shared, because most connections have nothing to report. */
const NONE: readonly string[] = [];
