// Incoming calls as the session sees them. The `rpc` directory builds on them what a handler or
// reader sees. Below is PeerIds, the table of the peer's calls by id.
//
// InCall owns the state of a call. The session that serves it, its inbox and its reader tell it
// what happened; it counts itself at its channel and gives its cost back to its account. Mounted
// and InChannel are the protocol and the channel of the call. AnswerCarrier and CallObserver are
// the parts that it tells. Tested in session.test.ts and rpc/inbox.test.ts; PeerIds in
// id-table.test.ts.

import { stackless, TransportError } from '../errors.ts';
import { List, type ListEntry } from '../list.ts';
import type { MethodTable, Protocol, ProtocolMethod } from '../protocol/protocol.ts';
import type { Remote } from '../remote.ts';
import { Account, EMPTY, type Frame, slotOf } from '../wire/frame.ts';
import { type Creditor, ReceiveAccount } from './batch.ts';
import type { MessageOwner } from './memory.ts';
import { Lanes, type Outgoing, type UnitSender } from './outgoing.ts';
import { type Assembly, longCost } from './packets.ts';
import type { SessionContext } from './session-context.ts';
import type { InStream, OutStream } from './streams.ts';

/**
 * A protocol as this end has mounted it, which receives the peer's calls. It is an interface
 * because `Inbox`, which implements it, is in a higher layer.
 */
export interface Mounted {
  readonly protocol: Protocol;
  readonly table: MethodTable;
  /** A complete request or one-way, or the opening request of an upload. */
  incoming(call: InCall): void;
  /**
   * Called when the session has removed the call from the inbound queue, because the call or its
   * connection ends; and before the call gives back its cost, because its account tells how the
   * queue has counted it.
   */
  withdrawn(call: InCall): void;
  /** The queued replies of a channel have drained, so its calls may be dispatched again. */
  feedAll(): void;
  /** Reports the error of a handler that its caller does not see. */
  handlerFailed(error: unknown): void;
}

/**
 * The side of a channel that its incoming calls use. `Channel`, which extends it, sets the protocol
 * and the version, and ends a stall. `Inbox` keeps `inbound`, its counts and `crowded`; `Callee`
 * only removes calls from `inbound`, and then calls `withdrawn`. `Callee` counts `openIn`, and each
 * call counts itself in `running` or `oneways`.
 */
export class InChannel {
  readonly context: SessionContext;
  readonly byte: number;
  mounted: Mounted | undefined = undefined;
  /** The protocol version that both ends agreed on. */
  version = 0;
  readonly lanes: Lanes;
  /** The peer's account with this end, for its one-ways and long requests. */
  readonly inbox: ReceiveAccount;

  /**
   * The numbers of the peer's calls that have no terminal frame yet, and of requests that run; see
   * `InCall.run`.
   */
  openIn = 0;
  running = 0;
  /**
   * The number of one-ways that run, and whether more wait because `limits.calls` or `limits.total`
   * allows no more.
   */
  oneways = 0;
  crowded = false;
  /**
   * Calls that arrived and were not taken; `queued` counts those among them without an `account`,
   * `queuedBytes` their bytes: short requests, and long ones that an asynchronous rule has allowed.
   */
  readonly inbound = new List<InCall>();
  queued = 0;
  queuedBytes = 0;
  /** True if so many replies wait that the channel's calls are not dispatched for now. */
  stalled = false;

  constructor(context: SessionContext, creditor: Creditor, byte: number) {
    this.context = context;
    this.byte = byte;
    this.lanes = new Lanes(byte, context.terms.inbox);
    this.inbox = new ReceiveAccount(creditor, Account.INBOX, context.limits.credit.inbox, 0, byte);
  }

  /** Called with 1 when a call is admitted, and with -1 when its terminal frame is written. */
  countIncoming(change: 1 | -1): void {
    this.openIn += change;
  }

