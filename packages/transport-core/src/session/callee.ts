// The called half of a session: reads the frames of the peer's calls, and admits or refuses them
// (docs/wire-protocol.md §4).
//
// Owns the error with which a closing transport refuses new calls, and the calls that are served.
// Session passes it the peer's frames. It charges messages to their accounts, enters the calls that
// it admits at `ServedCalls`, and hands complete calls to the mount of their protocol.

import { stackless, type TransportError } from '../errors.ts';
import type { ProtocolMethod } from '../protocol/protocol.ts';
import { cancelsAmong, cancelsIn } from '../wire/decoder.ts';
import { type Frame, Kind, UNPROCESSED } from '../wire/frame.ts';
import { errorFrame } from '../wire/metadata.ts';
import type { Channels } from './channels.ts';
import { type Channel, InCall } from './incoming-calls.ts';
import type { Outbox } from './outbox.ts';
import { Outgoing } from './outgoing.ts';
import {
  Assembly,
  aboveCodec,
  type IncomingPackets,
  longCost,
  oversized,
  priceOf,
  STALLED,
} from './packets.ts';
import { ServedCalls } from './served-calls.ts';
import {
  CANCEL,
  CANCEL_RUNNING,
  CANCEL_TOLD,
  REFUSAL,
  type SessionContext,
} from './session-context.ts';

/** Handles the frames of the peer's calls. */
export class Callee {
  /** The calls that are being served. */
  readonly served: ServedCalls;
  /** The requests that are canceled in the chunk that is being read. */
  readonly early = new EarlyCancels();
  /** Set when the transport closes: new calls are refused with this error. */
  refusing: TransportError | undefined = undefined;
  readonly #context: SessionContext;
  readonly #outbox: Outbox;
  readonly #packets: IncomingPackets;
  readonly #channels: Channels;

  constructor(outbox: Outbox, channels: Channels, packets: IncomingPackets) {
    this.#context = outbox.context;
    this.#outbox = outbox;
    this.#packets = packets;
    this.#channels = channels;
    this.served = new ServedCalls(outbox);
  }

  /** Refuses new calls from now on, because the transport closes. */
  refuse(error: TransportError): void {
    this.refusing = error;
  }

