// The outgoing side of a session. Control frames go first, then the channels by their share of the
// wire; within a channel the lanes take turns (docs/wire-protocol.md §7). Priority only affects
// bytes that this end still holds, so nothing is written into a batch before it can leave.

import { List } from '../list.ts';
import { Account, FRAME_OVERHEAD, Kind } from '../wire/frame.ts';
import { BatchPacer } from './batch-pacer.ts';
import { type Lanes, needsPipe, type Outgoing } from './outgoing.ts';
import type { ReceiveAccount } from './receive-account.ts';
import { ACCOUNT_MAX, type SessionContext, UNIT } from './session-context.ts';

/** A small frame that goes before all messages. */
interface Control {
  kind: number;
  id: number;
  bytes: Uint8Array | undefined;
}

/** A GO_AWAY that goes behind everything that was accepted. */
export interface FinalGoAway {
  code: number;
  reason: number;
  text: string;
}

export class Outbox {
  /** The connection still holds our last batch: nothing is written until `drained`. */
  blocked = false;
  /** The time at which the connection began to hold the batch. */
  blockedSince = 0;
  /**
   * The time since which the pipe's account is exhausted without any CREDIT for it; Infinity if it
   * is not.
   */
  drySince = Number.POSITIVE_INFINITY;
  /** The session is leaving, so it checks after every write whether it is done. */
  leaving = false;
  /**
   * Calls wait for room, so the session checks for room each time a unit has left or was dropped.
   */
  awaited = false;
  /** The connection is over: nothing is paid for any more. */
  over = false;
  /** Decides when a batch leaves before the tick is over. */
  readonly pacer: BatchPacer;
  readonly #context: SessionContext;
  /** Channels that have a unit in one of their lanes. */
  readonly #busy: Lanes[] = [];
  /** Long responses that wait for credit of account 4, in order. */
  readonly #unpaidReplies = new List<Outgoing>();
  readonly #controls: Control[] = [];
  #controlBytes = 0;
  readonly #credits: ReceiveAccount[] = [];
  /** The time until which channels may hold back credit; Infinity if none does. */
  heldUntil = Number.POSITIVE_INFINITY;
  #farewell: FinalGoAway | undefined = undefined;
  /** The number of units in lanes, including those that wait for credit. */
  #waiting = 0;

  constructor(context: SessionContext, isBounded = false) {
    this.#context = context;
    this.pacer = new BatchPacer(isBounded);
  }

  get idle(): boolean {
    return this.#waiting === 0 && this.#controls.length === 0 && this.#credits.length === 0;
  }

  /** True if a long message or an item is ready to be sent. */
  get bulky(): boolean {
    return this.#busy.some((lanes) => lanes.bulk.length > 0);
  }

  /**
   * Returns true if a short frame of `bytes` may go straight into the batch, which means that
   * nothing that could be sent is queued before it.
   */
  straight(bytes: number): boolean {
    if (this.blocked || (this.#busy.length > 0 && this.#sendable())) return false;
    return this.#context.writer.fits(bytes) || this.flush();
  }

  /** Returns true if a unit in some lane could be sent now. */
  #sendable(): boolean {
    const { pipe, terms } = this.#context;
    return this.#busy.some((lanes) => lanes.next(pipe, terms.packet) !== undefined);
  }

  /** Called after a frame went straight into the batch. */
  wrote(): void {
    const { pacer } = this;
    if (pacer.alone || this.#context.writer.count >= pacer.batch) {
      pacer.alone = false;
      // Credit and other control frames leave together with the answer, not in a write of their
      // own.
      this.#pumpControl();
      this.flush();
      if (!this.leaving) return;
    }
    this.#context.port.dirty();
  }

  /**
   * Puts a unit into the lane of its kind and counts it in its tally. The unit is paid for at once
   * unless an earlier one waits for the same account.
   */
  push(lanes: Lanes, unit: Outgoing, lane: 'replies' | 'short' | 'bulk'): void {
    this.#waiting++;
    this.#context.hold(unit.cost);
    const tally = lanes.tallyOf(unit, this.#context.terms.packet);
    tally.messages++;
    tally.bytes += unit.cost;
    if (unit.account === Account.REPLY) return this.#pushReply(lanes, unit);
    if (lane === 'bulk' && unit.account === Account.LONG) return this.#pushLong(lanes, unit);
    lanes[lane].push(unit);
    this.#wake(lanes);
    if (lane === 'short' && unit.account !== 0) {
      if (lanes.firstUnpaid === undefined && lanes.pay(unit)) unit.sender?.paid(unit);
      else {
        unit.unpaid = true;
        lanes.firstUnpaid ??= unit;
      }
    }
    this.#context.port.dirty();
  }

  #pushLong(lanes: Lanes, unit: Outgoing): void {
    if (lanes.unpaidLong.length === 0 && lanes.pay(unit)) {
      lanes.bulk.push(unit);
      this.#wake(lanes);
      this.#context.port.dirty();
      unit.sender?.paid(unit);
    } else {
      unit.unpaid = true;
      lanes.unpaidLong.push(unit);
    }
  }

  #pushReply(lanes: Lanes, unit: Outgoing): void {
    this.#park(lanes, unit);
    this.#payReplies();
  }

