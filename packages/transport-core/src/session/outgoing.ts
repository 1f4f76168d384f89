// Outgoing messages, and the three lanes of a channel in which they wait (docs/wire-protocol.md
// §7).
//
// `Lanes` owns the waiting messages of one channel, their order, the callers that wait for room,
// and our credit on its inbox account. The outbox puts units into the lanes, counts them in the
// tallies, and reports credit and what was written. Caller pays here for one-ways that bypass the
// lanes. Tested in outbox.test.ts and outbox-credit.test.ts.

import { type TransportError, withoutStack } from '../errors.ts';
import { List, type ListEntry } from '../list.ts';
import type { Codec } from '../protocol/codec.ts';
import type { ProtocolMethod } from '../protocol/protocol.ts';
import {
  ACCOUNT_MAX,
  EMPTY,
  type EncodedMetadata,
  inboxCost,
  LENT,
  MOST_PRICE,
  UNIT,
  type WireError,
} from '../wire/frame.ts';
import * as Kind from '../wire/kind.ts';

/**
 * The call or stream behind a unit. It is notified of the unit's progress, but not when the unit is
 * taken back or dropped.
 */
export interface UnitSender {
  /**
   * Called when a packet of the unit was written to the batch, before that batch is flushed:
   * `OutCall` records the number of the batch. After the last packet, the unit is in no lane.
   */
  written(unit: Outgoing, last: boolean): void;

  // Only our calls (`OutCall`) have these.

  /**
   * Returns the number of milliseconds left for a REQUEST: 0 if no deadline is sent, and a negative
   * number if the deadline has passed. `Outbox` then drops the unit, and `Caller.wake` ends the
   * call.
   */
  timeLeft?(now: number): number;
  /** Called when the account of the unit has paid for it. */
  paid?(): void;
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
  /** True if the inbox account pays for the whole unit. */
  pays = false;
  /** True while the unit waits for credit, or as a long response until it may begin. */
  unpaid = false;
  /** Its place among the units of its channel that wait for credit. */
  place = 0;
  /** The lanes that it was pushed to. */
  lanes: Lanes | undefined = undefined;
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
  setRequest(method: ProtocolMethod, metadata: EncodedMetadata | undefined, pays: boolean): void {
    this.method = method.id;
    this.flags = method.flags;
    this.metadata = metadata;
    this.pays = pays;
  }

  /**
   * Makes the unit of an ERROR. Without a sender, it refuses a call that was not admitted, and
   * `Lanes.tallyOf` counts it among the refusals.
   */
  static error(id: number, flags: number, error: WireError, sender?: UnitSender): Outgoing {
    const unit = new Outgoing(Kind.ERROR, id, EMPTY, sender);
    unit.flags = flags;
    unit.error = error;
    unit.metadata = error.metadata;
    return unit;
  }

  /** Called when the outbox takes it. */
  pushTo(lanes: Lanes): void {
    this.lanes = lanes;
  }

  /** Begins or ends the wait for credit or, as a long response, until it may begin. */
  wait(isUnpaid: boolean): void {
    this.unpaid = isUnpaid;
  }

  /** Records that a packet that ends at `end` was written. Returns true if it was the last one. */
  wrote(end: number): boolean {
    this.begun = true;
    this.offset = end;
    return end === this.payload.length;
  }

  /**
   * Bytes plus the fixed price of a unit: the memory that it holds. It must not change once the
   * unit was pushed, because it is added then and subtracted when the unit has left.
   */
  get cost(): number {
    return (
      (this.error === undefined ? 0 : this.error.text.length) +
      this.payload.length +
      (this.metadata === undefined ? 0 : this.metadata.size) +
      UNIT
    );
  }

  /** The part of the cost that `limits.outbound` counts. */
  get price(): number {
    return Math.min(this.cost, MOST_PRICE);
  }

  /**
   * The cost of a REQUEST or a ONEWAY on its inbox account. The receiver charges the same amount;
   * see `priceOf` in packets.ts.
   */
  get charge(): number {
    return inboxCost(this.kind === Kind.ONEWAY, this.cost);
  }
}

/** A count of messages and their bytes; each message counts with its `Outgoing.price`. */
class QueueTally {
  messages = 0;
  bytes = 0;

  /** Called with 1 when a message begins to wait, and with -1 when it no longer waits. */
  count(change: 1 | -1, cost: number): void {
    this.messages += change;
    this.bytes += change * cost;
  }

