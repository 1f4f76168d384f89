// Outgoing messages, and the three lanes of a channel in which they wait (docs/wire-protocol.md
// §7).
//
// `Lanes` owns the waiting messages of one channel, their order, and our credit on its accounts.
// The outbox tells it which messages to send, which credit arrived and what was written.

import { List, type ListEntry } from '../list.ts';
import type { Codec } from '../protocol/codec.ts';
import type { ProtocolMethod } from '../protocol/protocol.ts';
import {
  ACCOUNT_MAX,
  Account,
  EMPTY,
  type EncodedMetadata,
  Kind,
  LENT,
  MOST_PRICE,
  UNIT,
  type WireError,
} from '../wire/frame.ts';

/** The call or stream behind a unit; it is notified of the unit's progress. */
export interface UnitSender {
  /**
   * Returns the number of milliseconds left for a REQUEST: 0 if it has no deadline, and a negative
   * number if the deadline has passed, so that it is dropped.
   */
  timeLeft(now: number): number;
  /** Called when the account of the unit has paid for it. */
  paid(unit: Outgoing): void;
  /** Called when a packet of the unit was written to the batch. */
  written(unit: Outgoing, last: boolean): void;
  /** Called when the unit was dropped because its deadline had passed. */
  dropped(unit: Outgoing): void;
}

/** A unit of the outbox: one frame, or one message of many packets. */
export class Outgoing implements ListEntry {
  // Links of the list that holds the unit.
  list: List<ListEntry> | undefined = undefined;
  before: ListEntry | undefined = undefined;
  after: ListEntry | undefined = undefined;
  readonly kind: number;
  readonly id: number;
  readonly payload: Uint8Array;
  readonly sender: UnitSender | undefined;
  method = 0;
  flags = 0;
  metadata: EncodedMetadata | undefined = undefined;
  /** The account that pays for the whole unit; 0 if none does. */
  account = 0;
  /** True while the unit waits for credit, or as a long response until it may begin. */
  unpaid = false;
  /**
   * The lanes that a long response enters once it may begin; undefined for other units.
   */
  waitsFor: Lanes | undefined = undefined;
  offset = 0;
  begun = false;
  /** Set only for an ERROR. */
  error: WireError | undefined = undefined;

  constructor(kind: number, id: number, payload: Uint8Array, sender: UnitSender | undefined) {
    this.kind = kind;
    this.id = id;
    this.payload = payload;
    this.sender = sender;
  }

  /** Makes it the unit of a REQUEST or a ONEWAY. */
  setRequest(
    { id, flags }: ProtocolMethod,
    metadata: EncodedMetadata | undefined,
    account: number,
  ): void {
    this.method = id;
    this.flags = flags;
    this.metadata = metadata;
    this.account = account;
  }

  /** Makes the unit of an ERROR. A unit without a sender answers a call that no handler saw. */
  static error(
    id: number,
    flags: number,
    error: WireError,
    sender: UnitSender | undefined,
  ): Outgoing {
    const unit = new Outgoing(Kind.ERROR, id, EMPTY, sender);
    unit.flags = flags;
    unit.error = error;
    unit.metadata = error.metadata;
    return unit;
  }

  /** Waits for credit, or as a long response until it may enter these lanes. */
  wait(lanes?: Lanes): void {
    this.unpaid = true;
    this.waitsFor = lanes;
  }

  /** Ends the wait for credit. */
  endWait(): void {
    this.unpaid = false;
    this.waitsFor = undefined;
  }

  /** Records that a packet that ends at `end` was written. Returns true if it was the last one. */
  wrote(end: number): boolean {
    this.begun = true;
    this.offset = end;
    return end === this.payload.length;
  }

  /** Bytes plus the fixed price of a unit: the memory that it holds. */
  get cost(): number {
    return (
      (this.error === undefined ? 0 : this.error.text.length) +
      this.payload.length +
      (this.metadata === undefined ? 0 : this.metadata.size) +
      UNIT
    );
  }

