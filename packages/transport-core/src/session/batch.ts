// The batch of frames that is being filled, and the flag that says whether the connection has taken
// the previous batch.
//
// Owns the frames that are written but have not left, and the control frames and the credit that
// leave before any message. The other parts of the session tell it what to write. It calls the
// frame writer, and passes each batch to the port. Below are BatchPacer, which decides when a
// batch leaves, and ReceiveAccount, whose credit it writes. Tested in outbox.test.ts,
// batch-pacer.test.ts and receive-account.test.ts.

import type { TransportError } from '../errors.ts';
import type { ProtocolMethod } from '../protocol/protocol.ts';
import type { FrameWriter } from '../wire/encoder.ts';
import {
  ACCOUNT_MAX,
  Account,
  EMPTY,
  type EncodedMetadata,
  FRAME_OVERHEAD,
  inboxCost,
  UNIT,
  type WireError,
} from '../wire/frame.ts';
import * as Kind from '../wire/kind.ts';
import { goAwayFrame } from '../wire/metadata.ts';
import type { Outgoing } from './outgoing.ts';
import type { SessionContext } from './session-context.ts';

/** A small frame that is sent before all messages. */
interface Control {
  readonly kind: number;
  readonly id: number;
  /** The body of PROTOCOLS; empty for other kinds. */
  readonly hello: Uint8Array;
}

/** The frames that are sent next, and the state of the connection that takes them. */
export class Batch {
  /**
   * True if the port takes no more until `drained` is called, for example because the connection
   * still holds our last batch. Only `greet` and `lastWord` write then.
   */
  blocked = false;
  /**
   * The number of this batch. The port was given all earlier ones, but may still hold the last.
   * Starts at 1, because `OutCall.writtenIn` is 0 for a call that was not written.
   */
  number = 1;
  /** The time until which channels may hold back credit; Infinity if none does. */
  heldUntil = Number.POSITIVE_INFINITY;
  /** Decides when the batch leaves before the tick is over. */
  readonly pacer: BatchPacer;
  /** True if the session is leaving, so it checks after every write whether it is done. */
  #leaving = false;
  /** True if the batch holds messages, not only control frames and credit. */
  #hasMessages = false;
  /** Called once the batch that holds their payloads has left. */
  #leavers: (() => void)[] = [];
  readonly #controls: Control[] = [];
  #controlBytes = 0;
  /** The accounts whose credit waits, each at most once: see `ReceiveAccount.pay`. */
  readonly #credits: ReceiveAccount[] = [];
  /**
   * The accounts of channels without a protocol, by channel; undefined if none of them owes credit.
   */
  #strays: Map<number, ReceiveAccount> | undefined = undefined;
  readonly #context: SessionContext;
  readonly #writer: FrameWriter;

  constructor(context: SessionContext, writer: FrameWriter, pacer: BatchPacer) {
    this.#context = context;
    this.#writer = writer;
    this.pacer = pacer;
  }

  /** True if no control frames and no credit are waiting. */
  get idle(): boolean {
    return this.#controls.length === 0 && this.#credits.length === 0;
  }

  /** True if the batch holds as many frames as should leave together. */
  get full(): boolean {
    return this.#writer.count >= this.pacer.batch;
  }

  /** True if more than 1 MiB of control frames wait, which means that the peer does not read. */
  get stuffed(): boolean {
    return this.#controlBytes > CONTROL_MAX;
  }