  request(frame: Frame): void {
    this.#context.touch();
    const channel = this.#channels.known(frame.channel);
    const method = methodOf(channel, frame.method);
    if (!this.#arrives(frame, channel)) return;
    if (this.served.ids.get(frame.id) !== undefined) {
      this.#context.count('duplicateRequest', 1);
      return this.#giveBack(frame, channel);
    }
    const refusal = this.refusing ?? this.#refusal(frame, channel, method);
    if (refusal !== undefined) return this.#refuse(frame, channel, refusal);
    const call = new InCall(this.served, frame, channel!, method!, this.#packets.keep(frame));
    if (frame.size > 0) call.chargeTo(channel!.inbox);
    this.served.open(call);
    if (frame.size > 0) this.#begin(call, frame);
    else if (!this.early.holds(call)) channel!.mounted!.incoming(call);
    this.served.watchDeadline(call);
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
    if (size > 0 && oversized(method.request, size)) return aboveCodec(method, 'request', size);
    const { limits, usage, memory } = this.#context;
    // If nothing waits or is handled, no share is used up.
    const hasTooMany = memory.bytes > 0 && usage.hasTooMany;
    if (channel!.openIn >= limits.calls || channel!.running >= limits.calls || hasTooMany)
      return crowded(channel!, this.#context);
    const { streams } = this.served;
    if (method.flags !== 0 && streams >= limits.streams)
      return exhausted(`${streams} streaming calls are open, limits.streams allows no more`);
    if (size > 0 && !memory.fits(size)) return exhausted(memory.noRoom('a request', size));
    return undefined;
  }

  oneway(frame: Frame): void {
    this.#context.touch();
    const channel = this.#channels.known(frame.channel);
    const method = methodOf(channel, frame.method);
    if (!this.#arrives(frame, channel)) return;
    if (frame.size > 0 && (frame.id === 0 || this.served.ids.get(frame.id) !== undefined))
      return this.#context.violation(`a long ONEWAY with id ${frame.id}, which is already in use`);
    if (!this.#hears(channel, method) || oversized(method!.request, frame.size)) {
      this.#context.count('onewayDropped', 1);
      return this.#giveBack(frame, channel);
    }
    const call = new InCall(this.served, frame, channel!, method!, this.#packets.keep(frame));
    call.chargeTo(channel!.inbox);
    if (frame.size === 0) return channel!.mounted!.incoming(call);
    this.served.ids.set(call);
    if (!this.#context.memory.fits(frame.size)) return call.crowdOut();
    this.#begin(call, frame);
  }

  /** Returns true if the method is a one-way and nothing prevents its delivery. */
  #hears(channel: Channel | undefined, method: ProtocolMethod | undefined): boolean {
    return (
      channel !== undefined &&
      method !== undefined &&
      method.kind === 'oneway' &&
      channel.disagreement === undefined &&
      this.refusing === undefined &&
      !this.#context.usage.hasTooMuch
    );
  }

  /**
   * Checks a REQUEST or ONEWAY and charges it to the inbox of its channel. Returns false if it
   * broke the rules; the violation has then been reported. A channel without a protocol has no
   * account: it keeps nothing, so the cost is given back at once.
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
   * them a peer sends to a channel without a protocol, so each one is charged.
   */
  #giveBack(frame: Frame, channel: Channel | undefined): void {
    const isOneway = frame.kind === Kind.ONEWAY;
    if (!isOneway && frame.size === 0) return;
    if (channel?.mounted === undefined) this.#context.spend(REFUSAL);
    if (frame.channel >= CHANNELS) return;
    const inbox = channel?.inbox ?? this.#outbox.batch.stray(frame.channel);
    inbox.giveBackMessage(isOneway, longCost(frame), true);
  }

  #refuse(frame: Frame, channel: Channel | undefined, refusal: TransportError): void {
    this.#giveBack(frame, channel);
    this.#context.count('refusedCall', 1);
    const lanes = channel?.lanes ?? this.#channels.nowhere;
    this.#outbox.refuse(lanes, Outgoing.error(frame.id, UNPROCESSED, errorFrame(refusal)));
    // The caller is not to blame for a full queue or for a transport that closes.
    if (refusal.code === 'resource_exhausted' || refusal === this.refusing)
      this.#context.spend(REFUSAL);
    else this.#context.refused();
  }

  item(frame: Frame): void {
    const call = this.served.ids.get(frame.id);
    // It crossed our answer.
    if (call === undefined || (!call.open && call.upload !== undefined))
      return void this.#packets.packet(frame);
    if (call.upload === undefined || call.upload.ended || call.assembly !== undefined)
      return this.#context.violation(`ITEM for call ${frame.id}, which has no upload`);
    this.#context.touch();
    call.upload.receive(frame, this.#packets, true, call);
  }

  part(frame: Frame): void {
    const call = this.served.ids.get(frame.id);
    if (!this.#packets.packet(frame) || call === undefined) return;
    const { assembly } = call;
    if (assembly === undefined) {
      // If there is no unfinished message, this packet belongs to a dropped duplicate, or it
      // crossed the end of the upload.
      if (call.upload?.assembly !== undefined) call.upload.receivePart(frame);
      return;
    }
    if (!assembly.receive(frame, 'request')) return;
    call.complete(assembly);
    if (call.method.kind === 'oneway') this.served.ids.delete(call);
    else if (this.early.holds(call)) return;
    call.channel.mounted!.incoming(call);
  }

  end(frame: Frame): void {
    const call = this.served.ids.get(frame.id);
    if (call === undefined || !call.open) return;
    const { upload } = call;
    if (upload === undefined || upload.assembly !== undefined || call.assembly !== undefined)
      return this.#context.violation(`END of call ${frame.id}, which has no open stream`);
    if (upload.ended)
      return this.#context.violation(`END of call ${frame.id}, whose stream had already ended`);
    upload.end(undefined);
  }

  cancel(frame: Frame): void {
    const call = this.served.ids.get(frame.id);
    if (call === undefined) return;
    const isTold = call.cancelled !== undefined;
    this.#context.spend(isTold ? CANCEL_TOLD : call.running === 0 ? CANCEL : CANCEL_RUNNING);
    this.served.abort(
      call,
      stackless('cancelled', 'the caller cancelled the call', { origin: 'remote' }),
    );
  }

  /** Handles CREDIT for a stream that we send. It is ignored if the call has already ended. */
  credit(frame: Frame): void {
    this.served.ids.get(frame.id)?.download?.grant(frame.credit);
  }

  #begin(call: InCall, frame: Frame): void {
    call.assemble(new Assembly(this.#context, frame, true, call));
    this.#context.wakeBy(this.#context.now + STALLED);
    this.#context.usage.makeRoom();
  }
}

/** The number of channels: a higher channel number has no account. */
const CHANNELS = 0x100;

function methodOf(channel: Channel | undefined, id: number): ProtocolMethod | undefined {
  const table = channel?.mounted?.table;
  return table === undefined ? undefined : (table.byLowId[id] ?? table.byId.get(id));
}

// EarlyCancels holds back requests whose CANCEL has arrived in the same chunk, so that their
// handlers never start (docs/wire-protocol.md §4).
//
// Owns the requests that it holds back until the chunk has been read. `Session` tells it what it
// reads, and `Callee` asks it about each request. It only guesses from the bytes: a request whose
// CANCEL does not come after all is delivered at the end of the chunk.

/** The requests of a chunk that are canceled in the same chunk. */
export class EarlyCancels {
  /** The chunk or the batch of frames, until its first request makes a search necessary. */
  #input: Uint8Array | readonly Frame[] | undefined = undefined;
  /** The position in the chunk at which its first whole frame begins. */
  #from = 0;
  #ids: Set<number> | undefined = undefined;
  #held: InCall[] = [];

  /** Begins to read a chunk, whose first whole frame begins at `from`, or a batch of frames. */
  open(input: Uint8Array | readonly Frame[], from: number): void {
    this.#input = input;
    this.#from = from;
  }

  /** Returns true if the call is held back because its CANCEL seems to follow. */
  holds(call: InCall): boolean {
    if (this.#input !== undefined) this.#search(this.#input);
    if (this.#ids?.has(call.id) !== true) return false;
    this.#held.push(call);
    return true;
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
    if (!isRead || this.#held.length === 0) return;
    const held = this.#held;
    this.#held = [];
    for (const call of held) if (call.open) call.channel.mounted!.incoming(call);
  }
}

// The errors with which a callee refuses calls that are unknown here, that the two ends define
// differently, or that exceed a limit (docs/wire-protocol.md §4).

/** Returns the refusal of a call that has no method here, or whose method is of another kind. */
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
  return method.kind === 'oneway'
    ? mismatch(method, 'one-way', 'for an answer')
    : mismatch(method, method.kind, `as ${KINDS[flags]}`);
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
  if (channel.running >= limits.calls)
    return exhausted(`${handlers}, limits.calls allows no more`);
  const share = `${context.usage.calls} of this connection (${context.usage.bytes} bytes)`;
  const all = `${memory.calls} calls (${memory.bytes} bytes) wait or are handled here`;
  return exhausted(`limits.total is reached: ${all}, ${share}, which has used up its share`);
}

function mismatch({ full }: ProtocolMethod, here: string, called: string): TransportError {
  return stackless('failed_precondition', `'${full}' is ${here} here, but was called ${called}`);
}

function exhausted(message: string): TransportError {
  return stackless('resource_exhausted', message);
}

/** The kinds of methods by the flags of their REQUEST. */
const KINDS = ['unary', 'upload', 'download', 'duplex'] as const;