  /**
   * The part of the cost that the accounts SHORT and LONG charge, and that `limits.outbound` counts.
   */
  get price(): number {
    return Math.min(this.cost, MOST_PRICE);
  }
}

/** A count of messages and their bytes. */
class QueueTally {
  messages = 0;
  bytes = 0;

  add(cost: number): void {
    this.messages++;
    this.bytes += cost;
  }

  remove(cost: number): void {
    this.messages--;
    this.bytes -= cost;
  }

  /**
   * Returns true if a message of this cost fits within the limits. One message always fits an empty
   * queue.
   */
  fits(cost: number, limits: { readonly messages: number; readonly bytes: number }): boolean {
    return (
      this.messages === 0 || (this.messages < limits.messages && this.bytes + cost <= limits.bytes)
    );
  }

  /** Returns true if one of the limits is reached. */
  full(limits: { readonly messages: number; readonly bytes: number }): boolean {
    return this.messages >= limits.messages || this.bytes >= limits.bytes;
  }
}

/** The sending side of one channel on one connection. */
export class Lanes {
  readonly byte: number;
  priority: number;
  /**
   * RESPONSE and ERROR frames. They have no guaranteed order and never queue behind a message that
   * waits for credit.
   */
  readonly replies = new List<Outgoing>();
  /** Short requests and one-ways, in order. An unpaid one-way holds up the messages behind it. */
  readonly short = new List<Outgoing>();
  /**
   * Long messages and items that are paid for. The oldest message goes first, so that one after the
   * other arrives in time on a thin line; items take turns packet by packet.
   */
  readonly bulk = new List<Outgoing>();
  /** Messages that have sent more than `ALONE`: they take turns, and have every other packet. */
  readonly huge = new List<Outgoing>();
  /** Long requests and one-ways that wait for the account LONG, in order. */
  readonly unpaidLong = new List<Outgoing>();
  /** The first unit in `short` that waits for its account. */
  firstUnpaid: Outgoing | undefined = undefined;
  /** Our credit for short and for long messages, in bytes. */
  shortCredit: number;
  longCredit: number;
  /** Short and long one-ways that were sent and whose credit has not been returned. */
  readonly uncreditedShort = new UncreditedOneWays();
  readonly uncreditedLong = new UncreditedOneWays();
  /** Waiting messages, counted by kind, so that long ones never take the room of short ones. */
  readonly shorts = new QueueTally();
  readonly longs = new QueueTally();
  readonly shortReplies = new QueueTally();
  readonly longReplies = new QueueTally();
  /** Refusals: answers to calls that no handler saw. */
  readonly refusals = new QueueTally();
  /**
   * The share of the wire used so far: bytes divided by priority, on a scale that all channels of a
   * connection share.
   */
  spent = 0;
  /** True if these lanes are in the outbox's list of lanes with something to send. */
  busy = false;
  #turn = 0;
  #turnBytes = 0;
  /** True if the next packet of a long message belongs to a huge one. */
  #hugeNext = false;

  constructor(byte: number, priority: number, shortCredit: number, longCredit: number) {
    this.byte = byte;
    this.priority = priority;
    this.shortCredit = shortCredit;
    this.longCredit = longCredit;
  }

  /** Sets the share of the wire, when a protocol is mounted on the channel. */
  prioritize(priority: number): void {
    this.priority = priority;
  }

  /** Begins to take turns with other lanes, with this share of the wire counted as already used. */
  join(spent: number): void {
    this.busy = true;
    this.spent = spent;
  }

  /** Called when nothing is left to send. */
  leave(): void {
    this.busy = false;
  }

  get empty(): boolean {
    return (
      this.replies.length === 0 &&
      this.short.length === 0 &&
      this.bulk.length === 0 &&
      this.huge.length === 0
    );
  }