  #park(lanes: Lanes, unit: Outgoing): void {
    unit.unpaid = true;
    unit.waitsFor = lanes;
    this.#unpaidReplies.push(unit);
  }

  /**
   * Moves long responses into the bulk lane while account 4 has credit. They pay when their first
   * packet is written: the payments must have the same order as the first packets, and across
   * channels the scheduler decides that order.
   */
  #payReplies(): void {
    for (
      let unit = this.#unpaidReplies.first;
      unit !== undefined && this.#context.reply > 0;
      unit = this.#unpaidReplies.first
    ) {
      const lanes = unit.waitsFor!;
      this.#unpaidReplies.remove(unit);
      unit.waitsFor = undefined;
      unit.unpaid = false;
      lanes.bulk.push(unit);
      this.#wake(lanes);
      this.#context.port.dirty();
    }
  }

  /**
   * Adds a channel to the busy list. It starts at the current minimum of `spent`, so it gets no
   * extra share for the time when it had nothing to send.
   */
  #wake(lanes: Lanes): void {
    if (lanes.busy) return;
    lanes.busy = true;
    let least = Number.POSITIVE_INFINITY;
    for (const other of this.#busy) if (other.spent < least) least = other.spent;
    lanes.spent = least === Number.POSITIVE_INFINITY ? 0 : least;
    this.#busy.push(lanes);
  }

  /** Takes back a unit that was not completely written. */
  remove(lanes: Lanes, unit: Outgoing): void {
    if (unit.list === undefined) return;
    if (unit === lanes.firstUnpaid) this.#nextUnpaid(lanes, unit);
    (unit.list as unknown as List<Outgoing>).remove(unit);
    unit.waitsFor = undefined;
    this.#gone(lanes, unit);
    if (this.over) return;
    // A unit that was paid for and never began is unknown to the receiver, which therefore can't
    // give its credit back.
    const refund = unit.unpaid || unit.begun ? 0 : unit.cost;
    if (unit.account === Account.SHORT) lanes.shortCredit += refund;
    else if (unit.account === Account.LONG) lanes.longCredit += refund;
    this.#payWaiting(lanes);
  }

  /** Drops everything that still waits on a channel, because the connection is over. */
  drop(lanes: Lanes): void {
    for (const unit of this.#unpaidReplies) if (unit.waitsFor === lanes) this.remove(lanes, unit);
    for (const lane of [lanes.replies, lanes.short, lanes.bulk, lanes.unpaidLong])
      for (const unit of lane) this.remove(lanes, unit);
  }

  #gone(lanes: Lanes, unit: Outgoing): void {
    this.#waiting--;
    this.#context.free(unit.cost);
    const tally = lanes.tallyOf(unit, this.#context.terms.packet);
    tally.messages--;
    tally.bytes -= unit.cost;
    if (this.#farewell !== undefined || this.awaited) this.#context.port.dirty();
  }

  #nextUnpaid(lanes: Lanes, from: Outgoing): void {
    let unit = from.after as Outgoing | undefined;
    while (unit !== undefined && !unit.unpaid) unit = unit.after as Outgoing | undefined;
    lanes.firstUnpaid = unit;
  }

  /**
   * Adds CREDIT to the pipe or to the account of long responses. Returns false if the account would
   * pass its maximum.
   */
  grant(account: number, credit: number): boolean {
    if (account === Account.PIPE) {
      this.drySince = Number.POSITIVE_INFINITY;
      this.#context.pipe += credit;
      if (this.#context.pipe > ACCOUNT_MAX) return false;
    } else {
      this.#context.reply += credit;
      if (this.#context.reply > ACCOUNT_MAX) return false;
      this.#payReplies();
    }
    this.#context.port.dirty();
    return true;
  }

  /**
   * Adds CREDIT to a channel's short or long account. Returns false if the account would pass its
   * maximum.
   */
  grantChannel(lanes: Lanes, account: number, credit: number): boolean {
    if (account === Account.SHORT) {
      lanes.shortCredit += credit;
      lanes.uncreditedShort.credited(credit);
    } else {
      lanes.longCredit += credit;
      lanes.uncreditedLong.credited(credit);
    }
    if (lanes.shortCredit > ACCOUNT_MAX || lanes.longCredit > ACCOUNT_MAX) return false;
    this.#payWaiting(lanes);
    this.#context.port.dirty();
    return true;
  }

  /** Pays for the waiting units of a channel, in order, as far as its accounts reach. */
  #payWaiting(lanes: Lanes): void {
    for (
      let unit = lanes.firstUnpaid;
      unit !== undefined && lanes.pay(unit);
      unit = lanes.firstUnpaid
    ) {
      this.#nextUnpaid(lanes, unit);
      unit.sender?.paid(unit);
    }
    for (
      let unit = lanes.unpaidLong.first;
      unit !== undefined && lanes.pay(unit);
      unit = lanes.unpaidLong.first
    ) {
      lanes.unpaidLong.remove(unit);
      lanes.bulk.push(unit);
      this.#wake(lanes);
      this.#context.port.dirty();
      unit.sender?.paid(unit);
    }
  }

  /** Sends a PING, PONG, CANCEL or PROTOCOLS ahead of all messages. */
  control(kind: number, id: number, bytes?: Uint8Array): void {
    if (
      !this.blocked &&
      this.#controls.length === 0 &&
      (this.#context.writer.fits(bytes === undefined ? SMALL : bytes.length) || this.flush())
    ) {
      this.#writeControl(kind, id, bytes);
      return this.wrote();
    }
    this.#controls.push({ kind, id, bytes });
    this.#controlBytes += UNIT + (bytes === undefined ? 0 : bytes.length);
    this.#context.port.dirty();
  }

  /** True if more than 1 MiB of control frames wait, which means that the peer does not read. */
  get stuffed(): boolean {
    return this.#controlBytes > CONTROL_MAX;
  }

  /** Queues an account that owes the peer credit. */
  credit(receiving: ReceiveAccount): void {
    this.#credits.push(receiving);
    this.#context.port.dirty();
  }

  /**
   * Called when a channel holds back credit to save frames. The delay is limited to 100 ms because
   * the channel's reader may take nothing more.
   */
  holds(): void {
    if (this.heldUntil !== Number.POSITIVE_INFINITY) return;
    this.heldUntil = this.#context.now + HELD;
    this.#context.port.wakeBy(this.heldUntil);
  }

  /** Sends a GO_AWAY behind everything that was accepted. */
  sayFarewell(farewell: FinalGoAway): void {
    this.#farewell ??= farewell;
    this.#context.port.dirty();
  }

  /** True once everything was written, including the farewell. */
  get saidFarewell(): boolean {
    return this.#farewell === SAID;
  }

  /**
   * Writes everything that can be written. Called at the end of a tick and when the connection has
   * drained.
   */
  pump(): void {
    if (this.blocked || !this.#pumpControl()) return;
    const { terms } = this.#context;
    while (this.#busy.length > 0) {
      const lanes = this.#pick(terms.packet);
      if (lanes === undefined) break;
      const lane = lanes.next(this.#context.pipe, terms.packet)!;
      // Writing may admit a waiting call, which may fill the batch and send it.
      if (!this.#writePacket(lanes, lane, lane.first!) || this.blocked) return;
    }
    if (this.#context.pipe <= 0 && this.drySince === Number.POSITIVE_INFINITY) this.#ranDry();
    if (this.#farewell !== undefined && this.#farewell !== SAID && this.#waiting === 0) {
      if (!this.#context.writer.fits(FRAME_OVERHEAD / 8) && !this.flush()) return;
      const { code, reason, text } = this.#farewell;
      this.#context.writer.goAway(code, reason, text);
      this.#farewell = SAID;
    }
  }

  /** Starts the timeout for a pipe that ran out of credit: a peer that reads gives credit back. */
  #ranDry(): void {
    this.drySince = this.#context.now;
    this.#context.port.wakeBy(this.drySince + STUCK);
  }

  /**
   * The time at which the peer is disconnected if it neither reads what was written nor gives
   * credit of the pipe back.
   */
  get stuckAt(): number {
    return (
      Math.min(this.drySince, this.blocked ? this.blockedSince : Number.POSITIVE_INFINITY) + STUCK
    );
  }

  /**
   * Moves the timeouts by the `lateness` milliseconds of sleep, in which no sign of the peer could
   * be read.
   */
  excuse(lateness: number): void {
    this.blockedSince += lateness;
    this.drySince += lateness;
  }

  /** Restarts the timeouts because our own rate limit, not the peer, holds everything back. */
  heldBack(now: number): void {
    this.blockedSince = now;
    if (this.drySince !== Number.POSITIVE_INFINITY) this.drySince = now;
  }

  /**
   * Picks the channel that has used the least of the wire in relation to its priority, and removes
   * channels that have nothing left from the list.
   */
  #pick(packet: number): Lanes | undefined {
    let best: Lanes | undefined;
    for (let i = this.#busy.length - 1; i >= 0; i--) {
      const lanes = this.#busy[i]!;
      if (lanes.empty) {
        lanes.busy = false;
        this.#busy.splice(i, 1);
      } else if (
        (best === undefined || lanes.spent < best.spent) &&
        lanes.next(this.#context.pipe, packet) !== undefined
      )
        best = lanes;
    }
    return best;
  }

  #writePacket(lanes: Lanes, lane: List<Outgoing>, unit: Outgoing): boolean {
    const { terms, writer } = this.#context;
    const pays = unit.account === Account.REPLY && !unit.begun;
    if (pays && this.#context.reply <= 0) {
      lane.remove(unit);
      this.#park(lanes, unit);
      return true;
    }
    const start = unit.offset;
    const end = Math.min(start + terms.packet, unit.payload.length);
    const extra = unit.begun || unit.metadata === undefined ? 0 : unit.metadata.size;
    if (!writer.fits(end - start + room(unit)) && !this.flush()) return false;
    let timeout = 0;
    if (unit.kind === Kind.REQUEST && !unit.begun) {
      timeout = unit.sender!.timeLeft(this.#context.now);
      if (timeout < 0) {
        this.remove(lanes, unit);
        unit.sender!.dropped(unit);
        return true;
      }
    }
    if (needsPipe(unit, terms.packet)) this.#context.pipe -= end - start + extra + UNIT;
    if (pays) this.#context.reply -= unit.cost;
    else if (unit.account !== 0 && !unit.begun) leaves(lanes, unit);
    this.#encode(lanes, unit, start, end, timeout);
    lanes.took(end - start + extra + UNIT);
    unit.begun = true;
    unit.offset = end;
    this.#context.active = this.#context.now;
    const last = end === unit.payload.length;
    if (last) {
      lane.remove(unit);
      this.#gone(lanes, unit);
    } else if (lane === lanes.bulk) lane.rotate();
    unit.sender?.written(unit, last);
    return writer.count < this.pacer.batch || this.flush();
  }

  #encode(lanes: Lanes, unit: Outgoing, start: number, end: number, timeout: number): void {
    const { writer } = this.#context;
    const { kind, id, payload, method, flags, metadata } = unit;
    if (kind === Kind.END) return writer.signal(kind, id);
    if (kind === Kind.ERROR)
      return writer.error(id, unit.code, unit.reason, unit.text, flags, metadata);
    if (unit.begun)
      return writer.message(Kind.PART, id, 0, 0, 0, 0, undefined, 0, payload, start, end);
    const size = end < payload.length ? payload.length : 0;
    const names = kind === Kind.ONEWAY && size === 0 ? 0 : id;
    const channel = kind === Kind.REQUEST || kind === Kind.ONEWAY ? lanes.byte : 0;
    writer.message(
      kind,
      names,
      channel,
      method,
      flags,
      timeout,
      metadata,
      size,
      payload,
      start,
      end,
    );
  }

  #pumpControl(): boolean {
    const { writer } = this.#context;
    let done = 0;
    if (this.#controls.length === 0 && this.#credits.length === 0) return true;
    for (const { kind, id, bytes } of this.#controls) {
      if (!writer.fits(bytes === undefined ? SMALL : bytes.length) && !this.flush()) break;
      this.#writeControl(kind, id, bytes);
      this.#controlBytes -= UNIT + (bytes === undefined ? 0 : bytes.length);
      done++;
    }
    this.#controls.splice(0, done);
    while (!this.blocked && this.#credits.length > 0) {
      if (!writer.fits(SMALL) && !this.flush()) break;
      this.#credits.pop()!.write(writer);
    }
    return !this.blocked;
  }

  #writeControl(kind: number, id: number, bytes: Uint8Array | undefined): void {
    const { writer } = this.#context;
    if (bytes === undefined) writer.signal(kind, id);
    else writer.hello(kind, bytes);
  }

  /**
   * Passes the batch to the connection. Returns false if the connection holds on to it, so nothing
   * more can be written.
   */
  flush(): boolean {
    if (this.#context.writer.count === 0 && this.#context.writer.size === 0) return !this.blocked;
    this.#context.mark++;
    if (this.#context.port.flush()) return true;
    this.blocked = true;
    this.blockedSince = this.#context.now;
    this.#context.port.wakeBy(this.#context.now + STUCK);
    return false;
  }

  /** Called when the connection has taken the batch that it held. */
  drained(): void {
    this.blocked = false;
    this.pump();
  }
}

/** Records that a message of account 2 or 3 has left and that its credit is outstanding. */
function leaves(lanes: Lanes, unit: Outgoing): void {
  if (unit.account === Account.SHORT) lanes.uncreditedShort.oneway(unit.cost);
  else if (unit.kind === Kind.ONEWAY) lanes.uncreditedLong.oneway(unit.cost);
  else lanes.uncreditedLong.request(unit.cost);
}

/** Returns the bytes that the first frame of a unit needs besides its packet. */
function room(unit: Outgoing): number {
  return unit.begun
    ? 0
    : unit.text.length * 3 + (unit.metadata === undefined ? 0 : unit.metadata.bytes.length);
}

/** Room for any control frame without a body. */
const SMALL = 64;
const CONTROL_MAX = 1024 * 1024;
/** Milliseconds for which credit of accounts 2 and 3 may be held back. */
const HELD = 100;
/**
 * Milliseconds after which a peer is disconnected because the connection flushed nothing, or the
 * exhausted pipe got no credit.
 */
export const STUCK = 10_000;
const SAID: FinalGoAway = { code: 0, reason: 0, text: '' };