  /**
   * Makes room for a frame with this many bytes of payload, metadata, text or hello. Returns false
   * if the port takes no more, so nothing may be written.
   */
  hasRoom(bytes: number): boolean {
    return !this.blocked && (this.#writer.fits(bytes) || this.flush());
  }

  // Messages. Call `hasRoom` before each of them and, outside of `Outbox.pump`, `wrote` after it.

  /** Writes a REQUEST of one packet; or a ONEWAY, whose id and timeout are 0. */
  request(
    id: number,
    method: ProtocolMethod,
    payload: Uint8Array,
    metadata: EncodedMetadata | undefined,
    timeout: number,
  ): void {
    const header = this.#writer.begin(id === 0 ? Kind.ONEWAY : Kind.REQUEST, id);
    header.channel = method.channel;
    header.method = method.id;
    header.flags = method.flags;
    header.timeout = timeout;
    this.#message(payload, 0, payload.length, metadata, method.request.owned === true);
  }

  /**
   * Writes a RESPONSE or an ITEM of one packet.
   * @param isOwned true if the program does not use its memory anymore.
   */
  answer(kind: number, id: number, payload: Uint8Array, isOwned: boolean): void {
    this.#writer.begin(kind, id);
    this.#message(payload, 0, payload.length, undefined, isOwned);
  }

  /**
   * Writes the next frame of a queued unit: END, ERROR, or a packet that ends at `end`. A payload
   * that has waited is our own, or the program must not change it until it has left (`isLent`).
   * @param channel the channel byte of its lanes.
   * @param timeout milliseconds until the deadline of a REQUEST; 0 if there is none.
   */
  unit(unit: Outgoing, channel: number, end: number, timeout: number): void {
    const { kind, id, payload, offset } = unit;
    if (kind === Kind.END) return this.#writer.signal(kind, id);
    if (unit.error !== undefined) return this.#writer.error(kind, id, unit.flags, unit.error);
    if (unit.begun) {
      this.#writer.begin(Kind.PART, id);
      return this.#message(payload, offset, end, undefined, true);
    }
    const size = end < payload.length ? payload.length : 0;
    const header = this.#writer.begin(kind, kind === Kind.ONEWAY && size === 0 ? 0 : id);
    header.channel = kind === Kind.REQUEST || kind === Kind.ONEWAY ? channel : 0;
    header.method = unit.method;
    header.flags = unit.flags;
    header.timeout = timeout;
    header.size = size;
    this.#message(payload, offset, end, unit.metadata, true);
  }

  #message(
    payload: Uint8Array,
    start: number,
    end: number,
    metadata: EncodedMetadata | undefined,
    stays: boolean,
  ): void {
    this.#writer.message(payload, start, end, metadata, stays);
    this.#hasMessages = true;
  }

  /** Writes the ERROR of a call that no queued unit answers. */
  error(id: number, flags: number, error: WireError): void {
    this.#writer.error(Kind.ERROR, id, flags, error);
  }