  /** Called when a call begins to run, and when it no longer runs. */
  countRunning(change: 1 | -1, isOneway: boolean): void {
    if (isOneway) this.oneways += change;
    else this.running += change;
  }

  /**
   * Called when a request without an `account` begins to wait for a reader, and when it no longer
   * waits.
   */
  countQueued(change: 1 | -1, cost: number): void {
    this.queued += change;
    this.queuedBytes += change * cost;
  }

  /**
   * Called when one-ways begin to wait because too many are being handled, and when the next one
   * may be handled.
   */
  crowd(isCrowded: boolean): void {
    this.crowded = isCrowded;
  }

  /**
   * Returns true if so many answers wait that no more calls of the channel should be dispatched;
   * `Mounted.feedAll` is called when there is room.
   */
  congested(): boolean {
    const { context, lanes } = this;
    // For almost all calls no answers wait, so the limits need not be checked.
    if (lanes.replies.length === 0 && lanes.longReplies.messages === 0) return false;
    if (!lanes.congested(context.limits.outbound)) return false;
    this.stalled = true;
    // A tick follows, in which `Channel.settleIfRoom` ends the stall once there is room.
    context.port.dirty();
    return true;
  }
}

/**
 * Sends the answers of incoming calls. It is an interface because `Callee`, which implements it,
 * imports this file.
 */
export interface AnswerCarrier {
  /**
   * Sends a response, or an error if the response can't be sent. Returns false if the caller has
   * gone.
   */
  respond(call: InCall, payload: Uint8Array): boolean;
  /**
   * Sends an error. Returns false if the caller has gone.
   * @param unprocessed true if no handler has seen the call.
   */
  fail(call: InCall, error: TransportError, unprocessed: boolean): boolean;
  /** Ends the download of a call. Returns false if the caller has gone. */
  finish(call: InCall): boolean;
  /**
   * Ends a call because its caller is gone, its time is up, its message can't be received, no
   * reader takes it, or its protocol closes. Its ERROR does not wait for the handler, which learns
   * of it through its signal. A one-way is dropped and counted in `onewayDropped`.
   */
  abort(call: InCall, error: TransportError, unprocessed?: boolean): void;
  /** Called when a terminal frame of `call` is in the batch. */
  forget(call: InCall): void;
  /** Schedules a check of the call at `time`, in case no reader takes it by then. */
  expires(call: InCall, time: number): void;
}

/**
 * Either a handler of `serve` or an asynchronous rule, which end by themselves, or a reader of
 * `consumer()`, which may never answer a call whose caller is gone.
 */
export type Running = typeof HANDLER | typeof READER;
export const HANDLER = 1;
export const READER = 2;

/**
 * Follows a call that is observed. It is an interface because `HandlingRecord`, which implements
 * it, is in a higher layer.
 */
export interface CallObserver {
  itemSent(bytes: number): void;
  itemReceived(bytes: number): void;
  /**
   * Called when the call's answer will be sent: a response of `bytes` bytes, or the end of the
   * items (0).
   */
  answered(bytes: number): void;
  /** Called when an error will be sent instead, or a one-way was refused or its handler failed. */
  failed(error: TransportError): void;
  /** Called when the answer is no longer awaited, for this reason. */
  left(error: TransportError): void;
  /** Called when a one-way, which nobody answers, was refused or its reader is done with it. */
  done(): void;
}

/**
 * One incoming call, from the first packet of its request until it is answered and its handler has
 * ended.
 */