  /** All lists in which units of the channel wait. */
  get lists(): readonly List<Outgoing>[] {
    return [this.replies, this.short, this.bulk, this.huge, this.unpaidLong];
  }

  /** Returns the tally that counts a unit. */
  tallyOf(unit: Outgoing, packet: number): QueueTally {
    const reply = unit.kind === Kind.RESPONSE || unit.kind === Kind.ERROR;
    if (unit.sender === undefined && unit.kind === Kind.ERROR) return this.refusals;
    if (unit.kind === Kind.ITEM || unit.payload.length > packet)
      return reply ? this.longReplies : this.longs;
    return reply ? this.shortReplies : this.shorts;
  }

  /**
   * Returns true if so many answers wait that no more calls should be dispatched. One long answer
   * is always allowed, whatever its length.
   */
  congested(limits: { readonly messages: number; readonly bytes: number }): boolean {
    return (
      (this.replies.length > 0 && (this.refusals.full(limits) || this.shortReplies.full(limits))) ||
      (this.longReplies.messages > 1 && this.longReplies.full(limits))
    );
  }

  /**
   * Returns the lane whose turn it is and that has something to send now. A lane keeps its turn for
   * 64 KiB.
   */
  next(pipe: number, packet: number): List<Outgoing> | undefined {
    for (let i = 0; i < 3; i++) {
      const turn = (this.#turn + i) % 3;
      const lane = turn === 0 ? this.replies : turn === 1 ? this.short : this.#long;
      const head = lane.first;
      if (head === undefined || head.unpaid || (pipe <= 0 && needsPipe(head, packet))) continue;
      if (i > 0) {
        this.#turn = turn;
        this.#turnBytes = 0;
      }
      return lane;
    }
    return undefined;
  }

  get #long(): List<Outgoing> {
    if (this.huge.length === 0) return this.bulk;
    return this.#hugeNext || this.bulk.length === 0 ? this.huge : this.bulk;
  }

  /** Called when a packet of a unit was written that is not its last one. */
  wrotePart(unit: Outgoing): void {
    const list = unit.list as unknown as List<Outgoing>;
    if (list === this.bulk && unit.kind !== Kind.ITEM && unit.offset > ALONE) {
      list.remove(unit);
      this.huge.push(unit);
    } else if (list === this.huge || unit.kind === Kind.ITEM) list.rotate();
  }

  /** Counts bytes that were sent from a lane, whose turn it is. */
  took(bytes: number, lane: List<Outgoing>): void {
    if (lane === this.bulk || lane === this.huge) this.#hugeNext = lane === this.bulk;
    this.spent += bytes / this.priority;
    this.#turnBytes += bytes;
    if (this.#turnBytes >= TURN) {
      this.#turn = (this.#turn + 1) % 3;
      this.#turnBytes = 0;
    }
  }

  /** Pays for a short one-way that is sent immediately. */
  payOneway(price: number): void {
    this.shortCredit -= price;
    this.uncreditedShort.oneway(price);
  }

  /**
   * Pays for a unit, either a short one that was pushed or a long one in no lane yet, unless it or
   * an earlier one has to wait for the same account. A long unit enters its lane once it is paid
   * for.
   */
  payOrWait(unit: Outgoing, isLong: boolean): boolean {
    const waits = isLong ? this.unpaidLong.length > 0 : this.firstUnpaid !== undefined;
    const isPaid = !waits && this.#pay(unit);
    if (isLong) (isPaid ? this.bulk : this.unpaidLong).push(unit);
    if (isPaid) return true;
    unit.wait();
    if (!isLong) this.firstUnpaid ??= unit;
    return false;
  }

