// The called half of a session: the peer's calls, from their admission to their terminal frame
// (docs/wire-protocol.md §4).
//
// Owns the open calls, their deadlines and their answers, and the error with which a closing
// transport refuses new calls. Session passes it the peer's frames; of a REQUEST or ONEWAY, it has
// checked that the peer has not left, that the method is not 0, and the parity of the id (unless
// that is the id of a short ONEWAY, which is ignored). Callee charges messages to their accounts,
// hands complete calls to the mount of their protocol, and withdraws calls whose caller is gone.
// The `rpc` layer answers calls through it (see `AnswerCarrier`): it writes answers into the batch
// or queues them in the outbox. Below are the errors of refused calls, and EarlyCancels, which
// holds back requests that are canceled in the same chunk. Tested in session.test.ts,
// unmounted.test.ts, codec-limit.test.ts and early-cancels.test.ts, and in testing/session by
// call-cases.ts and cancel-cases.ts.

import { reasonError, stackless, TransportError } from '../errors.ts';
import type { ProtocolMethod } from '../protocol/protocol.ts';
import { cancelsAmong, cancelsIn } from '../wire/decoder.ts';
import { EMPTY, type Frame, UNPROCESSED } from '../wire/frame.ts';
import * as Kind from '../wire/kind.ts';
import { errorFrame } from '../wire/metadata.ts';
import type { Batch } from './batch.ts';
import { Deadlines } from './deadlines.ts';
import { type AnswerCarrier, InCall, PeerIds, unserved } from './incoming-calls.ts';
import type { Outbox } from './outbox.ts';
import { kept, type Lanes, Outgoing } from './outgoing.ts';
import type { Channel, Channels } from './outgoing-calls.ts';
import { aboveCodec, type IncomingPackets, longCost, priceOf } from './packets.ts';
import {
  CANCEL,
  CANCEL_RUNNING,
  CANCEL_TOLD,
  REFUSAL,
  type SessionContext,
} from './session-context.ts';
import { InStream, OutStream } from './streams.ts';

/** The peer's open calls. */
export class Callee implements AnswerCarrier {
  /**
   * The peer's calls until their terminal frame is written, and long one-ways while their packets
   * arrive. A complete one-way is not among them, so it outlives the connection.
   */
  readonly ids = new PeerIds<InCall>();
  /** The number of open streaming calls. */
  streams = 0;
  /** The requests that are canceled in the chunk that is being read. */
  readonly early = new EarlyCancels();
  /**
   * Set only when the transport closes: new calls are refused with this error. `GracefulClose` also
   * tells by it that the transport closes.
   */
  refusing: TransportError | undefined = undefined;
  readonly #deadlines = new Deadlines<InCall>();
  readonly #context: SessionContext;
  readonly #batch: Batch;
  readonly #outbox: Outbox;
  readonly #packets: IncomingPackets;
  readonly #channels: Channels;

  constructor(outbox: Outbox, channels: Channels, packets: IncomingPackets) {
    this.#context = outbox.context;
    this.#batch = outbox.batch;
    this.#outbox = outbox;
    this.#packets = packets;
    this.#channels = channels;
  }

  /** Refuses new calls from now on, because the transport closes. */
  refuse(error: TransportError): void {
    this.refusing = error;
  }

