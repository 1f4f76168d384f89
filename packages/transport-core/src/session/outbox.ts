// The messages that wait to be sent: the channel and the lane whose turn is next, and the credit
// that the messages need (docs/wire-protocol.md §7). Priority only affects bytes that this end
// still holds, so nothing is written into a batch before it can leave.
//
// Owns the order of the channels that have something to send, and our credit on the account of the
// pipe. The callers, callees and streams tell it which units to send; the session passes it the
// peer's CREDIT. It writes into the batch, and tells the sender of a unit when it is paid for and
// when a packet of it is written, but not when it is dropped. Tested in outbox.test.ts; credit in
// outbox-credit.test.ts.

import { List } from '../list.ts';
import { ACCOUNT_MAX, type EncodedMetadata, UNIT, type WireError } from '../wire/frame.ts';
import * as Kind from '../wire/kind.ts';
import type { Batch } from './batch.ts';
import { Lanes, needsPipe, type Outgoing } from './outgoing.ts';
import type { SessionContext } from './session-context.ts';

/** The queue of a connection: all messages that wait to be sent. */
export class Outbox {
  /** Our credit for packets of long messages and items, in bytes. */
  pipe = 0;
  /**
   * The number of our calls that wait for room, on all channels. As long as there are any, the
   * session checks for room each time a unit has left or was dropped.
   */
  awaited = 0;
  /** True once the peer has granted credit for the pipe. */
  #wasGranted = false;
  /** True if the connection has ended: what waits is dropped all at once. */
  #over = false;
  readonly batch: Batch;
  readonly context: SessionContext;
  /** Channels that have a unit in one of their lanes, or had one when `#pick` last looked. */
  readonly #busy: Lanes[] = [];
  /** The total price of the long responses in the lanes. */
  #admittedReplies = 0;
  /** Long responses that wait because those in the lanes are as many as allowed, in order. */
  readonly #waitingReplies = new List<Outgoing>();
  /**
   * The lanes of refusals that belong to no channel; undefined before the first one. They have no
   * credit, because a refusal needs none, and their byte is never written.
   */
  #nowhere: Lanes | undefined = undefined;
  /** The GO_AWAY that is sent after everything that was accepted. */
  #farewell: WireError | undefined = undefined;
  /** True once everything was written, including the farewell. */
  saidFarewell = false;
  /** The number of units that were pushed and have not left, including those that wait to begin. */
  #waiting = 0;

  constructor(context: SessionContext, batch: Batch) {
    this.context = context;
    this.batch = batch;
  }

  /** True if nothing waits to be sent, except what the batch may hold. */
  get idle(): boolean {
    return this.#waiting === 0 && this.batch.idle;
  }

  /** True if a long message or an item is ready and the pipe has no credit for it. */
  get starved(): boolean {
    return (
      this.pipe <= 0 && this.#busy.some(({ bulk, huge }) => bulk.length > 0 || huge.length > 0)
    );
  }

  /** Opens the account of the connection with the credit that the peer's HELLO grants. */
  open({ pipe }: { readonly pipe: number }): void {
    this.pipe = pipe;
    this.#wasGranted = pipe > 0;
  }

  /** Called when a call begins to wait for room, and when it no longer waits. */
  await(change: 1 | -1): void {
    this.awaited += change;
  }

  /** Called when the connection has ended, before its calls end; `drop` follows. */
  end(): void {
    this.#over = true;
    this.batch.left();
  }

  /**
   * Returns true if a short frame of `bytes` may go straight into the batch, which means that
   * nothing that could be sent is queued before it. May flush the batch to make room. The caller
   * checks its own lane, where an earlier unit may wait for credit.
   */
  straight(bytes: number): boolean {
    return (this.#busy.length === 0 || !this.#sendable()) && this.batch.hasRoom(bytes);
  }

  /**
   * Writes an item straight into the batch. Returns false if it has to wait in its lane. The caller
   * (`OutStream.write`) has checked the credit of its stream and that no earlier item waits.
   */
  item(id: number, payload: Uint8Array, isOwned: boolean): boolean {
    if (
      this.pipe <= 0 ||
      payload.length > this.context.terms.packet ||
      !this.straight(payload.length)
    )
      return false;
    this.pipe -= payload.length + UNIT;
    this.batch.answer(Kind.ITEM, id, payload, isOwned);
    this.batch.wrote();
    if (this.pipe <= 0) this.context.port.dirty();
    return true;
  }

  /**
   * Writes an ERROR straight into the batch; the caller then calls `batch.wrote`. Returns false if
   * it has to wait in its lane.
   */
  error(lanes: Lanes, id: number, flags: number, error: WireError): boolean {
    if (lanes.replies.length > 0 || !this.straight(room(error, error.metadata))) return false;
    this.batch.error(id, flags, error);
    return true;
  }

  /**
   * Sends the ERROR of a call that was not admitted. Ends the connection as a flood if more of them
   * wait than `limits.calls` and `limits.outbound`, or SCARCE without memory, allow: the peer makes
   * calls but does not read the answers.
   * @param lanes undefined if the call was for no channel that exists here.
   */
  refuse(lanes: Lanes | undefined, unit: Outgoing): void {
    lanes ??= this.#nowhere ??= new Lanes(0, 0);
    if (this.error(lanes, unit.id, unit.flags, unit.error!)) return this.batch.wrote();
    const { refusals } = lanes;
    const { calls, outbound } = this.context.limits;
    const isFull = refusals.messages >= calls && refusals.full(outbound);
    if (!isFull && (refusals.messages < SCARCE || this.context.memory.fits(0))) {
      this.push(lanes, unit, 'replies');
      return this.context.usage.makeRoom();
    }
    const limit = isFull ? 'limits.outbound' : 'limits.memory';
    const text = `${refusals.messages} refusals wait to be sent, ${limit} allows no more: it makes calls and does not read the answers`;
    this.context.violation(text, 'flood');
  }

  /** Returns true if a unit in some lane could be sent now. */
  #sendable(): boolean {
    const { packet } = this.context.terms;
    return this.#busy.some((lanes) => lanes.next(this.pipe, packet) !== undefined);
  }

