// A message on its way out, and the three lanes of a channel in which it waits (docs/wire-protocol.md §7).

import { type Entry, List } from '../list.ts';
import { Account, type EncodedMetadata, Kind } from '../wire/frame.ts';
import { UNIT } from './link.ts';
import { Uncredited } from './uncredited.ts';

/** What stands behind a unit: the call or the stream that is told how it fares. */
export interface Sender {
  /** Milliseconds left for a REQUEST, 0 where it has no deadline; below 0: none left, it is dropped. */
  timeLeft(now: number): number;
  /** Its account has paid for it. */
  paid(unit: Outgoing): void;
  /** A packet of it went into the batch. */
  written(unit: Outgoing, last: boolean): void;
  /** It was dropped: no time was left for it. */
  dropped(unit: Outgoing): void;
}

/** One frame, or one message of many packets. */
export class Outgoing implements Entry {
  // Its place in a list.
  list: List<Entry> | undefined = undefined;
  before: Entry | undefined = undefined;
  after: Entry | undefined = undefined;
  readonly kind: number;
  id: number;
  readonly payload: Uint8Array;
  readonly sender: Sender | undefined;
  method = 0;
  flags = 0;
  metadata: EncodedMetadata | undefined = undefined;
  /** The account that pays for the whole, 0 where none does. */
  account = 0;
  unpaid = false;
  /** Of a long response that waits for account 4: the lanes that it goes into then. */
  waitsFor: Lanes | undefined = undefined;
  offset = 0;
  begun = false;
  /** Of an ERROR. */
  code = 0;
  reason = 0;
  text = '';

  constructor(kind: number, id: number, payload: Uint8Array, sender: Sender | undefined) {
    this.kind = kind;
    this.id = id;
    this.payload = payload;
    this.sender = sender;
  }

  /** Bytes and the price of a unit: what an account is charged, and what the queue counts. */
  get cost(): number {
    return this.text.length + this.payload.length + (this.metadata === undefined ? 0 : this.metadata.size) + UNIT;
  }
}

/** Messages and their bytes. */
export class Tally {
  messages = 0;
  bytes = 0;

  /** Is there room for one more of this cost? One always fits an empty queue. */
  fits(cost: number, limits: { readonly messages: number; readonly bytes: number }): boolean {
    return this.messages === 0 || (this.messages < limits.messages && this.bytes + cost <= limits.bytes);
  }

  /** As much waits as may. */
  full(limits: { readonly messages: number; readonly bytes: number }): boolean {
    return this.messages >= limits.messages || this.bytes >= limits.bytes;
  }
}

/** The sending half of one channel on one connection. */
export class Lanes {
  readonly byte: number;
  priority: number;
  /** RESPONSE and ERROR: no order promised, never behind what waits for credit. */
  readonly replies = new List<Outgoing>();
  /** Short requests and one-ways, in order; an unpaid one-way holds those behind it. */
  readonly short = new List<Outgoing>();
  /** Long messages and items that are paid for, in turn by packet. */
  readonly bulk = new List<Outgoing>();
  /** Long requests and one-ways that wait for account 3, in order. */
  readonly unpaidLong = new List<Outgoing>();
  /** The first in `short` that waits for its account. */
  firstUnpaid: Outgoing | undefined = undefined;
  /** Our credit. */
  shortCredit: number;
  longCredit: number;
  /** One-ways that have left, short and long ones, and whose credit has not come back. */
  readonly uncreditedShort = new Uncredited();
  readonly uncreditedLong = new Uncredited();
  /** What waits here, each kind by itself: what is long never takes the room of what is short. */
  readonly shorts = new Tally();
  readonly longs = new Tally();
  readonly shortReplies = new Tally();
  readonly longReplies = new Tally();
  /** Answers to calls that no handler saw. */
  readonly refusals = new Tally();
  /** Share of the wire used so far: bytes by priority, on a clock that all channels of a connection share. */
  spent = 0;
  turn = 0;
  turnBytes = 0;
  busy = false;

  constructor(byte: number, priority: number, shortCredit: number, longCredit: number) {
    this.byte = byte;
    this.priority = priority;
    this.shortCredit = shortCredit;
    this.longCredit = longCredit;
  }

  get empty(): boolean {
    return this.replies.length === 0 && this.short.length === 0 && this.bulk.length === 0;
  }

  /** Where a unit is counted. */
  tallyOf(unit: Outgoing, packet: number): Tally {
    const reply = unit.kind === Kind.RESPONSE || unit.kind === Kind.ERROR;
    if (unit.sender === undefined && unit.kind === Kind.ERROR) return this.refusals;
    if (unit.kind === Kind.ITEM || unit.payload.length > packet) return reply ? this.longReplies : this.longs;
    return reply ? this.shortReplies : this.shorts;
  }

  /** So many answers wait that no more calls are to be dispatched; one always may, however long. */
  congested(limits: { readonly messages: number; readonly bytes: number }): boolean {
    return this.refusals.full(limits) || this.shortReplies.full(limits) || (this.longReplies.messages > 1 && this.longReplies.full(limits));
  }

  /** The lane whose turn it is and that has something to send now; each keeps its turn for 64 KiB. */
  next(pipe: number, packet: number): List<Outgoing> | undefined {
    for (let i = 0; i < 3; i++) {
      const turn = (this.turn + i) % 3;
      const lane = turn === 0 ? this.replies : turn === 1 ? this.short : this.bulk;
      const head = lane.first;
      if (head === undefined || head.unpaid || (pipe <= 0 && needsPipe(head, packet))) continue;
      if (i > 0) {
        this.turn = turn;
        this.turnBytes = 0;
      }
      return lane;
    }
    return undefined;
  }

  /** So many bytes of the lane whose turn it is have gone. */
  took(bytes: number): void {
    this.spent += bytes / this.priority;
    this.turnBytes += bytes;
    if (this.turnBytes >= TURN) {
      this.turn = (this.turn + 1) % 3;
      this.turnBytes = 0;
    }
  }

  /** The account of a unit stands above 0: takes off what it costs. */
  pay(unit: Outgoing): boolean {
    if ((unit.account === Account.SHORT ? this.shortCredit : this.longCredit) <= 0) return false;
    if (unit.account === Account.SHORT) this.shortCredit -= unit.cost;
    else this.longCredit -= unit.cost;
    unit.unpaid = false;
    return true;
  }
}

/** A unit that spends the pipe: a packet of a long message, or any of an ITEM. */
export function needsPipe(unit: Outgoing, packet: number): boolean {
  return unit.payload.length > packet || unit.kind === Kind.ITEM;
}

/** Bytes after which another lane of the channel has its turn. */
const TURN = 64 * 1024;