  request(frame: Frame): void {
    const channel = this.#channels.known(frame.channel);
    const method = methodOf(channel, frame.method);
    if (!this.#arrives(frame, channel)) return;
    if (this.ids.get(frame.id) !== undefined) {
      this.#context.count('duplicateRequest', 1);
      return this.#giveBack(frame, channel);
    }
    const refusal = this.refusing ?? this.#refusal(frame, channel, method);
    if (refusal !== undefined) return this.#refuse(frame, channel, refusal);
    const call = new InCall(this, frame, channel!, method!, this.#packets.keep(frame));
    this.ids.set(call);
    channel!.countIncoming(1);
    this.#context.wakeBy(call.due);
    if (method!.flags !== 0) this.#openStreams(call);
    if (frame.size > 0) this.#packets.begin(frame, call, true);
    else if (!this.early.holds(call)) channel!.mounted!.incoming(call);
    // The deadline matters only if the call was not answered immediately.
    if (call.due < NEVER && (call.open || call.reply !== undefined))
      this.#deadlines.add(call, call.due);
  }

  /**
   * Returns the answer to a REQUEST that no handler may see. Returns undefined if a handler may see
   * the request; then its channel and its method exist.
   */
  #refusal(
    frame: Frame,
    channel: Channel | undefined,
    method: ProtocolMethod | undefined,
  ): TransportError | undefined {
    // A channel without a protocol has no method.
    if (
      method === undefined ||
      channel!.disagreement !== undefined ||
      method.kind === 'oneway' ||
      method.flags !== frame.flags
    )
      return unlike(frame, channel, method);
    const { size } = frame;
    const tooLarge = aboveCodec(method, 'request', size);
    if (tooLarge !== undefined) return tooLarge;
    const { limits, usage, memory } = this.#context;
    // If nothing waits or is handled, no share is used up.
    const hasTooMany = memory.bytes > 0 && usage.hasTooMany;
    if (channel!.openIn >= limits.calls || channel!.running >= limits.calls || hasTooMany)
      return crowded(channel!, this.#context);
    const { streams } = this;
    if (method.flags !== 0 && streams >= limits.streams)
      return exhausted(`${streams} streaming calls are open, limits.streams allows no more`);
    if (size > 0 && !memory.fits(size)) return exhausted(memory.noRoom('a request', size));
    return undefined;
  }

  oneway(frame: Frame): void {
    const channel = this.#channels.known(frame.channel);
    const method = methodOf(channel, frame.method);
    if (!this.#arrives(frame, channel)) return;
    if (frame.size > 0 && (frame.id === 0 || this.ids.get(frame.id) !== undefined))
      return this.#context.violation(`a long ONEWAY with id ${frame.id}, which is already in use`);
    const isHeard =
      method?.kind === 'oneway' &&
      channel!.disagreement === undefined &&
      this.refusing === undefined &&
      !this.#context.usage.hasTooMuch &&
      aboveCodec(method, 'request', frame.size) === undefined;
    if (!isHeard) {
      this.#context.count('onewayDropped', 1);
      return this.#giveBack(frame, channel);
    }
    const call = new InCall(this, frame, channel!, method!, this.#packets.keep(frame));
    if (frame.size === 0) return channel!.mounted!.incoming(call);
    this.ids.set(call);
    if (!this.#context.memory.fits(frame.size)) return call.crowdOut();
    this.#packets.begin(frame, call, true);
  }

  /**
   * Checks a ONEWAY or a long REQUEST and charges it to the inbox of its channel; a short REQUEST
   * is only checked. Returns false after a violation, which has then been reported. A channel that
   * never had a protocol has no account: it keeps nothing, so the cost is given back at once.
   */
  #arrives(frame: Frame, channel: Channel | undefined): boolean {
    if (frame.size > 0) return this.#packets.long(frame, channel?.inbox);
    if (!this.#packets.short(frame)) return false;
    if (frame.kind === Kind.REQUEST || channel === undefined) return true;
    if (channel.inbox.spend(priceOf(frame))) return true;
    this.#context.violation(`a one-way call on channel ${frame.channel} arrived without credit`);
    return false;
  }

  /**
   * Gives back the cost of a REQUEST or ONEWAY that is not used. Nothing else bounds how many of
   * them a peer sends to a channel without a protocol, so each one costs work units: a ONEWAY here,
   * a short REQUEST in `#refuse`, a long REQUEST in both.
   */
  #giveBack(frame: Frame, channel: Channel | undefined): void {
    const isOneway = frame.kind === Kind.ONEWAY;
    if (!isOneway && frame.size === 0) return;
    if (channel?.mounted === undefined) this.#context.spend(REFUSAL);
    if (frame.channel >= CHANNELS) return;
    const inbox = channel?.inbox ?? this.#batch.stray(frame.channel);
    inbox.giveBackMessage(isOneway, longCost(frame), true);
  }

  #refuse(frame: Frame, channel: Channel | undefined, refusal: TransportError): void {
    this.#giveBack(frame, channel);
    this.#context.count('refusedCall', 1);
    const unit = Outgoing.error(frame.id, UNPROCESSED, errorFrame(refusal));
    this.#outbox.refuse(channel?.lanes, unit);
    // The caller is not to blame for a limit (`crowded` has counted one that it could keep) or a
    // transport that closes.
    if (refusal.code === 'resource_exhausted' || refusal === this.refusing)
      this.#context.spend(REFUSAL);
    else this.#context.refused();
  }

  item(frame: Frame): void {
    const call = this.ids.get(frame.id);
    // It crossed our answer.
    if (call === undefined || (!call.open && call.upload !== undefined))
      return void this.#packets.packet(frame);
    if (call.upload === undefined || call.upload.ended || call.assembly !== undefined)
      return this.#context.violation(`ITEM for call ${frame.id}, which expects none`);
    this.#context.touch();
    call.upload.receive(frame, this.#packets, true, call);
  }

  part(frame: Frame): void {
    const call = this.ids.get(frame.id);
    if (!this.#packets.packet(frame) || call === undefined) return;
    // If there is no unfinished message, this packet belongs to one that was given up or to a
    // dropped duplicate, or it crossed the end of the upload.
    const { assembly } = call;
    if (assembly?.receive(frame) !== true) return;
    const message = call.complete(assembly);
    if (assembly.isItem) return call.upload!.push(message, assembly.cost);
    if (call.method.kind === 'oneway') this.ids.delete(call);
    else if (this.early.holds(call)) return;
    call.channel.mounted!.incoming(call);
  }

  end(frame: Frame): void {
    const call = this.ids.get(frame.id);
    if (call === undefined || !call.open) return;
    const { upload } = call;
    if (upload === undefined || call.assembly !== undefined)
      return this.#context.violation(`END of call ${frame.id}, which has no open stream`);
    if (upload.ended)
      return this.#context.violation(`END of call ${frame.id}, whose stream had already ended`);
    upload.end(undefined);
  }

  cancel(frame: Frame): void {
    const call = this.ids.get(frame.id);
    if (call === undefined) return;
    if (this.early.withdraws(call)) {
      // Nobody has seen the call, so nobody is told. It isn't sent again either, because its caller
      // has given it up.
      this.#context.spend(CANCEL);
      call.close();
      call.giveBack(true);
      return this.#sendError(call, WITHDRAWN, false);
    }
    const isTold = call.cancelled !== undefined;
    this.#context.spend(isTold ? CANCEL_TOLD : call.running === 0 ? CANCEL : CANCEL_RUNNING);
    this.abort(call, stackless('cancelled', CANCELLED, { origin: 'remote' }));
  }

  /** Handles CREDIT for a stream that we send. It is ignored if the call has already ended. */
  credit(frame: Frame): void {
    this.ids.get(frame.id)?.download?.grant(frame.credit);
  }

  #openStreams(call: InCall): void {
    this.streams++;
    const { id, channel } = call;
    const { upload, download } = call.method;
    call.openStreams(
      upload && new InStream(this.#context, this.#batch, id),
      download && new OutStream(this.#outbox, channel.lanes, id, download),
    );
  }

  expires(call: InCall, time: number): void {
    this.#deadlines.add(call, time);
    this.#context.wakeBy(time);
  }

  // Answers of the reader.

  respond(call: InCall, payload: Uint8Array): boolean {
    if (!call.open) return false;
    const { packet, message } = this.#context.terms;
    const { length } = payload;
    const { lanes } = call.channel;
    if (
      length > packet ||
      length > message ||
      lanes.replies.length > 0 ||
      !this.#outbox.straight(length)
    )
      return this.#queueReply(call, lanes, payload);
    call.close();
    this.#batch.answer(Kind.RESPONSE, call.id, payload, call.method.response!.owned === true);
    this.forget(call);
    this.#batch.wrote();
    return true;
  }

  /** Queues a response that is long or has to wait; sends an error if a limit does not allow it. */
  #queueReply(call: InCall, lanes: Lanes, payload: Uint8Array): boolean {
    const { terms, usage, memory } = this.#context;
    if (payload.length > terms.message) {
      const message = `${call.method.full}: a response of ${payload.length} bytes is above limits.message, ${terms.message} bytes with this peer; stream it with a download`;
      return this.fail(call, reasonError('too_large', message), false);
    }
    if (!memory.fits(payload.length)) {
      const message = `${call.method.full}: ${memory.noRoom('a response', payload.length)}`;
      return this.fail(call, new TransportError('resource_exhausted', message), false);
    }
    call.close();
    const own = kept(payload, call.method.response);
    const unit = new Outgoing(Kind.RESPONSE, call.id, own, call);
    call.queueReply(unit);
    this.#outbox.push(lanes, unit, 'replies');
    usage.makeRoom();
    return true;
  }

  fail(call: InCall, error: TransportError, unprocessed: boolean): boolean {
    if (!call.close()) return false;
    this.#sendError(call, error, unprocessed);
    call.observer?.failed(error);
    return true;
  }

  finish(call: InCall): boolean {
    if (!call.close()) return false;
    call.download!.close(new Outgoing(Kind.END, call.id, EMPTY, call));
    return true;
  }

  abort(call: InCall, error: TransportError, unprocessed = false): void {
    if (call.method.kind === 'oneway') {
      call.giveBack(true);
      this.#context.count('onewayDropped', 1);
      call.endAssembly();
      return void this.ids.delete(call);
    }
    // Its terminal frame was written already.
    if (!call.open && call.reply === undefined && call.download === undefined) return;
    const reply = call.takeReply();
    if (reply !== undefined) this.#outbox.remove(reply);
    // Before the ERROR, because `forget` ends the upload with ANSWERED unless it has ended.
    stop(call, error);
    // The inbox has counted a waiting call by its account, so the credit is given back afterwards.
    call.giveBack(true);
    call.left(error);
    this.#sendError(call, error, unprocessed);
  }

  #sendError(call: InCall, error: TransportError, unprocessed: boolean): void {
    const { download } = call;
    const { lanes } = call.channel;
    const flags = unprocessed ? UNPROCESSED : 0;
    const frame = errorFrame(error);
    const isBehindItems = download?.busy === true;
    if (!isBehindItems && this.#outbox.error(lanes, call.id, flags, frame)) {
      download?.stop(error);
      this.forget(call);
      return this.#batch.wrote();
    }
    const unit = Outgoing.error(call.id, flags, frame, call);
    if (isBehindItems) return download.close(unit);
    call.queueReply(unit);
    this.#outbox.push(lanes, unit, 'replies');
  }

  forget(call: InCall): void {
    if (!this.ids.delete(call)) return;
    this.#deadlines.remove(call);
    call.dropPayload();
    call.channel.countIncoming(-1);
    if (call.method.flags === 0) return;
    this.streams--;
    call.upload?.end(ANSWERED);
    call.upload?.release();
    call.endAssembly();
  }

  // Time and the end of the connection.

  /** Ends the calls whose time is up. Returns the next time at which one may be due. */
  wake(now: number): number {
    const deadlines = this.#deadlines;
    let ended = 0;
    for (let call = deadlines.first; call !== undefined; call = deadlines.first) {
      if (deadlines.next > now) break;
      // Further calls end in a later turn, so that others are served in between.
      if (++ended > EXPIRED_AT_ONCE) return now;
      deadlines.remove(call);
      if (call.due <= now) this.#expired(call);
      else if (call.open && call.refuseAt <= now) {
        this.#context.count('refusedCall', 1);
        this.abort(call, unserved(call.method), true);
      }
      // A reader has been added in the meantime, or the call's reply waits to be sent.
      else deadlines.add(call, call.open ? Math.min(call.due, call.refuseAt) : call.due);
    }
    return deadlines.next;
  }

  #expired(call: InCall): void {
    // It is answered; only items of its stream are still on their way.
    if (!call.open && call.reply === undefined) return;
    const text = `${call.method.full}: the caller's deadline passed`;
    this.abort(call, stackless('deadline_exceeded', text));
  }

  /** Aborts the calls of a protocol that closes; the callers receive the error. */
  failChannel(channel: Channel, error: TransportError): void {
    for (const call of this.ids.values()) if (call.channel === channel) this.abort(call, error);
  }

  /**
   * Ends all calls because the connection has ended and no answers are awaited. One-ways that
   * arrived completely are still delivered. Returns the calls whose handlers must be notified.
   */
  close(error: TransportError): InCall[] {
    const untold: InCall[] = [];
    const calls = [...this.ids.values()];
    this.ids.clear();
    for (const call of calls) {
      const isWhole = call.assembly?.isItem !== false;
      call.takeReply();
      stop(call, error);
      call.upload?.release();
      if (isWhole && call.leaves(error)) untold.push(call);
    }
    return untold;
  }
}

const NEVER = Number.POSITIVE_INFINITY;
/**
 * Maximum number of expired calls of a connection that are ended in one turn, which takes 1 to 2 ms
 * if their handlers use signals.
 */
const EXPIRED_AT_ONCE = 64;
const ANSWERED = new TransportError('cancelled', 'the call was answered');
const CANCELLED = 'the caller cancelled the call';
/** The error of all calls that were withdrawn; nobody receives the object itself. */
const WITHDRAWN = new TransportError('cancelled', CANCELLED, { origin: 'remote' });

/** The number of channels, from 0: a channel of this number or above has no account. */
const CHANNELS = 0x100;

/** Closes a call, ends its streams and its unfinished message, and takes it out of the inbox. */
function stop(call: InCall, error: TransportError): void {
  call.close();
  call.download?.stop(error);
  call.upload?.end(error);
  call.endAssembly();
  if (call.channel.inbound.remove(call)) call.channel.mounted?.withdrawn(call);
}

function methodOf(channel: Channel | undefined, id: number): ProtocolMethod | undefined {
  const table = channel?.mounted?.table;
  return table === undefined ? undefined : (table.byLowId[id] ?? table.byId.get(id));
}

// The errors with which a callee refuses calls that are unknown here, that the two ends define
// differently, or that exceed a limit (docs/wire-protocol.md §4).

/**
 * Returns the refusal of a call that has no method here, whose method is of another kind, or on
 * whose protocol the ends disagree.
 */
function unlike(
  { channel: byte, flags, method: id }: Frame,
  channel: Channel | undefined,
  method: ProtocolMethod | undefined,
): TransportError {
  if (channel?.disagreement !== undefined) return channel.disagreement;
  if (channel?.mounted === undefined)
    return stackless('unimplemented', `no protocol is mounted on channel ${byte} of this peer`);
  const { name } = channel.mounted.protocol;
  if (method === undefined)
    return stackless('unimplemented', `protocol '${name}' has no method ${id} here`);
  const isOneway = method.kind === 'oneway';
  const here = isOneway ? 'one-way' : method.kind;
  const called = isOneway ? 'for an answer' : `as ${KINDS[flags]}`;
  const text = `'${method.full}' is ${here} here, but was called ${called}`;
  return stackless('failed_precondition', text);
}

/** Returns the refusal of a call that `limits.calls` or `limits.total` does not allow. */
function crowded(channel: Channel, context: SessionContext): TransportError {
  const { limits, memory } = context;
  const { name } = channel.mounted!.protocol;
  if (channel.openIn >= limits.calls) {
    // The caller can count its open calls, so exceeding the limit is its fault. It can't count the
    // handlers of canceled calls.
    context.abused();
    return exhausted(`${channel.openIn} calls are open on '${name}', limits.calls allows no more`);
  }
  const handlers = `${channel.running} handlers of '${name}' are still running`;
  if (channel.running >= limits.calls) return exhausted(`${handlers}, limits.calls allows no more`);
  const share = `${context.usage.calls} of this connection (${context.usage.bytes} bytes)`;
  const all = `${memory.calls} calls (${memory.bytes} bytes) wait or are handled here`;
  return exhausted(`limits.total is reached: ${all}, ${share}, which has used up its share`);
}

function exhausted(message: string): TransportError {
  return stackless('resource_exhausted', message);
}

/** The kinds of methods by the flags of their REQUEST. */
const KINDS = ['unary', 'upload', 'download', 'duplex'] as const;

// EarlyCancels holds back requests whose CANCEL has arrived in the same chunk, so that their
// handlers never start (docs/wire-protocol.md §4).
//
// Owns the requests that it holds back until the chunk has been read. `Session` tells it what it
// reads, and `Callee` asks it about each request and each CANCEL. It only guesses from the bytes: a
// request whose CANCEL does not come after all, or came before it for an earlier call with its id,
// is delivered at the end of the chunk, and so after later ones.

/** The requests of a chunk that are canceled in the same chunk. */
export class EarlyCancels {
  /** The chunk or the batch of frames, until its first request makes a search necessary. */
  #input: Uint8Array | readonly Frame[] | undefined = undefined;
  /** The position in the chunk at which its first whole frame begins. */
  #from = 0;
  #ids: Set<number> | undefined = undefined;
  readonly #held = new Set<InCall>();

  /**
   * Begins to read a chunk, whose first whole frame begins at `from`, or a batch of frames, which
   * is searched from index `from` on.
   */
  open(input: Uint8Array | readonly Frame[], from: number): void {
    this.#input = input;
    this.#from = from;
  }

  /** Returns true if the call is held back because its CANCEL seems to follow. */
  holds(call: InCall): boolean {
    if (this.#input !== undefined) this.#search(this.#input);
    if (this.#ids?.has(call.id) !== true) return false;
    this.#held.add(call);
    return true;
  }

  /** Drops a call that is canceled. Returns true if it was held back, so nobody has seen it. */
  withdraws(call: InCall): boolean {
    return this.#held.delete(call);
  }

  #search(input: Uint8Array | readonly Frame[]): void {
    this.#input = undefined;
    this.#ids =
      input instanceof Uint8Array ? cancelsIn(input, this.#from) : cancelsAmong(input, this.#from);
  }

  /**
   * Called when the chunk was read, or its rest waits for more work units. If nothing is left to
   * read, the requests that were not canceled are delivered.
   */
  close(isRead: boolean): void {
    this.#input = this.#ids = undefined;
    if (!isRead || this.#held.size === 0) return;
    const held = [...this.#held];
    this.#held.clear();
    for (const call of held) if (call.open) call.channel.mounted!.incoming(call);
  }
}
