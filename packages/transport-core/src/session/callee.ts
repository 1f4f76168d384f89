// The called half of a session: the peer's calls by id, from their first packet to the terminal
// frame (docs/wire-protocol.md §4).

import { codeNumber, reasonNumber, stackless, TransportError } from '../errors.ts';
import type { Method } from '../protocol/protocol.ts';
import { truncateText } from '../text.ts';
import {
  Account,
  DOWNLOAD,
  EMPTY,
  type EncodedMetadata,
  type Frame,
  Kind,
  UNPROCESSED,
  UPLOAD,
} from '../wire/frame.ts';
import { encodeMetadata } from '../wire/metadata.ts';
import { Assembly, type AssemblyOwner, STALLED } from './assembly.ts';
import type { Channel } from './channel.ts';
import type { Channels } from './channels.ts';
import { Deadlines } from './deadlines.ts';
import { PeerIds } from './id-table.ts';
import {
  type AnswerCarrier,
  HANDLER,
  InCall,
  type InChannel,
  READER,
  type Running,
} from './in-call.ts';
import { InStream } from './in-stream.ts';
import { type IncomingPackets, longCost } from './incoming-packets.ts';
import { receiveItem, receivePart } from './items.ts';
import { OutStream } from './out-stream.ts';
import type { Outbox } from './outbox.ts';
import { type Lanes, Outgoing } from './outgoing.ts';
import type { ReceiveAccount } from './receive-account.ts';
import { oversized, refusalOf, unserved } from './refusal.ts';
import { ACCOUNT_MAX, type SessionContext } from './session-context.ts';
import { CANCEL, CANCEL_TOLD, REFUSAL } from './work.ts';

/** Receives the peer's calls once they are complete. */
export interface Calls {
  /**
   * A complete request or one-way, or the opening request of an upload. `call.channel.mounted` is
   * set.
   */
  incoming(call: InCall): void;
  /** The call was removed from the inbound queue because its caller is gone. */
  withdrawn(call: InCall): void;
}

export class Callee implements AnswerCarrier {
  readonly ids = new PeerIds<InCall>();
  readonly #deadlines = new Deadlines<InCall>();
  /** Set when the transport closes: new calls are refused with this error. */
  refusing: TransportError | undefined = undefined;
  /** The number of open streaming calls. */
  streams = 0;
  readonly #context: SessionContext;
  readonly #outbox: Outbox;
  readonly #incomingPackets: IncomingPackets;
  readonly #calls: Calls;
  readonly #channels: Channels;
  readonly #watch: (channel: Channel) => void;

  constructor(
    context: SessionContext,
    outbox: Outbox,
    incomingPackets: IncomingPackets,
    calls: Calls,
    channels: Channels,
    watch: (channel: Channel) => void,
  ) {
    this.#context = context;
    this.#outbox = outbox;
    this.#incomingPackets = incomingPackets;
    this.#calls = calls;
    this.#channels = channels;
    this.#watch = watch;
  }

  // Frames from the peer.

  request(frame: Frame): void {
    this.#context.active = this.#context.now;
    const channel = this.#channels.known(frame.channel);
    const method = methodOf(channel, frame.method);
    const isPlain =
      frame.flags === 0 &&
      frame.size === 0 &&
      this.ids.get(frame.id) === undefined &&
      this.#takes(channel, method);
    if (!isPlain) return this.#request(frame, channel, method);
    if (!this.#incomingPackets.short(frame)) return;
    const call = this.#admit(frame, channel!, method!, undefined);
    this.#calls.incoming(call);
    if (call.open || call.reply !== undefined) this.#remember(call);
  }

  /**
   * Returns true for the common case: a unary request that nothing speaks against. The function is
   * small so that V8 inlines it into `request`.
   */
  #takes(channel: Channel | undefined, method: Method | undefined): boolean {
    if (
      channel === undefined ||
      method === undefined ||
      method.kind !== 'unary' ||
      channel.disagreement !== undefined
    )
      return false;
    const { calls } = this.#context.limits;
    return (
      channel.openIn < calls &&
      channel.running < calls &&
      this.refusing === undefined &&
      !this.#context.hasTooMany
    );
  }