export class InCall implements ListEntry, MessageOwner, UnitSender {
  readonly id: number;
  readonly channel: InChannel;
  readonly method: ProtocolMethod;
  readonly metadata: Record<string, string> | undefined;
  /** The time at which the call ends, on the transport's clock; Infinity if never. */
  readonly due: number;
  payload: Uint8Array;
  /**
   * The account that paid for a one-way or a long request; undefined if none has to get it back. It
   * stays charged until the request is taken or refused, or until a one-way's reader is done.
   */
  account: ReceiveAccount | undefined;
  /**
   * The bytes of its message and UNIT. The inbound queue counts that amount, and the call holds
   * that amount of the transport's memory while it waits or is handled.
   */
  readonly cost: number;
  /** True until its terminal is decided or its caller is gone; always false for a one-way. */
  open: boolean;
  /** True once its reader has answered it. */
  answered = false;
  /** The kind of reader that works on it, between `run` and `handled`; otherwise 0. */
  running: 0 | Running = 0;
  readonly carrier: AnswerCarrier;
  /**
   * Its place among the deadlines of its session; -1 if it is not there. Only `Deadlines` changes
   * it.
   */
  place = -1;

  // The following properties matter only for a call that waits, is long, streams or is given up.
  // All others do not have them, which saves memory. Call `widen` before setting any of them: it
  // sets all at once, because V8 is slow with objects of many shapes.
  declare private wide: true | undefined;
  declare list: List<ListEntry> | undefined;
  declare before: ListEntry | undefined;
  declare after: ListEntry | undefined;
  /** The long message that is arriving: the request, or an item of the upload. */
  declare assembly: Assembly | undefined;
  /** The terminal frame that waits in the lanes. */
  declare reply: Outgoing | undefined;
  declare upload: InStream | undefined;
  declare download: OutStream | undefined;
  /** The reason why the answer is no longer awaited. */
  declare gone: TransportError | undefined;
  /**
   * Called when the answer is no longer awaited, if the reader or an asynchronous rule asked for
   * that (`whenGone`).
   */
  declare cancelled: ((error: TransportError) => void) | undefined;
  /** Objects that the reader asked for; owned by the reader. */
  declare seen: object | undefined;
  /**
   * The time at which the call is refused because no reader takes it; Infinity as long as its
   * protocol has a reader.
   */
  declare refuseAt: number;

  // The following properties matter only for a call that needs a permission or that is observed.
  // They are set without `widen`.
  /** True once an asynchronous rule has allowed it. */
  declare permitted: boolean;
  /** The time at which it began to wait for a reader. */
  declare queuedAt: number | undefined;
  declare observer: CallObserver | undefined;

  /** @param payload the payload of the frame, in a form that the reader may keep. */
  constructor(
    carrier: AnswerCarrier,
    frame: Frame,
    channel: InChannel,
    method: ProtocolMethod,
    payload: Uint8Array,
  ) {
    this.carrier = carrier;
    this.id = frame.id;
    this.channel = channel;
    this.method = method;
    this.metadata = frame.metadata;
    this.cost = longCost(frame);
    this.open = method.kind !== 'oneway';
    this.account = this.open && frame.size === 0 ? undefined : channel.inbox;
    this.due = frame.timeout === 0 || !this.open ? NEVER : channel.context.now + frame.timeout;
    this.payload = payload;
  }

  /** The calling peer. */
  get from(): Remote | undefined {
    return this.channel.context.remote;
  }

  /** Initializes the optional properties, all at once; values set before are lost. */
  widen(): void {
    if (this.wide) return;
    this.wide = true;
    this.list = this.before = this.after = undefined;
    this.assembly = this.upload = this.download = undefined;
    this.reply = this.gone = this.cancelled = this.seen = undefined;
    this.refuseAt = Number.POSITIVE_INFINITY;
  }

  // Changes of the state, by the session that serves the call, its inbox and its reader.

  /**
   * Gives the call's cost back to the account that paid for it, once: that of a request when it is
   * taken, that of a one-way when its reader is done. For a one-way, it also tells the observer.
   * @param isAborted true if the call was aborted or withdrawn, so its credit is not held back.
   */
  giveBack(isAborted = false): void {
    const isOneway = this.method.kind === 'oneway';
    this.account?.giveBackMessage(isOneway, this.cost, isAborted || !isOneway);
    this.account = undefined;
    if (isOneway) this.observer?.done();
  }