  /**
   * Puts a unit into a lane and counts it in its tally. The unit is paid for immediately unless it
   * or an earlier one has to wait for credit. A long response goes into `bulk`, whatever `lane` is,
   * as soon as it may begin.
   */
  push(lanes: Lanes, unit: Outgoing, lane: 'replies' | 'short' | 'bulk'): void {
    this.#waiting++;
    unit.pushTo(lanes);
    this.context.usage.hold(unit.cost);
    lanes.tallyOf(unit, this.context.terms.packet).count(1, unit.price);
    if (this.#isLongReply(unit)) {
      unit.wait(true);
      this.#waitingReplies.push(unit);
      return this.#admitReplies();
    }
    // A long unit enters its lane once it is paid for.
    const isLong = lane === 'bulk' && unit.pays;
    if (!isLong) lanes[lane].push(unit);
    const isPaid = unit.pays && lanes.payOrWait(unit, isLong);
    if (isLong && !isPaid) return;
    this.#wake(lanes);
    if (isPaid) unit.sender?.paid?.();
  }

  #isLongReply({ kind, payload }: Outgoing): boolean {
    return kind === Kind.RESPONSE && payload.length > this.context.terms.packet;
  }

  /**
   * Moves long responses into the bulk lanes, in order, as long as they may begin.
   * @param freed the price of one that has left or was dropped.
   */
  #admitReplies(freed = 0): void {
    this.#admittedReplies -= freed;
    for (const unit of this.#waitingReplies) {
      if (this.#admittedReplies + unit.price > REPLIES_MAX) return;
      this.#admittedReplies += unit.price;
      const lanes = unit.lanes!;
      this.#waitingReplies.remove(unit);
      unit.wait(false);
      lanes.bulk.push(unit);
      this.#wake(lanes);
    }
  }

  /**
   * Adds a channel that has something to send to the busy list. It starts at the current minimum of
   * `spent`, so it gets no extra share for the time when it had nothing to send.
   */
  #wake(lanes: Lanes): void {
    this.context.port.dirty();
    if (this.#busy.includes(lanes)) return;
    let least = Number.POSITIVE_INFINITY;
    for (const other of this.#busy) if (other.spent < least) least = other.spent;
    lanes.join(least === Number.POSITIVE_INFINITY ? 0 : least);
    this.#busy.push(lanes);
  }

  /** Takes back a unit that was not completely written. */
  remove(unit: Outgoing): void {
    if (unit.list === undefined || this.#over) return;
    const lanes = unit.lanes!;
    lanes.remove(unit);
    this.#gone(lanes, unit);
    this.#payWaiting(lanes);
    this.context.port.dirty(); // Those behind it may be sent now.
  }

  /** Drops everything that still waits, because the connection has ended. */
  drop(all: readonly Lanes[]): void {
    let cost = 0;
    const lists = all.flatMap((lanes) => lanes.lists).concat(this.#nowhere?.lists ?? []);
    for (const list of [this.#waitingReplies, ...lists]) {
      for (const unit of list) cost += unit.cost;
      list.clear();
    }
    // Otherwise, a stalled channel would stay congested, and its one-ways would not be delivered.
    for (const { longReplies } of all) longReplies.clear();
    this.context.usage.free(cost);
  }

  #gone(lanes: Lanes, unit: Outgoing): void {
    this.#waiting--;
    this.context.usage.free(unit.cost);
    lanes.tallyOf(unit, this.context.terms.packet).count(-1, unit.price);
    if (this.#isLongReply(unit)) this.#admitReplies(unit.unpaid ? 0 : unit.price);
    if (this.#farewell !== undefined || this.awaited > 0) this.context.port.dirty();
  }

  /** Adds CREDIT to the pipe. Returns false if the account then exceeds its maximum. */
  grant(credit: number): boolean {
    this.context.stuck('pipe', false);
    this.#wasGranted = true;
    this.pipe += credit;
    this.context.port.dirty();
    return this.pipe <= ACCOUNT_MAX;
  }

  /**
   * Adds CREDIT to the inbox account of a channel, and pays for units that wait for it. Returns
   * false if it is wrong; see `Lanes.grant`.
   */
  grantChannel(lanes: Lanes, credit: number, done: number): boolean {
    if (!lanes.grant(credit, done)) return false;
    this.#payWaiting(lanes);
    this.context.port.dirty();
    return true;
  }

  /** Pays for the waiting units of a channel, in order, as far as its credit reaches. */
  #payWaiting(lanes: Lanes): void {
    for (let unit = lanes.payNext(); unit !== undefined; unit = lanes.payNext()) {
      if ((unit.list as unknown) === lanes.bulk) this.#wake(lanes);
      unit.sender?.paid?.();
    }
  }

  /** Sends a GO_AWAY after everything that was accepted. */
  sayFarewell(farewell: WireError): void {
    this.#farewell ??= farewell;
    this.context.port.dirty();
  }

  /**
   * Writes everything that can be written. Called at the end of a tick and when the connection has
   * drained.
   */
  pump(): void {
    if (this.batch.blocked || !this.batch.pumpControl()) return;
    const { packet } = this.context.terms;
    while (this.#busy.length > 0) {
      const lanes = this.#pick(packet);
      if (lanes === undefined) break;
      const lane = lanes.next(this.pipe, packet)!;
      // Writing may admit a waiting call, which may fill the batch and send it.
      if (!this.#writePacket(lanes, lane, lane.first!) || this.batch.blocked) return;
    }
    // A peer that reads gives credit back. One that never grants any is left alone as long as
    // nothing needs it.
    if (this.pipe <= 0 && (this.#wasGranted || this.starved)) this.context.stuck('pipe', true);
    if (this.#farewell !== undefined && !this.saidFarewell && this.#waiting === 0)
      this.saidFarewell = this.batch.farewell(this.#farewell);
  }

  /**
   * Picks the channel that has used the least of the wire in relation to its priority. Removes
   * channels that have nothing left to send from the list.
   */
  #pick(packet: number): Lanes | undefined {
    let best: Lanes | undefined;
    for (let i = this.#busy.length - 1; i >= 0; i--) {
      const lanes = this.#busy[i]!;
      if (lanes.empty) this.#busy.splice(i, 1);
      else if (
        (best === undefined || lanes.spent < best.spent) &&
        lanes.next(this.pipe, packet) !== undefined
      )
        best = lanes;
    }
    return best;
  }

  /**
   * Writes the next packet of a unit, or drops a REQUEST whose deadline has passed. Returns false
   * if the batch takes no more.
   */
  #writePacket(lanes: Lanes, lane: List<Outgoing>, unit: Outgoing): boolean {
    const { terms, now } = this.context;
    const start = unit.offset;
    const end = Math.min(start + terms.packet, unit.payload.length);
    const extra = unit.begun || unit.metadata === undefined ? 0 : unit.metadata.size;
    const more = unit.begun ? 0 : room(unit.error, unit.metadata);
    if (!this.batch.hasRoom(end - start + more)) return false;
    let timeout = 0;
    if (unit.kind === Kind.REQUEST && !unit.begun) {
      timeout = unit.sender!.timeLeft!(now);
      if (timeout < 0) {
        this.remove(unit);
        return true;
      }
    }
    const bytes = end - start + extra + UNIT;
    if (needsPipe(unit, terms.packet)) this.pipe -= bytes;
    const begins = !unit.begun && unit.pays;
    this.batch.unit(unit, lanes.byte, end, timeout);
    const isLast = lanes.wrote(unit, end, bytes, lane);
    if (isLast) this.#gone(lanes, unit);
    unit.sender?.written(unit, isLast);
    if (begins) this.#payWaiting(lanes);
    return !this.batch.full || this.batch.flush();
  }
}

/** Returns the number of bytes that the first frame of a unit needs besides its packet. */
function room(error: WireError | undefined, metadata: EncodedMetadata | undefined): number {
  return (error === undefined ? 0 : error.text.length * 3) + (metadata?.bytes.length ?? 0);
}

/**
 * Maximum price, in bytes, of the long responses in the lanes of a connection. They are not paid
 * from an account, so this bounds how many unfinished responses the caller has to keep. It must be
 * at least MOST_PRICE, or the longest responses would never begin.
 */
const REPLIES_MAX = 16 * 1024 * 1024;
/** Maximum number of refusals that may wait on a channel when `limits.memory` is reached. */
const SCARCE = 64;