  /** Handles every other request: streaming, long, duplicate or refused. */
  #request(frame: Frame, channel: Channel | undefined, method: Method | undefined): void {
    const charged = this.#charge(frame, channel, undefined);
    if (charged === false) return;
    if (this.ids.get(frame.id) !== undefined) return this.#duplicate(frame, charged);
    const refusal = this.refusing ?? refusalOf(frame, channel, method, this.#context, this.streams);
    if (refusal !== undefined) return this.#refuse(frame, charged, refusal);
    const call = this.#admit(frame, channel!, method!, charged);
    if (frame.flags !== 0) this.#openStreams(channel!, call);
    if (frame.size > 0) this.#begin(call, frame);
    else this.#calls.incoming(call);
    this.#remember(call);
  }

  /** Keeps the deadline of a call that was not answered at once. */
  #remember(call: InCall): void {
    if (call.due !== Number.POSITIVE_INFINITY) this.#deadlines.add(call, call.due);
  }

  expires(call: InCall, time: number): void {
    this.#deadlines.add(call, time);
    this.#context.port.wakeBy(time);
  }

  #admit(
    frame: Frame,
    channel: Channel,
    method: Method,
    charged: ReceiveAccount | undefined,
  ): InCall {
    const call = this.#open(
      frame,
      channel,
      method,
      frame.timeout === 0 ? Number.POSITIVE_INFINITY : this.#context.now + frame.timeout,
      charged,
    );
    this.ids.set(call);
    channel.openIn++;
    if (frame.timeout !== 0) this.#context.port.wakeBy(call.due);
    return call;
  }

  #open(
    frame: Frame,
    channel: Channel,
    method: Method,
    due: number,
    charged: ReceiveAccount | undefined,
  ): InCall {
    const call = new InCall(
      this,
      frame.id,
      channel,
      method,
      frame.metadata,
      longCost(frame),
      due,
      this.#incomingPackets.keep(frame),
    );
    call.account = charged;
    return call;
  }

  #duplicate(frame: Frame, charged: ReceiveAccount | undefined): void {
    this.#context.count('duplicateRequest', 1);
    charged?.giveBack(longCost(frame), true);
  }

  #refuse(frame: Frame, charged: ReceiveAccount | undefined, refusal: TransportError): void {
    charged?.giveBack(longCost(frame), true);
    this.#context.count('refusedCall', 1);
    this.#sendError(undefined, frame.channel, frame.id, refusal, true);
    // The caller is not to blame for a full queue or for a transport that closes.
    if (refusal.code === 'resource_exhausted' || refusal === this.refusing)
      this.#context.units -= REFUSAL;
    else this.#context.refused();
  }

  oneway(frame: Frame): void {
    this.#context.active = this.#context.now;
    const channel = this.#channels.known(frame.channel);
    const method = methodOf(channel, frame.method);
    const isPlain = frame.size === 0 && this.#hears(channel, method) && channel!.short.left > 0;
    if (!isPlain) return this.#oneway(frame, channel, method);
    if (!this.#incomingPackets.short(frame)) return;
    const call = this.#open(frame, channel!, method!, Number.POSITIVE_INFINITY, channel!.short);
    channel!.short.spend(call.cost);
    this.#calls.incoming(call);
  }

  /** Returns true if the method is a one-way and nothing speaks against delivering it. */
  #hears(channel: Channel | undefined, method: Method | undefined): boolean {
    return (
      channel !== undefined &&
      method !== undefined &&
      method.kind === 'oneway' &&
      channel.disagreement === undefined &&
      this.refusing === undefined &&
      !this.#context.hasTooMuch
    );
  }

  /** Handles every other one-way: long, without credit, or not deliverable. */
  #oneway(frame: Frame, channel: Channel | undefined, method: Method | undefined): void {
    const charged = this.#charge(
      frame,
      channel,
      channel?.short ?? this.#channels.stray(Account.SHORT, frame.channel),
    );
    if (charged === false || charged === undefined) return;
    if (frame.size > 0 && (frame.id === 0 || this.ids.get(frame.id) !== undefined))
      return this.#context.violation(
        'malformed',
        `a long ONEWAY with id ${frame.id}, which is already in use`,
      );
    if (!this.#hears(channel, method) || oversized(method!.request, frame.size)) {
      this.#context.count('onewayDropped', 1);
      return charged.giveBack(longCost(frame), true);
    }
    const call = this.#open(frame, channel!, method!, Number.POSITIVE_INFINITY, charged);
    this.ids.set(call);
    if (!this.#context.fits(frame.size)) return this.#crowdOut(call);
    this.#begin(call, frame);
  }

  item(frame: Frame): void {
    const call = this.ids.get(frame.id);
    if (call === undefined || (!call.open && call.upload !== undefined)) return this.#late(frame);
    if (call.upload === undefined || call.upload.ended || call.assembly !== undefined)
      return this.#context.violation('malformed', `ITEM for call ${frame.id}, which has no upload`);
    this.#context.active = this.#context.now;
    receiveItem(this.#context, this.#incomingPackets, call.upload, frame, false, this.#owner(call));
  }

  part(frame: Frame): void {
    const call = this.ids.get(frame.id);
    if (call === undefined) return this.#late(frame);
    if (!this.#incomingPackets.packet(frame)) return;
    const { assembly } = call;
    if (assembly === undefined) {
      // Without an unfinished message this packet belongs to a duplicate that was dropped, or it
      // crossed the end of the upload.
      if (call.upload?.assembly !== undefined) receivePart(this.#context, call.upload, frame);
      return;
    }
    if (!assembly.add(frame.payload))
      return this.#context.violation(
        'malformed',
        `the packets of request ${frame.id} do not match its declared size`,
      );
    if (!assembly.complete) return this.#context.makeRoom();
    call.assembly = undefined;
    assembly.release();
    call.payload = assembly.buffer;
    if (call.method.kind === 'oneway') this.ids.delete(call);
    this.#calls.incoming(call);
  }

  end(frame: Frame): void {
    const call = this.ids.get(frame.id);
    if (call === undefined || !call.open) return;
    const { upload } = call;
    if (upload === undefined || upload.assembly !== undefined || call.assembly !== undefined)
      return this.#context.violation(
        'malformed',
        `END of call ${frame.id}, which has no open stream`,
      );
    if (upload.ended)
      return this.#context.violation(
        'malformed',
        `END of call ${frame.id}, whose stream had already ended`,
      );
    upload.end(undefined);
  }

  cancel(frame: Frame): void {
    const call = this.ids.get(frame.id);
    if (call === undefined) return;
    this.#context.units -= call.cancelled === undefined ? CANCEL : CANCEL_TOLD;
    this.abort(call, stackless('cancelled', 'the caller cancelled the call', { origin: 'remote' }));
  }

  /** Handles CREDIT for a stream that we send. It is ignored if the call is already over. */
  credit(frame: Frame): void {
    const download = this.ids.get(frame.id)?.download;
    if (download !== undefined && !download.grant(frame.credit, ACCOUNT_MAX))
      this.#context.violation('malformed', 'the credit of a stream rose above 2^31 − 1');
  }

  /**
   * Charges a message to its account. Returns undefined if it has no account, and false if it broke
   * the rules (the session has then reported the violation).
   */
  #charge(
    frame: Frame,
    channel: Channel | undefined,
    short: ReceiveAccount | undefined,
  ): ReceiveAccount | undefined | false {
    if (frame.size === 0) {
      if (!this.#incomingPackets.short(frame)) return false;
      if (short !== undefined && !short.spend(longCost(frame))) {
        this.#context.violation(
          'malformed',
          `a one-way call on channel ${frame.channel} arrived without credit`,
        );
        return false;
      }
      return short;
    }
    const long = channel?.long ?? this.#channels.stray(Account.LONG, frame.channel);
    return (
      this.#incomingPackets.long(frame, this.#context.limits.message, 'limits.message', long) &&
      long
    );
  }

  #openStreams(channel: Channel, call: InCall): void {
    this.streams++;
    call.widen();
    if (call.method.flags & UPLOAD)
      call.upload = new InStream(this.#context, this.#outbox, call.id);
    if (call.method.flags & DOWNLOAD)
      call.download = new OutStream(this.#context, this.#outbox, channel.lanes, call.id, () => {});
  }

  #begin(call: InCall, frame: Frame): void {
    call.widen();
    call.assembly = new Assembly(
      this.#context,
      frame.kind,
      frame.size,
      call.cost,
      frame.payload,
      true,
      this.#owner(call),
    );
    call.payload = EMPTY;
    this.#context.port.wakeBy(this.#context.now + STALLED);
    this.#context.makeRoom();
  }

  /** Handles a packet of a call that this end has already ended: the packet crossed our answer. */
  #late(frame: Frame): void {
    this.#incomingPackets.packet(frame);
  }

  // Answers of the reader.

  respond(call: InCall, payload: Uint8Array): boolean {
    if (!call.open) return false;
    const { packet, message } = this.#context.terms;
    const { length } = payload;
    const { lanes } = call.channel;
    this.#context.active = this.#context.now;
    if (
      length > packet ||
      length > message ||
      lanes.replies.length > 0 ||
      !this.#outbox.straight(length)
    )
      return this.#queueReply(call, lanes, payload);
    call.open = false;
    this.#context.writer.short(Kind.RESPONSE, call.id, 0, 0, 0, payload);
    this.forget(call);
    this.#outbox.wrote();
    return true;
  }

  /** Queues a response that is long or has to wait. */
  #queueReply(call: InCall, lanes: Lanes, payload: Uint8Array): true {
    const { terms } = this.#context;
    if (payload.length > terms.message) {
      const message = `${call.method.full}: a response of ${payload.length} bytes is above limits.message, ${terms.message} bytes with this peer; stream it with a download`;
      this.fail(
        call,
        new TransportError('resource_exhausted', message, { reason: 'too_large' }),
        false,
      );
      return true;
    }
    if (this.#context.full(payload.length)) {
      const message = `${call.method.full}: limits.memory is reached, ${this.#context.memory.used} bytes are held; there is no room for a response of ${payload.length} bytes`;
      this.fail(call, new TransportError('resource_exhausted', message), false);
      return true;
    }
    call.open = false;
    const unit = new Outgoing(Kind.RESPONSE, call.id, payload, call);
    if (payload.length > terms.packet) unit.account = Account.REPLY;
    call.widen();
    call.reply = unit;
    this.#outbox.push(lanes, unit, 'replies');
    return true;
  }

  fail(call: InCall, error: TransportError, unprocessed: boolean): boolean {
    if (!call.open) return false;
    call.open = false;
    this.#sendError(call, call.channel.byte, call.id, error, unprocessed);
    return true;
  }

  finish(call: InCall): boolean {
    if (!call.open) return false;
    call.open = false;
    call.download!.close(undefined, () => this.forget(call));
    return true;
  }

  /**
   * Ends a call because its caller is gone, its time is up or its message can't be received. An
   * ERROR goes to the peer at once; the handler learns of it through its signal. A one-way is
   * dropped and counted in `onewayDropped`.
   */
  abort(call: InCall, error: TransportError, unprocessed = false): void {
    if (call.method.kind === 'oneway') {
      call.account?.giveBack(call.cost, true);
      this.#context.count('onewayDropped', 1);
      call.assembly?.release();
      return void this.ids.delete(call);
    }
    if (!call.open && call.reply === undefined && call.download === undefined) return;
    if (call.reply !== undefined) {
      this.#outbox.remove(call.channel.lanes, call.reply);
      call.reply = undefined;
    }
    call.open = false;
    call.download?.stop(error);
    this.#leave(call, error);
    this.#sendError(call, call.channel.byte, call.id, error, unprocessed);
  }

  /** Refuses a call that has waited long enough for a reader. */
  #refuseUnserved(call: InCall): void {
    this.#context.count('refusedCall', 1);
    this.abort(call, unserved(call.method), true);
  }

  #owner(call: InCall): AssemblyOwner {
    return { refuse: () => this.#crowdOut(call), stopped: () => this.#stopped(call) };
  }

  /**
   * Gives up a long message because `limits.memory` has no room for it: a request or a streaming
   * call is refused, a one-way is dropped and counted in `onewayDropped`.
   */
  #crowdOut(call: InCall): void {
    // The call is answered already, so the rest of its upload is not needed.
    if (!call.open && call.method.kind !== 'oneway') return call.upload?.dropAssembly();
    const { used, limit } = this.#context.memory;
    const message = `${call.method.full}: limits.memory is reached, ${used} of ${limit} bytes are held, and this connection holds most of the unfinished messages`;
    if (call.method.kind !== 'oneway') this.#context.count('refusedCall', 1);
    this.abort(call, stackless('resource_exhausted', message), call.assembly !== undefined);
  }

  /**
   * Releases what a call holds on this side: its place in the inbound queue, its upload, and an
   * incomplete request.
   */
  #leave(call: InCall, error: TransportError): void {
    call.upload?.end(error);
    if (call.assembly !== undefined) {
      call.assembly.release();
      call.assembly = undefined;
      call.account?.giveBack(call.cost, true);
      call.account = undefined;
    }
    if (call.channel.inbound.remove(call)) this.#calls.withdrawn(call);
    call.left(error);
  }

  #sendError(
    call: InCall | undefined,
    number: number,
    id: number,
    error: TransportError,
    unprocessed: boolean,
  ): void {
    const flags = unprocessed ? UNPROCESSED : 0;
    const text = truncateText(error.message);
    const metadata = metadataOf(error);
    const code = codeNumber(error.code);
    const reason = reasonNumber(error.reason);
    const lanes =
      call?.channel.lanes ?? this.#channels.known(number)?.lanes ?? this.#channels.nowhere;
    const room = text.length * 3 + (metadata === undefined ? 0 : metadata.bytes.length);
    const items = call?.download !== undefined && call.open === false && call.download.busy;
    if (!items && lanes.replies.length === 0 && this.#outbox.straight(room)) {
      this.#context.writer.error(id, code, reason, text, flags, metadata);
      call?.download?.stop(error);
      if (call !== undefined) this.forget(call);
      return this.#outbox.wrote();
    }
    if (call === undefined && this.#isUnread(lanes)) return;
    const unit = new Outgoing(Kind.ERROR, id, EMPTY, call);
    unit.code = code;
    unit.reason = reason;
    unit.text = text;
    unit.flags = flags;
    unit.metadata = metadata;
    if (items) return call.download!.close(unit, () => this.forget(call));
    if (call !== undefined) {
      call.widen();
      call.reply = unit;
    }
    this.#outbox.push(lanes, unit, 'replies');
  }

  /**
   * Returns true, and ends the connection as a flood, if more refusals are queued than the limits
   * allow: the peer makes calls but does not read the answers.
   */
  #isUnread({ refusals }: Lanes): boolean {
    const { calls, outbound } = this.#context.limits;
    const isFull = refusals.messages >= calls && refusals.full(outbound);
    if (!isFull && (refusals.messages < SCARCE || !this.#context.full(0))) return false;
    const limit = isFull ? 'limits.outbound' : 'limits.memory';
    this.#context.violation(
      'flood',
      `${refusals.messages} refusals wait to be sent, ${limit} allows no more: it makes calls and does not read the answers`,
    );
    return true;
  }

  /**
   * Returns true if so many answers wait on the channel that no more calls should be dispatched.
   * The driver's `roomForReplies` is called once there is room.
   */
  congested({ byte, lanes }: InChannel): boolean {
    if (!lanes.congested(this.#context.limits.outbound)) return false;
    const channel = this.#channels.get(byte);
    channel.stalled = true;
    this.#watch(channel);
    return true;
  }

  late(): void {
    this.#context.count('lateAnswer', 1);
  }

  started(call: InCall, by: Running = HANDLER): void {
    call.running = by;
    // The request was decoded; its reader keeps what it needs of it.
    call.payload = EMPTY;
    this.#context.begin(call.cost, by === READER);
    if (call.method.kind === 'oneway') call.channel.oneways++;
    else call.channel.running++;
  }

  forget(call: InCall): void {
    if (!this.ids.delete(call)) return;
    this.#deadlines.remove(call);
    call.payload = EMPTY;
    call.channel.openIn--;
    if (call.method.flags === 0) return;
    this.streams--;
    call.upload?.end(ANSWERED);
    call.upload?.release();
  }

  finished(call: InCall): void {
    if (call.running === 0) return;
    this.#context.finish(call.cost, call.running === READER);
    call.running = 0;
    if (call.method.kind === 'oneway') call.channel.oneways--;
    else call.channel.running--;
  }

  // Time and the end of the connection.

  /**
   * Ends the calls whose time is up and gives up messages that stopped arriving. Returns the next
   * time at which something may be due.
   */
  wake(now: number): number {
    const deadlines = this.#deadlines;
    for (let call = deadlines.first; call !== undefined; call = deadlines.first) {
      if (deadlines.next > now) break;
      deadlines.remove(call);
      if (call.due <= now) this.#expired(call);
      else if (call.refuseAt <= now && call.open) this.#refuseUnserved(call);
      // A reader has come since.
      else deadlines.add(call, Math.min(call.due, call.refuseAt));
    }
    // No packet of a long message has come since, so all unfinished messages have stopped.
    const stale = this.#incomingPackets.lastPacket + STALLED;
    if (stale > now)
      return this.#context.unfinished > 0 ? Math.min(deadlines.next, stale) : deadlines.next;
    for (const assembly of [...this.#context.assemblies]) assembly.stopped();
    return deadlines.next;
  }

  #expired(call: InCall): void {
    // Its handler has ended; only items of its stream are still on their way.
    if (!call.open && call.reply === undefined) return;
    this.abort(
      call,
      stackless('deadline_exceeded', `${call.method.full}: the caller's deadline passed`),
    );
  }

  #stopped(call: InCall): void {
    const { got, size } = (call.assembly ?? call.upload?.assembly)!;
    this.abort(
      call,
      new TransportError(
        'aborted',
        `${call.method.full}: the message stopped after ${got} of ${size} bytes`,
      ),
    );
  }

  /** Aborts the calls of a protocol that closes; the callers receive the error. */
  failChannel(channel: Channel, error: TransportError): void {
    for (const call of this.ids.values()) if (call.channel === channel) this.abort(call, error);
  }

  /**
   * Ends all calls because the connection is over and no answers are awaited. One-ways that arrived
   * completely are still delivered.
   */
  close(error: TransportError): void {
    for (const call of this.ids.values()) {
      const whole = call.assembly === undefined;
      call.widen();
      call.open = false;
      call.reply = undefined;
      call.download?.stop(error);
      call.upload?.end(error);
      call.upload?.release();
      call.assembly?.release();
      call.assembly = undefined;
      this.ids.delete(call);
      if (call.channel.inbound.remove(call)) this.#calls.withdrawn(call);
      if (whole) call.left(error);
    }
  }
}

function methodOf(channel: Channel | undefined, id: number): Method | undefined {
  const table = channel?.mounted?.table;
  return table?.byLowId[id] ?? table?.byId.get(id);
}

/**
 * Encodes the metadata of an error. If that is impossible, the reason is sent in its place, so that
 * the error itself still goes out.
 */
function metadataOf(error: TransportError): EncodedMetadata | undefined {
  try {
    return encodeMetadata(error.metadata);
  } catch (refusal) {
    return encodeMetadata({
      'trunkline-metadata': refusal instanceof Error ? refusal.message : String(refusal),
    });
  }
}

/** Refusals that may wait on a channel even when `limits.memory` is reached. */
const SCARCE = 64;
const ANSWERED = new TransportError('cancelled', 'the call was answered');