  /** Begins to receive a long request, one-way or item. */
  assemble(assembly: Assembly): void {
    this.widen();
    this.assembly = assembly;
    if (!assembly.isItem) this.payload = EMPTY;
  }

  /** Takes a long message that is complete, and returns it; unless an item, it is the payload. */
  complete(assembly: Assembly): Uint8Array {
    this.assembly = undefined;
    const message = assembly.take()!;
    if (!assembly.isItem) this.payload = message;
    return message;
  }

  /** Abandons an incomplete long message. */
  endAssembly(): void {
    if (this.assembly === undefined) return;
    this.assembly.drop();
    this.assembly = undefined;
  }

  /**
   * Abandons a long message because `limits.memory` has no room for it: a request or a streaming
   * call is refused, a one-way is dropped.
   */
  crowdOut(): void {
    const isOneway = this.method.kind === 'oneway';
    // The call is answered already, so the rest of its upload is not needed.
    if (!this.open && !isOneway) return this.endAssembly();
    const { context } = this.channel;
    const { used, limit } = context.memory;
    const message = `${this.method.full}: limits.memory is reached, ${used} of ${limit} bytes are held, and this connection holds most of the unfinished messages`;
    if (!isOneway) context.count('refusedCall', 1);
    const isRequest = this.assembly?.isItem === false;
    this.carrier.abort(this, stackless('resource_exhausted', message), isRequest);
  }

  /** Abandons a long message because none of its packets has arrived for too long. */
  stopped(): void {
    // The end of another call may have ended this one.
    if (this.assembly === undefined) return;
    const { got, size } = this.assembly;
    const message = `${this.method.full}: the message stopped after ${got} of ${size} bytes`;
    this.carrier.abort(this, new TransportError('aborted', message));
  }

  openStreams(upload: InStream | undefined, download: OutStream | undefined): void {
    this.widen();
    this.upload = upload;
    this.download = download;
  }

  /** Sets the time at which the call is refused unless a reader takes it. */
  refuseBy(time: number): void {
    this.widen();
    this.refuseAt = time;
  }

  /**
   * Called when a reader is given a request, when the handler of a call returns a promise or items,
   * and when a rule returns a promise. (A handler that answers at once does not run.)
   * `limits.calls` bounds the number of running calls.
   */
  run(by: Running): void {
    this.running = by;
    this.dropPayload();
    this.channel.countRunning(1, this.method.kind === 'oneway');
    this.channel.context.usage.works(1, this.cost, by === READER);
  }

  /**
   * Called when it was answered or its handler has ended; ends its run if one has started. A call
   * that waited for a rule runs a second time.
   */
  handled(): void {
    if (this.running === 0) return;
    this.channel.context.usage.works(-1, this.cost, this.running === READER);
    this.running = 0;
    this.channel.countRunning(-1, this.method.kind === 'oneway');
  }

  /** Releases the request; its reader keeps what it needs of it. */
  dropPayload(): void {
    this.payload = EMPTY;
  }

  /** Marks the call as answered by its reader. */
  answer(): void {
    this.answered = true;
  }

  /** Marks the call as settled. Returns false if the caller was no longer waiting. */
  close(): boolean {
    const { open } = this;
    this.open = false;
    return open;
  }

  /** Queues its terminal frame. */
  queueReply(unit: Outgoing): void {
    this.widen();
    this.reply = unit;
  }

  /** Returns the terminal frame that still waits in the lanes, and clears the reference to it. */
  takeReply(): Outgoing | undefined {
    const { reply } = this;
    if (reply !== undefined) this.reply = undefined;
    return reply;
  }

  /** Keeps an object of its reader. */
  remember<T extends object>(seen: T): T {
    this.widen();
    this.seen = seen;
    return seen;
  }

  /** Calls `notify` when the answer is no longer awaited; never if that is so already (`gone`). */
  whenGone(notify: (error: TransportError) => void): void {
    this.widen();
    const { cancelled } = this;
    this.cancelled =
      cancelled === undefined
        ? notify
        : (error) => {
            cancelled(error);
            notify(error);
          };
  }

