// Outgoing messages, and the lanes of a channel in which they wait (docs/wire-protocol.md
// §7).
//
// `Lanes` owns the waiting messages of one channel, their order, and our credit on its accounts.
// The outbox tells it which messages to send, which credit arrived and what was written.

import { List, type ListEntry } from '../list.ts';
import type { Codec } from '../protocol/codec.ts';
import type { ProtocolMethod } from '../protocol/protocol.ts';
import {
  ACCOUNT_MAX,
  EMPTY,
  type EncodedMetadata,
  inboxCost,
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
  /** Returns true if the limits of both ends let a REQUEST or a ONEWAY begin now. */
  mayBegin?(): boolean;
  /** Called before the first packet of a REQUEST or a ONEWAY is written; returns its id. */
  begins?(unit: Outgoing): number;
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
  /** A REQUEST or a ONEWAY gets its id when it begins. */
  id: number;
  readonly payload: Uint8Array;
  readonly sender: UnitSender | undefined;
  method = 0;
  flags = 0;
  metadata: EncodedMetadata | undefined = undefined;
  /** True if the inbox account pays for the whole unit. */
  pays = false;
  /** Its place among the units of its channel that the inbox account pays for. */
  place = 0;
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
    pays: boolean,
  ): void {
    this.method = id;
    this.flags = flags;
    this.metadata = metadata;
    this.pays = pays;
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

  /** Waits, as a long response, until it may enter these lanes; `undefined` ends the wait. */
  waitFor(lanes: Lanes | undefined): void {
    this.waitsFor = lanes;
  }

  /** Returns true if the unit has begun, or the limits of both ends let it begin now. */
  get mayBegin(): boolean {
    return this.begun || this.sender?.mayBegin?.() !== false;
  }

  /** Called before its first packet is written. */
  begin(): void {
    this.id = this.sender?.begins?.(this) ?? this.id;
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

  /** The part of the cost that `limits.outbound` counts. */
  get price(): number {
    return Math.min(this.cost, MOST_PRICE);
  }

  /** The cost of a REQUEST or a ONEWAY on its inbox account. */
  get charge(): number {
    return inboxCost(this.kind === Kind.ONEWAY, this.cost);
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
  /**
   * Short requests and one-ways, in order. The first one holds up those behind it while it waits
   * for credit or for one of the `limits.calls`.
   */
  readonly short = new List<Outgoing>();
  /**
   * Long requests and one-ways. The oldest one goes first, so that one after the other arrives in
   * time on a thin line.
   */
  readonly long = new List<Outgoing>();
  /** Long responses, of which the oldest goes first, and items, which take turns by packet. */
  readonly bulk = new List<Outgoing>();
  /** Messages that have sent more than `ALONE`: they take turns by packet. */
  readonly huge = new List<Outgoing>();
  /** Our credit on the inbox account of the channel, in bytes. A unit pays when it begins. */
  credit: number;
  /** The credit that the units in the lanes will cost. */
  owed = 0;
  /** The first unit in `short` that will cost credit. */
  #firstDebt: Outgoing | undefined = undefined;
  /** The number of requests in `short` that have not begun. */
  requests = 0;
  /** The number of one-ways that were sent and that the peer has not reported as done. */
  undone = 0;
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
  #places = 0;
  #turn = 0;
  #turnBytes = 0;
  /** The lanes that share the turn of long messages by packet, and the one with the last packet. */
  readonly #longs = [this.long, this.bulk, this.huge] as const;
  #lastLong = 0;

  constructor(byte: number, priority: number, credit: number) {
    this.byte = byte;
    this.priority = priority;
    this.credit = credit;
  }

  /** Sets the share of the wire, when a protocol is mounted on the channel. */
  prioritize(priority: number): void {
    this.priority = priority;
  }

  /** Begins to take turns with other lanes, with at least this share of the wire already used. */
  join(spent: number): void {
    this.busy = true;
    this.spent = Math.max(this.spent, spent);
  }

  /** Called when nothing is left to send. */
  leave(): void {
    this.busy = false;
  }

  get empty(): boolean {
    return (
      this.replies.length === 0 &&
      this.short.length === 0 &&
      this.long.length === 0 &&
      this.bulk.length === 0 &&
      this.huge.length === 0
    );
  }

  /** All lists in which units of the channel wait. */
  get lists(): readonly List<Outgoing>[] {
    return [this.replies, this.short, ...this.#longs];
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

  /** Adds a unit to its lane. */
  push(unit: Outgoing, lane: 'replies' | 'short' | 'long' | 'bulk'): void {
    this[lane].push(unit);
    if (lane === 'short' && unit.kind === Kind.REQUEST) this.requests++;
    if (!unit.pays) return;
    unit.place = this.#places++;
    this.owed += unit.charge;
    if (lane === 'short') this.#firstDebt ??= unit;
  }

  /**
   * Returns the lane whose turn it is and that has something to send now. A lane keeps its turn for
   * 64 KiB.
   */
  next(pipe: number, packet: number): List<Outgoing> | undefined {
    for (let i = 0; i < 3; i++) {
      const turn = (this.#turn + i) % 3;
      const lane =
        turn === 0 ? this.replies : turn === 1 ? this.short : this.nextLong(pipe, packet);
      if (lane === undefined || (turn < 2 && !this.#isReady(lane, pipe, packet))) continue;
      if (i > 0) {
        this.#turn = turn;
        this.#turnBytes = 0;
      }
      return lane;
    }
    return undefined;
  }

  /** Returns the lane of long messages whose turn it is and that has something to send now. */
  nextLong(pipe: number, packet: number): List<Outgoing> | undefined {
    for (let i = 1; i <= 3; i++) {
      const lane = this.#longs[(this.#lastLong + i) % 3]!;
      if (this.#isReady(lane, pipe, packet)) return lane;
    }
    return undefined;
  }

  /** Returns true if a packet of the first unit of a lane may be sent now. */
  #isReady(lane: List<Outgoing>, pipe: number, packet: number): boolean {
    const unit = lane.first;
    if (unit === undefined || (pipe <= 0 && needsPipe(unit, packet))) return false;
    return unit.begun || (unit.mayBegin && (!unit.pays || this.#mayPay(unit)));
  }

  /**
   * Returns true if the account may pay for a unit now. If its credit is not enough for all units
   * that wait, the unit that came first begins first. So credit that was enough for a unit when it
   * came is not taken by a later one.
   */
  #mayPay(unit: Outgoing): boolean {
    if (this.credit <= 0) return false;
    if (this.credit > this.owed) return true;
    const other = unit === this.#firstDebt ? this.#longDebt : this.#shortDebt;
    return other === undefined || other.place > unit.place;
  }

  /** The first unit in `short` that waits for credit, and for nothing else. */
  get #shortDebt(): Outgoing | undefined {
    return this.short.first?.mayBegin === true ? this.#firstDebt : undefined;
  }

  /** The first unit in `long` that waits for credit, and for nothing else. */
  get #longDebt(): Outgoing | undefined {
    const { first } = this.long;
    const unit = first?.begun === true ? (first.after as Outgoing | undefined) : first;
    return unit?.mayBegin === true ? unit : undefined;
  }

  /** Called when a packet of a unit was written that is not its last one. */
  wrotePart(unit: Outgoing): void {
    const list = unit.list as unknown as List<Outgoing>;
    if (unit.kind === Kind.ITEM) list.rotate();
    else if (list !== this.short && unit.offset > ALONE) {
      list.remove(unit);
      this.huge.push(unit);
    }
  }

  /** Counts bytes that were sent from a lane, whose turn it is. */
  took(bytes: number, lane: List<Outgoing>): void {
    if (lane !== this.short && lane !== this.replies) this.#lastLong = this.#longs.indexOf(lane);
    this.spent += bytes / this.priority;
    this.#turnBytes += bytes;
    if (this.#turnBytes >= TURN) {
      this.#turn = (this.#turn + 1) % 3;
      this.#turnBytes = 0;
    }
  }

  /** True if the credit is enough for all units in the lanes that may begin, and one more. */
  get hasCredit(): boolean {
    if (this.credit > this.owed) return true;
    return this.credit > 0 && this.#shortDebt === undefined && this.#longDebt === undefined;
  }

  /** Pays for a short one-way that is sent immediately. Returns false if it has to wait. */
  payOneway(cost: number): boolean {
    const charge = inboxCost(true, cost);
    const isScarce = this.owed > 0 && this.credit <= this.owed + charge;
    if (this.credit <= 0 || isScarce) return false;
    this.credit -= charge;
    this.undone++;
    return true;
  }

  /** Removes a unit from the list in which it waits. */
  remove(unit: Outgoing): void {
    if (!unit.begun) this.#endWait(unit);
    (unit.list as unknown as List<Outgoing>).remove(unit);
  }

  /** Called when a unit begins, or was withdrawn before. */
  #endWait(unit: Outgoing): void {
    if (unit.pays) this.owed -= unit.charge;
    if (unit.list !== (this.short as unknown)) return;
    if (unit.kind === Kind.REQUEST) this.requests--;
    if (unit !== this.#firstDebt) return;
    let next = unit.after as Outgoing | undefined;
    while (next?.pays === false) next = next.after as Outgoing | undefined;
    this.#firstDebt = next;
  }

  /**
   * Adds CREDIT.
   * @param done the number of one-ways that the peer reports as done.
   * @returns false if the account would exceed its maximum, or if fewer one-ways were sent.
   */
  grant(credit: number, done: number): boolean {
    this.credit += credit;
    this.undone -= done;
    return this.credit <= ACCOUNT_MAX && this.undone >= 0;
  }

  /** Pays for a unit whose first packet is written now. */
  pay(unit: Outgoing): void {
    this.#endWait(unit);
    if (unit.kind === Kind.ONEWAY) this.undone++;
    if (unit.pays) this.credit -= unit.charge;
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