  /** Called after a frame was written outside of `pump`: sends the batch now or with the tick. */
  wrote(): void {
    if (this.pacer.leaves(this.#writer.count)) {
      // Credit and other control frames leave together with the answer, not in a write of their
      // own.
      this.pumpControl();
      this.flush();
      if (!this.#leaving) return;
    }
    this.#context.port.dirty();
  }

  // Control frames and credit.

  /** Writes HELLO or READY, which `flush` then sends. */
  greet(kind: number, hello?: Uint8Array): void {
    this.#writer.signal(kind, 0, hello);
  }

  /** Writes the GO_AWAY of a session that leaves gracefully. Returns false if there is no room. */
  farewell(error: WireError): boolean {
    if (!this.hasRoom(FRAME_OVERHEAD / 8)) return false;
    this.#writer.error(Kind.GO_AWAY, 0, 0, error);
    return true;
  }

  /**
   * Writes the last GO_AWAY of a connection that ends immediately. If the connection still holds a
   * batch, the port sends the frame after that batch.
   */
  lastWord(error: TransportError): void {
    if (!this.#writer.fits(FRAME_OVERHEAD / 4)) this.flush();
    this.#writer.error(Kind.GO_AWAY, 0, 0, goAwayFrame(error));
    this.flush();
  }

  /** Sends a PING, PONG, CANCEL or PROTOCOLS ahead of all messages that still wait. */
  control(kind: number, id: number, hello: Uint8Array = EMPTY): void {
    const control = { kind, id, hello };
    if (this.#controls.length === 0 && this.#write(control)) return this.wrote();
    this.#controls.push(control);
    this.#controlBytes += UNIT + hello.length;
    if (this.stuffed) this.#context.wakeBy(this.#context.now);
    this.#context.port.dirty();
  }

  /** Writes a control frame; returns false if there is no room for it. */
  #write({ kind, id, hello }: Control): boolean {
    if (!this.hasRoom(Math.max(hello.length, SMALL))) return false;
    this.#writer.signal(kind, id, hello);
    return true;
  }

  /**
   * Returns the account of a channel that has none here, because it has no protocol. The account
   * lives until its credit was written, so there are at most as many as channel bytes.
   */
  stray(channel: number): ReceiveAccount {
    this.#strays ??= new Map();
    let account = this.#strays.get(channel);
    if (account === undefined) {
      account = new ReceiveAccount(this, Account.INBOX, 0, 0, channel);
      this.#strays.set(channel, account);
    }
    return account;
  }

  /** Queues an account that owes the peer credit. */
  credit(receiving: ReceiveAccount): void {
    this.#credits.push(receiving);
    this.#context.port.dirty();
  }

  /**
   * Called when a channel holds back credit to save frames, for at most 100 ms; then `Session.wake`
   * pays it. All connections of a process pay at the same times, so that it wakes up once for all
   * of them.
   */
  holds(): void {
    if (this.heldUntil !== Number.POSITIVE_INFINITY) return;
    const { now } = this.#context;
    this.heldUntil = now + HELD - (now % HELD);
    this.#context.wakeBy(this.heldUntil);
  }

  /** Called when the channels pay all credit that they held back. */
  holdsNothing(): void {
    this.heldUntil = Number.POSITIVE_INFINITY;
  }

  /** Writes the control frames and the credit that wait. Returns false if there is no more room. */
  pumpControl(): boolean {
    let done = 0;
    if (this.idle) return true;
    for (const control of this.#controls) {
      if (!this.#write(control)) break;
      this.#controlBytes -= UNIT + control.hello.length;
      done++;
    }
    this.#controls.splice(0, done);
    while (this.#credits.length > 0 && this.hasRoom(SMALL))
      this.#credits.pop()!.write(this.#writer);
    if (this.#credits.length === 0) this.#strays = undefined;
    return !this.blocked;
  }

  // The connection.

  /**
   * Passes the batch to the port. Returns false if nothing more can be written until `drained` is
   * called.
   */
  flush(): boolean {
    if (this.blocked || (this.#writer.count === 0 && this.#writer.size === 0)) return !this.blocked;
    this.number++;
    if (this.#hasMessages) this.#context.touch();
    this.#hasMessages = false;
    if (this.#context.port.flush()) {
      this.left();
      return true;
    }
    this.blocked = true;
    this.#context.stuck('batch', true);
    return false;
  }

  /** Called when the port takes batches again; nothing of the last one is held anymore. */
  drained(): void {
    this.blocked = false;
    this.#context.stuck('batch', false);
    this.left();
  }

  /** Calls `done` once nothing that was written so far refers to a payload. */
  whenLeft(done: () => void): void {
    if (this.blocked || this.#writer.refers) this.#leavers.push(done);
    else done();
  }

  /**
   * Called when the batch has left, and when the session has ended; the connection may then still
   * hold the batch.
   */
  left(): void {
    if (this.#leavers.length === 0) return;
    const leavers = this.#leavers;
    this.#leavers = [];
    for (const done of leavers) done();
  }

  /**
   * Makes every later write mark the port as dirty, so that the session checks whether it is done.
   */
  leave(): void {
    this.#leaving = true;
  }
}

/** Enough room, in bytes, for any control frame without a body. */
const SMALL = 64;
const CONTROL_MAX = 1024 * 1024;
/** Maximum duration, in milliseconds, for which credit of an inbox may be held back. */
const HELD = 100;

// Decides how many frames make up a batch that leaves before its tick is over, so that both ends
// work at the same time.
//
// A batch is half of the frames in flight at the end that calls, a quarter at the end that answers,
// and never less than 8. (With messages of 64 bytes, this gives 1.3 to 1.9 times the calls per
// second of a fixed batch of 32, as measured.) If few calls are in flight and come one at a time,
// the next frame would leave alone anyway. It is then sent immediately, and the rest of the tick's
// work is done while it travels.

/** Decides when a batch leaves. */
export class BatchPacer {
  /** The number of frames at which a batch leaves. */
  batch: number;
  /** The batch while no calls are in flight. */
  readonly #oneways: number;
  /**
   * True if few calls are in flight, the last chunk held at most one frame, and nothing has been
   * written since.
   */
  #alone = false;
  /** The frames in flight, as `read` estimates them: four times the batch, before it is rounded. */
  #busiest = 0;

  /** @param oneways the number of frames while no calls are in flight. */
  constructor(oneways: number = ONEWAYS) {
    this.#oneways = this.batch = oneways;
  }

  /** Returns true if a batch that holds `frames` frames, one of them just written, leaves now. */
  leaves(frames: number): boolean {
    if (!this.#alone && frames < this.batch) return false;
    this.#alone = false;
    return true;
  }

  /** Called when a second frame of a chunk was read: the answers to both leave in one batch. */
  readsOn(): void {
    this.#alone = false;
  }

  /**
   * Adapts to a chunk that was read.
   * @param calls this end's calls in flight before the answers in the chunk are handled; the number
   *   afterwards would shrink with each chunk.
   * @param peers the peer's calls in flight, derived from their ids (`PeerIds.takePeak`); the
   *   number of frames in the chunk would shrink with each chunk, too.
   * @param frames the number of frames in the chunk.
   */
  read(calls: number, peers: number, frames: number): void {
    const busy = Math.max(calls * 2, peers);
    this.#busiest =
      busy >= this.#busiest ? busy : this.#busiest - 1 - ((this.#busiest - busy) >> FORGETTING);
    this.#alone = frames < 2 && this.#busiest < LEAST * 2;
    // The size changes in steps of the minimum: if a batch is slightly too small, the remaining
    // frames travel alone.
    this.batch =
      this.#busiest === 0 ? this.#oneways : Math.max(LEAST, ((this.#busiest + 31) >> 5) << 3);
  }
}

/**
 * The number of frames in a batch while no calls are in flight. No answer is awaited then, so
 * batches are large: a publisher then needs 0.78 times the CPU time that it needs with batches of
 * 32.
 */
const ONEWAYS = 128;
/**
 * The number of frames in such a batch if a rate limit applies: one batch may exceed the limit, so
 * batches are small.
 */
export const BOUNDED = 32;
/** The minimum number of frames that are worth a write of their own. */
const LEAST = 8;
/**
 * The number of bits by which a difference is shifted: each chunk reduces it by only a sixteenth,
 * because if calls are made in waves, few are in flight at the end of each wave.
 */
const FORGETTING = 4;

// The receiver's side of a credit account: what the sender may still spend, and what is owed to it
// (docs/wire-protocol.md §6).
//
// Owns the figures of one account. Its users report the units that arrive and those that are used.
// It queues itself at the batch, its creditor, when it owes credit.

/** The part of a batch that accounts use. */
export type Creditor = Pick<Batch, 'credit' | 'holds'>;

/**
 * One account on its receiver's side. The credit of units that were used or discarded is given
 * back. Less than a quarter of the account and of the sender's spare credit may be held back to
 * save frames, unless the caller wants all to be paid now (`eager`). While the reader of a stream
 * waits, only a little of a large account is held back (`payWaiting`). An inbox, the account of a
 * channel, holds back nothing for long, because only its credit tells the sender that one-ways are
 * done.
 */
export class ReceiveAccount {
  /**
   * The sender's credit as this end knows it: never less than the sender's own figure, and negative
   * after a large unit.
   */
  left: number;
  #owed = 0;
  /** The number of one-ways that are done and were not reported. */
  #done = 0;
  #queued = false;
  protected ended = false;
  /** The initial credit in bytes. */
  protected readonly start: number;
  readonly #creditor: Creditor;
  readonly #account: number;
  readonly #id: number;
  readonly #channel: number;

  constructor(creditor: Creditor, account: number, start: number, id = 0, channel = 0) {
    this.#creditor = creditor;
    this.#account = account;
    this.start = this.left = start;
    this.#id = id;
    this.#channel = channel;
  }

  /** Charges a unit that arrived. Returns false if the account was empty, which is a violation. */
  spend(cost: number): boolean {
    if (this.left <= 0) return false;
    this.left -= cost;
    return true;
  }

  /**
   * Gives back the cost of a unit that was used or discarded.
   * @param eager true if nothing is held back.
   * @param spare credit that the sender has and does not need, in addition to the initial credit;
   *   the sum is below 2 GiB, like all credit.
   */
  giveBack(cost: number, eager: boolean, spare = 0): void {
    this.#owed += cost;
    if (eager || this.#owed >= (this.start + spare) >> 2) this.pay();
    else if (this.#account === Account.INBOX && this.#owed === cost) this.#creditor.holds();
  }

  /**
   * Gives back the cost of a message on an inbox: of a request that was taken or dropped, or of a
   * one-way, which is then done.
   * @param cost the bytes of the message and UNIT.
   * @param eager true if nothing is held back: for requests, and one-ways that reach no inbox.
   */
  giveBackMessage(isOneway: boolean, cost: number, eager: boolean): void {
    if (isOneway) this.#done++;
    this.giveBack(inboxCost(isOneway, cost), eager);
  }

  /**
   * Called while a reader waits for more: pays what is owed, unless the account is large and little
   * is owed. The sender's account is then far above 0, so it continues.
   */
  payWaiting(): void {
    if (this.#owed >= (this.start - USUAL_START) >> 3) this.pay();
  }

  /** Pays all credit that is owed, in the next batch of frames. */
  pay(): void {
    if (this.#owed === 0 || this.#queued || this.ended) return;
    this.#queued = true;
    this.#creditor.credit(this);
  }

  /** Called when the stream has ended: nothing more is given back. */
  end(): void {
    this.ended = true;
  }

  /** Called by the creditor when it can write the credit. */
  write(writer: FrameWriter): void {
    this.#queued = false;
    if (this.ended || this.#owed === 0) return;
    this.left += this.#owed;
    // A peer may send any amount to a channel without a protocol, because nobody counts it.
    const credit = Math.min(this.#owed, ACCOUNT_MAX);
    writer.credit(this.#account, credit, this.#id, this.#channel, this.#done);
    this.#owed = this.#done = 0;
  }
}

/**
 * Maximum size, in bytes, of an account that holds nothing back while a reader waits; a larger one
 * holds back an eighth of the part above this size.
 */
const USUAL_START = 256 * 1024;