  /**
   * Pays for the next unit that waits, a short one first; returns undefined if none can be paid.
   */
  payNext(): Outgoing | undefined {
    const short = this.firstUnpaid;
    if (short !== undefined && this.#pay(short)) {
      this.#skipUnpaid(short);
      return short;
    }
    const long = this.unpaidLong.first;
    if (long === undefined || !this.#pay(long)) return undefined;
    this.unpaidLong.remove(long);
    this.bulk.push(long);
    return long;
  }

  /** Charges a unit to its account if the account is above 0; returns false otherwise. */
  #pay(unit: Outgoing): boolean {
    if ((unit.account === Account.SHORT ? this.shortCredit : this.longCredit) <= 0) return false;
    if (unit.account === Account.SHORT) this.shortCredit -= unit.price;
    else this.longCredit -= unit.price;
    unit.endWait();
    return true;
  }

  /** Makes the next unpaid unit after `from` the first one. */
  #skipUnpaid(from: Outgoing): void {
    let unit = from.after as Outgoing | undefined;
    while (unit !== undefined && !unit.unpaid) unit = unit.after as Outgoing | undefined;
    this.firstUnpaid = unit;
  }

  /** Removes a unit from the list in which it waits. */
  remove(unit: Outgoing): void {
    if (unit === this.firstUnpaid) this.#skipUnpaid(unit);
    (unit.list as unknown as List<Outgoing>).remove(unit);
  }

  /**
   * Refunds the price of a removed unit that was paid for but never begun. The receiver does not
   * know about the unit, so it can't give the credit back.
   */
  refund(unit: Outgoing): void {
    if (unit.unpaid || unit.begun) return;
    if (unit.account === Account.SHORT) this.shortCredit += unit.price;
    else if (unit.account === Account.LONG) this.longCredit += unit.price;
  }

  /** Adds CREDIT. Returns false if the account would exceed its maximum. */
  grant(account: number, credit: number): boolean {
    if (account === Account.SHORT) {
      this.shortCredit += credit;
      this.uncreditedShort.credited(credit);
    } else {
      this.longCredit += credit;
      this.uncreditedLong.credited(credit);
    }
    return this.shortCredit <= ACCOUNT_MAX && this.longCredit <= ACCOUNT_MAX;
  }

  /** Records that a message of the account SHORT or LONG has left, so its credit is outstanding. */
  left(unit: Outgoing): void {
    if (unit.account === Account.SHORT) this.uncreditedShort.oneway(unit.price);
    else if (unit.kind === Kind.ONEWAY) this.uncreditedLong.oneway(unit.price);
    else this.uncreditedLong.request(unit.price);
  }
}

/** Returns true if a unit spends credit of the pipe: packets of long messages and all items do. */
export function needsPipe(unit: Outgoing, packet: number): boolean {
  return unit.payload.length > packet || unit.kind === Kind.ITEM;
}

/** The number of bytes that a long message may send before it shares the lane with others. */
const ALONE = 1024 * 1024;
/** The number of bytes after which the next lane of the channel gets its turn. */
const TURN = 64 * 1024;

// Memory of the program that waits to be sent. A program may use it for something else as soon as
// its call has returned or its write has settled, so it is copied or the write settles later.

/** True if the program must leave the payload alone until it has left. */
export function isLent(payload: Uint8Array, codec: Codec<any, any> | undefined): boolean {
  return payload.length >= LENT && codec?.owned !== true;
}

/** Returns a payload that may wait: a copy if it is short and the program may use its memory. */
export function kept(payload: Uint8Array, codec: Codec<any, any> | undefined): Uint8Array {
  return payload.length >= LENT || codec?.owned === true ? payload : new Uint8Array(payload);
}

// Tracks the one-ways that have left and whose credit has not been returned. A one-way has no
// answer, so credit is the only sign that it was taken.

/**
 * Messages of one account in the order in which they left, stored as runs of equal cost because
 * most messages of a sender are alike.
 */
export class UncreditedOneWays {
  /**
   * The newest run: the cost of each message (negative for requests, which have an answer) and the
   * number of messages.
   */
  #cost = 0;
  #count = 0;
  /** A ring buffer of the earlier runs, alternating cost and count. */
  #runs: Float64Array = NONE;
  #first = 0;
  #length = 0;
  /** Credit that has arrived for the oldest message but does not cover its cost yet. */
  #credit = 0;