  /** Called when the connection has ended, which drops its messages. */
  clear(): void {
    this.messages = this.bytes = 0;
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

/** A caller of `writable()` that waits until its check returns true. */
interface Writer {
  isReady(): boolean;
  resolve(): void;
  reject(error: TransportError): void;
}

/**
 * The sending side of one channel on one connection. `Outbox` has one more, for refusals of calls
 * to channels that do not exist here.
 */
export class Lanes {
  readonly byte: number;
  /** The default of the option `priority` until a protocol is mounted. */
  priority = 10;
  /**
   * Short RESPONSE frames, and ERROR and END. They have no guaranteed order and never queue behind
   * a message that waits for credit.
   */
  readonly replies = new List<Outgoing>();
  /**
   * Short requests and one-ways, and also long ones of an `ordered` protocol, in order. An unpaid
   * one holds up those behind it.
   */
  readonly short = new List<Outgoing>();
  /**
   * Long messages, responses among them, and items that may begin. The oldest message goes first,
   * so that one after the other arrives in time on a thin line; items take turns packet by packet.
   */
  readonly bulk = new List<Outgoing>();
  /** Messages that have sent more than `ALONE`: they take turns, and have every other packet. */
  readonly huge = new List<Outgoing>();
  /** Long requests and one-ways that wait for credit, in order. */
  readonly unpaidLong = new List<Outgoing>();
  /** The first unit in `short` that waits for credit. */
  firstUnpaid: Outgoing | undefined = undefined;
  /** Our credit on the inbox account of the channel that no paid unit needs, in bytes. */
  credit: number;
  /**
   * The same account as its receiver counts it: a unit costs it only when its first packet is
   * written, because lanes overtake each other. It equals `credit` if all paid units have begun.
   */
  account: number;
  /** The number of one-ways that were sent and that the peer has not reported as done. */
  undone = 0;
  /**
   * Waiting messages, counted by kind, so that long ones never take the room of short ones. Items
   * count in `longs`, and END in `shorts`.
   */
  readonly shorts = new QueueTally();
  readonly longs = new QueueTally();
  readonly shortReplies = new QueueTally();
  readonly longReplies = new QueueTally();
  /** Refusals: the ERRORs without a sender. */
  readonly refusals = new QueueTally();
  /** Callers of `writable()` that wait for room, in order. */
  readonly writers: Writer[] = [];
  /**
   * The share of the wire used so far: bytes divided by priority, on a scale that all channels of a
   * connection share.
   */
  spent = 0;
  #places = 0;
  /** The lane whose turn it is (0 `replies`, 1 `short`, 2 the long ones), and its bytes so far. */
  #turn = 0;
  #turnBytes = 0;
  /** True if the next packet of a long message belongs to a huge one. */
  #hugeNext = false;

  constructor(byte: number, credit: number) {
    this.byte = byte;
    this.credit = this.account = credit;
  }

  /** Sets the share of the wire, when a protocol is mounted on the channel. */
  prioritize(priority: number): void {
    this.priority = priority;
  }

  /** Begins to take turns with other lanes, with this share of the wire counted as already used. */
  join(spent: number): void {
    this.spent = spent;
  }

  /** True if no lane has a unit. `unpaidLong` is no lane: its units enter `bulk` once paid for. */
  get empty(): boolean {
    return this.replies.length + this.short.length + this.bulk.length + this.huge.length === 0;
  }

  /** All lists in which units of the channel wait, except long responses that may not begin yet. */
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
   * 64 KiB, or until a call of this method finds that only other lanes have something to send.
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

  /**
   * Records that a packet of a unit was written, which ends at `end` and takes this many bytes of
   * the share of the wire. Returns true if it was the last one: the unit has then left its lane.
   * @param lane the lane that `next` returned; the unit is its first one.
   */
  wrote(unit: Outgoing, end: number, bytes: number, lane: List<Outgoing>): boolean {
    if (!unit.begun && unit.pays) this.account -= unit.charge;
    if (!unit.begun && unit.kind === Kind.ONEWAY) this.undone++;
    const isLast = unit.wrote(end);
    if (isLast) lane.remove(unit);
    else if (lane === this.bulk && unit.kind !== Kind.ITEM && end > ALONE) {
      lane.remove(unit);
      this.huge.push(unit);
    } else if (lane === this.huge || unit.kind === Kind.ITEM) lane.rotate();
    if (lane === this.bulk || lane === this.huge) this.#hugeNext = lane === this.bulk;
    this.spent += bytes / this.priority;
    this.#turnBytes += bytes;
    if (this.#turnBytes >= TURN) {
      this.#turn = (this.#turn + 1) % 3;
      this.#turnBytes = 0;
    }
    return isLast;
  }

  /** True if the inbox account is above 0 and no unit waits for its credit. */
  get hasCredit(): boolean {
    return this.credit > 0 && this.firstUnpaid === undefined && this.unpaidLong.length === 0;
  }

  /**
   * Returns true if a unit can be paid for now. The unit that takes the credit to 0 or below is
   * paid for only when all earlier ones have begun. So all paid units may begin in any order, and
   * none of them finds the account exhausted.
   */
  #canPay(charge: number): boolean {
    return this.credit > charge || (this.credit > 0 && this.credit === this.account);
  }

  /**
   * Pays for a short one-way that is sent immediately. Returns false if it has to wait.
   * @param cost its bytes and UNIT.
   */
  payOneway(cost: number): boolean {
    const charge = inboxCost(true, cost);
    if (!this.hasCredit || !this.#canPay(charge)) return false;
    this.credit -= charge;
    this.account -= charge;
    this.undone++;
    return true;
  }

  /**
   * Pays for a unit, unless it or an earlier one has to wait for credit. Returns true if it paid.
   * @param isLong true if it is in no lane yet: it enters `bulk` once it is paid for. Otherwise, it
   *   is in `short` already.
   */
  payOrWait(unit: Outgoing, isLong: boolean): boolean {
    const isPaid = this.hasCredit && this.#canPay(unit.charge);
    if (isLong) (isPaid ? this.bulk : this.unpaidLong).push(unit);
    if (isPaid) this.#pay(unit);
    else {
      unit.wait(true);
      unit.place = this.#places++;
      if (!isLong) this.firstUnpaid ??= unit;
    }
    return isPaid;
  }

  /**
   * Pays for the unit that has waited longest, and returns it. Returns undefined if none waits or
   * if it has to wait longer.
   */
  payNext(): Outgoing | undefined {
    const [short, long] = [this.firstUnpaid, this.unpaidLong.first];
    const isLong = short === undefined || (long !== undefined && long.place < short.place);
    const unit = isLong ? long : short;
    if (unit === undefined || !this.#canPay(unit.charge)) return undefined;
    this.#pay(unit);
    if (isLong) {
      this.unpaidLong.remove(unit);
      this.bulk.push(unit);
    } else this.#skipUnpaid(unit);
    return unit;
  }

  #pay(unit: Outgoing): void {
    this.credit -= unit.charge;
    unit.wait(false);
  }

  /** Makes the next unpaid unit after `from` the first one. */
  #skipUnpaid(from: Outgoing): void {
    let unit = from.after as Outgoing | undefined;
    while (unit !== undefined && !unit.unpaid) unit = unit.after as Outgoing | undefined;
    this.firstUnpaid = unit;
  }

  /**
   * Removes a unit from the list in which it waits; it must be in one. One that was paid for but
   * never begun is refunded: the receiver does not know about it, so it can't give the credit back.
   */
  remove(unit: Outgoing): void {
    if (unit === this.firstUnpaid) this.#skipUnpaid(unit);
    (unit.list as unknown as List<Outgoing>).remove(unit);
    if (unit.pays && !unit.unpaid && !unit.begun) this.credit += unit.charge;
  }

  /**
   * Rejects all writers, each with its own copy of `error`. Without one, resolves those whose check
   * returns true.
   */
  settleWriters(error: TransportError | undefined): void {
    for (const writer of this.writers.splice(0))
      if (error !== undefined) writer.reject(withoutStack(error, { sent: false }));
      else if (writer.isReady()) writer.resolve();
      else this.writers.push(writer);
  }

  /**
   * Adds CREDIT.
   * @param done the number of one-ways that the peer reports as done.
   * @returns false if the account then exceeds its maximum, or if fewer one-ways were undone.
   */
  grant(credit: number, done: number): boolean {
    this.credit += credit;
    this.account += credit;
    this.undone -= done;
    return this.account <= ACCOUNT_MAX && this.undone >= 0;
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

/** Returns true if the program must leave the payload alone until it has left. */
export function isLent(payload: Uint8Array, codec: Codec<any, any> | undefined): boolean {
  return payload.length >= LENT && codec?.owned !== true;
}

/** Returns a payload that may wait: a copy if it is below LENT and the program owns its memory. */
export function kept(payload: Uint8Array, codec: Codec<any, any> | undefined): Uint8Array {
  return payload.length >= LENT || codec?.owned === true ? payload : new Uint8Array(payload);
}