  /**
   * Records whether an asynchronous rule has allowed the call. The payload was released while the
   * call waited for the rule.
   */
  ruled(payload: Uint8Array, isPermitted: boolean): void {
    this.permitted = isPermitted;
    this.payload = payload;
  }

  /** Records that it has been waiting for a reader since `time`. */
  waitsSince(time: number): void {
    this.queuedAt = time;
  }

  /** Makes `observer` follow the call. */
  observe(observer: CallObserver): void {
    this.observer = observer;
  }

  /** Records that the answer is no longer awaited, and notifies the handler. */
  left(error: TransportError): void {
    if (this.leaves(error)) this.tell();
  }

  /**
   * Records that the caller of this call, which is closed, is gone, as `left` does, but without
   * notifying its handler. Returns true if its handler must be notified.
   */
  leaves(error: TransportError): boolean {
    this.widen();
    this.gone = error;
    this.observer?.left(error);
    return this.cancelled !== undefined;
  }

  /** Notifies its handler that the caller is gone. */
  tell(): void {
    this.cancelled?.(this.gone!);
  }

  written(_unit: Outgoing, last: boolean): void {
    if (!last) return;
    this.reply = undefined;
    this.carrier.forget(this);
  }
}

/** Returns the answer to a call that no handler and no consumer takes. */
export function unserved({ full }: ProtocolMethod): TransportError {
  const text = `'${full}' is not served on this peer: give serve() a handler for it, or read its calls from consumer()`;
  return stackless('unimplemented', text);
}

const NEVER = Number.POSITIVE_INFINITY;

/** Defaults of the optional properties that are not undefined. */
Object.assign(InCall.prototype, { refuseAt: NEVER, permitted: false });

// The peer's calls by their id on the wire. The peer may choose any ids of its parity. The callee
// enters and removes its calls.

/** The peer's calls: an array indexed by slot while ids are dense, and a Map for the rest. */
export class PeerIds<T extends { readonly id: number }> {
  private readonly dense: (T | undefined)[] = [];
  #rest: Map<number, T> | undefined = undefined;
  size = 0;
  /** The highest slot used since the last `takePeak`, plus one. */
  #peak = 0;

  get(id: number): T | undefined {
    const entry = this.dense[slotOf(id)];
    if (entry !== undefined && entry.id === id) return entry;
    return this.#rest?.get(id);
  }

  /** Adds an entry, whose id must not be in the table. */
  set(entry: T): void {
    const { dense } = this;
    const slot = slotOf(entry.id);
    if (slot >= this.#peak) this.#peak = slot + 1;
    this.size++;
    if (slot <= dense.length && slot < DENSE && dense[slot] === undefined) dense[slot] = entry;
    else (this.#rest ??= new Map()).set(entry.id, entry);
  }

  /**
   * Returns the highest slot used since the last call, plus one. With dense ids this is the number
   * of calls in flight. The session asks after each chunk, for `BatchPacer`.
   */
  takePeak(): number {
    const peak = this.#peak;
    this.#peak = 0;
    return peak;
  }

  /** Removes an entry; returns false if it was not in the table. */
  delete(entry: T): boolean {
    const slot = slotOf(entry.id);
    if (this.dense[slot] === entry) this.dense[slot] = undefined;
    else if (this.#rest?.get(entry.id) === entry) this.#rest.delete(entry.id);
    else return false;
    this.size--;
    return true;
  }

  clear(): void {
    this.dense.length = this.size = 0;
    this.#rest = undefined;
  }

  *values(): IterableIterator<T> {
    for (const entry of this.dense) if (entry !== undefined) yield entry;
    if (this.#rest !== undefined) yield* this.#rest.values();
  }
}

/**
 * The maximum length of the dense array, so that a peer can't make this end use memory by its
 * choice of ids.
 */
const DENSE = 8_192;