  /** The number of one-ways without credit. */
  get size(): number {
    let size = this.#cost > 0 ? this.#count : 0;
    for (let i = 0; i < this.#length; i++) {
      const at = this.#at(i);
      if (this.#runs[at]! > 0) size += this.#runs[at + 1]!;
    }
    return size;
  }

  /** Adds a one-way that leaves. */
  oneway(cost: number): void {
    if (cost === this.#cost) this.#count++;
    else this.#begin(cost);
  }

  /** Adds a request that leaves and is paid by the same account. */
  request(cost: number): void {
    this.oneway(-cost);
  }

  /**
   * Applies CREDIT to the oldest messages first. Credit beyond everything that was spent is
   * ignored.
   */
  credited(credit: number): void {
    this.#credit += credit;
    for (; this.#length > 0; this.#length--) {
      const at = this.#at(0);
      const count = this.#runs[at + 1]!;
      const taken = this.#take(this.#runs[at]!, count);
      this.#runs[at + 1] = count - taken;
      if (taken < count) return;
      this.#first = (this.#first + 1) & (this.#runs.length / 2 - 1);
    }
    if (this.#runs.length > KEPT) this.#runs = NONE;
    if (this.#count > 0) this.#count -= this.#take(this.#cost, this.#count);
    if (this.#count === 0) this.#credit = 0;
  }

  /** Pays for as many messages of a run as the credit covers, and returns their number. */
  #take(cost: number, count: number): number {
    const price = Math.abs(cost);
    const taken = Math.min(count, Math.floor(this.#credit / price + ROUNDING));
    this.#credit = Math.max(this.#credit - taken * price, 0);
    return taken;
  }

  #begin(cost: number): void {
    if (this.#count > 0) this.#keep();
    this.#cost = cost;
    this.#count = 1;
  }

  /** Moves the newest run into the ring, because a run of another cost begins. */
  #keep(): void {
    const size = this.#runs.length / 2;
    if (this.#length === size) {
      if (size >= MOST) return this.#merge();
      this.#grow(Math.max(size * 2, FEWEST));
    }
    const at = this.#at(this.#length++);
    this.#runs[at] = this.#cost;
    this.#runs[at + 1] = this.#count;
  }

  /**
   * Merges the newest run into the last one of the full ring. The one-ways of both then count with
   * their mean cost.
   */
  #merge(): void {
    const at = this.#at(this.#length - 1);
    const [cost, count] = [this.#runs[at]!, this.#runs[at + 1]!];
    const total = Math.abs(cost) * count + Math.abs(this.#cost) * this.#count;
    const oneways = (cost > 0 ? count : 0) + (this.#cost > 0 ? this.#count : 0);
    this.#runs[at] = oneways > 0 ? total / oneways : -total;
    this.#runs[at + 1] = oneways || 1;
  }

  #grow(size: number): void {
    const runs = new Float64Array(size * 2);
    for (let i = 0; i < this.#length; i++)
      runs.set(this.#runs.subarray(this.#at(i), this.#at(i) + 2), i * 2);
    this.#runs = runs;
    this.#first = 0;
  }

  /** Returns the position of the i-th run in the ring. */
  #at(i: number): number {
    return ((this.#first + i) * 2) & (this.#runs.length - 1);
  }
}

const NONE = new Float64Array(0);
/**
 * The initial and the maximum number of runs in the ring, both powers of two. The maximum bounds
 * the memory that a peer can occupy here by granting a lot of credit.
 */
const FEWEST = 8;
const MOST = 2_048;
/** A ring of more numbers than this is released when it is empty. */
const KEPT = 512;
/**
 * The tolerance for a mean cost, which is not an integer: without it, a rounding error could leave
 * out the last message of a run.
 */
const ROUNDING = 1e-9;
