// Reads the input of a session, bytes or frames, until the work units of the turn are spent. Hands
// each frame to the part that handles its kind.
//
// Owns the decoder, and the time by which the arriving frame must be complete. The session passes
// it the input and tells it when calls may flow. It calls the caller's and the callee's half. It
// passes the session each GO_AWAY, and each frame that arrives before the hello is complete.
// Answers, below, handles the frames that answer our calls.

import { stackless, TransportError } from '../errors.ts';
import type { ProtocolMethod } from '../protocol/protocol.ts';
import { FrameDecoder } from '../wire/decoder.ts';
import {
  ACCOUNT_MAX,
  Account,
  type Frame,
  type FrameVisitor,
  Kind,
  UNKNOWN_KINDS,
} from '../wire/frame.ts';
import { HELLO_FRAME_LIMIT } from '../wire/hello.ts';
import { remoteError } from '../wire/metadata.ts';
import type { Callee } from './callee.ts';
import type { Caller } from './caller.ts';
import type { OutCall } from './out-call.ts';
import { Assembly, type IncomingPackets, oversized, priceOf, STALLED } from './packets.ts';
import type { CallParts } from './served-calls.ts';
import { FIELDS_SHIFT, type Liveness, type SessionContext } from './session-context.ts';

/** Handles the frames that concern the session as a whole. */
export interface FrameReceiver {
  /** Called with each frame before calls may flow. */
  early(frame: Frame): void;
  goneAway(frame: Frame): void;
}

/** The parts of a session that `IncomingFrames` and `TimeLimits` use. */
export interface Parts extends CallParts {
  readonly answers: Answers;
  readonly callee: Callee;
  readonly caller: Caller;
  readonly liveness: Liveness;
  readonly packets: IncomingPackets;
}

/** The input of a session. */
export class IncomingFrames implements FrameVisitor {
  /** The time by which the frame that is now arriving must be complete. */
  due = Number.POSITIVE_INFINITY;
  /** True if calls may flow, so frames other than those of the hello are handled. */
  #isOpen = false;
  /** True if the session has ended, so nothing more is read. */
  #isOver = false;
  /** True if the peer has sent GO_AWAY, so it must not open any more calls. */
  #peerLeft = false;
  /** The number of frames that were read from this chunk. */
  #frames = 0;
  /** The parity of our own call ids. */
  readonly #parity: 0 | 1;
  /** Decodes the byte stream; undefined if the connection carries frames. */
  readonly #decoder: FrameDecoder | undefined;
  readonly #receiver: FrameReceiver;
  readonly #parts: Parts;
  readonly #context: SessionContext;
  readonly #answers: Answers;
  readonly #callee: Callee;

  constructor(
    receiver: FrameReceiver,
    parts: Parts,
    { parity, isBytes }: { readonly parity: 0 | 1; readonly isBytes: boolean },
  ) {
    const { context, answers, callee } = parts;
    this.#receiver = receiver;
    this.#parts = parts;
    this.#context = context;
    this.#answers = answers;
    this.#callee = callee;
    this.#parity = parity;
    this.#decoder = isBytes
      ? new FrameDecoder({ maxLength: HELLO_FRAME_LIMIT, allocate: context.allocate })
      : undefined;
  }

  /** Sets the maximum length of an accepted frame, once the hello has determined it. */
  limit(maxLength: number): void {
    this.#decoder?.limit(maxLength);
  }

  /** Called when the hello is complete. */
  open(): void {
    this.#isOpen = true;
  }

  /** Called when the peer must not open any more calls. */
  leave(): void {
    this.#peerLeft = true;
  }

  /** Called when the session has ended. */
  end(): void {
    this.#isOver = true;
    this.#context.grant(0); // No more frames are read.
  }

  /** Extends the time limit by `lateness`, the milliseconds for which this process was asleep. */
  excuse(lateness: number): void {
    this.due += lateness;
  }

  /** Returns true, after reporting it, if a frame took too long. */
  wake(now: number): boolean {
    if (now < this.due) return false;
    this.#context.violation('malformed', 'a frame was not complete after 15 s');
    return true;
  }

  /** True if `frame` returned false only because the work units are spent. */
  get pauses(): boolean {
    return !this.#isOver;
  }

  /** The part of the chunk that the last `receive` did not read. */
  get unread(): Uint8Array {
    return this.#decoder!.unread;
  }

  /** Reads bytes that arrived at `now`. Returns true if no reference to them is kept. */
  receive(now: number, bytes: Uint8Array): boolean {
    const { batch, caller, callee, packets } = this.#parts;
    const decoder = this.#decoder!;
    const calls = caller.slots.size;
    this.#frames = 0;
    packets.open(bytes);
    callee.early.open(bytes, decoder.missing);
    const violation = decoder.read(bytes, this);
    batch.read(calls, callee.served.ids.takePeak(), this.#frames);
    const isDone = packets.clear();
    if (violation !== undefined && !this.#isOver)
      this.#context.violation(violation.reason, violation.message);
    callee.endChunk(decoder.unread.length === 0);
    if (decoder.partial === 0) this.due = Number.POSITIVE_INFINITY;
    else if (this.due === Number.POSITIVE_INFINITY || this.#frames > 0) {
      this.due = now + FRAME_TIME;
      this.#context.port.wakeBy(this.due);
    }
    return isDone;
  }

  /**
   * Reads frames of a connection that carries frames. Returns the number of frames that were read.
   */
  receiveFrames(batch: readonly Frame[]): number {
    let read = 0;
    this.#callee.early.open(batch, 1);
    while (read < batch.length && this.frame(batch[read++]!));
    this.#callee.endChunk(read === batch.length);
    return read;
  }

  frame(frame: Frame): boolean {
    if (++this.#frames === 2) this.#parts.batch.readsOn();
    if (frame.rich) this.#context.spend(frame.fields >> FIELDS_SHIFT);
    if (this.#isOpen) this.#dispatch(frame);
    else if (frame.kind === Kind.GO_AWAY) this.#receiver.goneAway(frame);
    else this.#receiver.early(frame);
    // The packet has been copied into its message or dropped, so its buffer can be reused.
    if (frame.kind === Kind.PART || frame.size > 0) this.#decoder?.recycle();
    return this.#context.spendFrame();
  }

  /**
   * Handles the most common kinds of frames. The function is small so that V8 inlines it into the
   * loop that reads them.
   */
  #dispatch(frame: Frame): void {
    const { kind } = frame;
    if (kind === Kind.RESPONSE) this.#answers.response(frame);
    else if (kind === Kind.REQUEST) {
      if (this.#opens(frame)) this.#callee.request(frame);
    } else if (kind === Kind.ONEWAY) {
      if (this.#opens(frame)) this.#callee.oneway(frame);
    } else this.#rarer(frame);
  }

  /**
   * Returns the memory for the next packet of an incoming long message. Packets of messages that
   * were dropped are only counted, so all of them are read into the same memory.
   */
  place(id: number, length: number): Uint8Array {
    const { memory, allocate } = this.#context;
    const half = this.#isOurs(id) ? this.#answers : this.#callee;
    return half.assembly(id)?.room(length) ?? memory.discardRoom(length, allocate);
  }

  #rarer(frame: Frame): void {
    const { kind, id } = frame;
    const half = this.#isOurs(id) ? this.#answers : this.#callee;
    switch (kind) {
      case Kind.ITEM:
        return half.item(frame);
      case Kind.PART:
        return half.part(frame);
      case Kind.END:
        return half.end(frame);
      case Kind.ERROR:
        return this.#answers.error(frame);
      case Kind.CANCEL:
        return this.#callee.cancel(frame);
      case Kind.CREDIT:
        return this.#credit(frame);
      case Kind.PING:
        return this.#ping(id);
      case Kind.PONG:
        return this.#pong(id);
      case Kind.PROTOCOLS:
        return this.#protocols(frame);
      case Kind.GO_AWAY:
        return this.#receiver.goneAway(frame);
      default:
        if (kind < UNKNOWN_KINDS)
          return this.#context.violation(
            'malformed',
            `a frame of kind ${kind}, which is not allowed here`,
          );
        this.#context.count('unknownFrame', 1);
        this.#context.abused();
    }
  }

  /** Returns true if the peer may open this call. */
  #opens(frame: Frame): boolean {
    const { id } = frame;
    // A short one-way has no id.
    const isTheirs =
      id === 0 ? frame.kind === Kind.ONEWAY && frame.size === 0 : (id & 1) !== this.#parity;
    return (isTheirs && frame.method !== 0 && !this.#peerLeft) || this.#mayOpen(frame);
  }

  #mayOpen(frame: Frame): boolean {
    const named = frame.kind === Kind.REQUEST || frame.size > 0;
    if (this.#peerLeft) this.#context.violation('malformed', 'it opened a call after its GO_AWAY');
    else if (named && (frame.id === 0 || this.#isOurs(frame.id)))
      this.#context.violation(
        'malformed',
        `it opened call ${frame.id}, an id that belongs to this end`,
      );
    else if (frame.method === 0) this.#context.violation('malformed', 'it called method 0');
    else return true;
    return false;
  }

  #isOurs(id: number): boolean {
    return (id & 1) === this.#parity && id !== 0;
  }

  #credit(frame: Frame): void {
    const { account, credit, id, channel } = frame;
    const { channels, outbox } = this.#parts;
    if (credit > 0) {
      if (account === Account.STREAM)
        return (this.#isOurs(id) ? this.#answers : this.#callee).credit(frame);
      if (account === Account.PIPE || account === Account.REPLY) {
        if (outbox.grant(account, credit)) return;
      } else if (account === Account.SHORT || account === Account.LONG) {
        // Nothing was ever sent on a channel that this end does not know, so its credit is ignored.
        const known = channels.known(channel);
        if (known === undefined || outbox.grantChannel(known.lanes, account, credit)) return;
      }
    }
    this.#context.violation('malformed', `CREDIT of ${credit} for account ${account}`);
  }

  /**
   * Answers a PING, whatever else is queued, as long as the peer does not send too many of them.
   */
  #ping(id: number): void {
    if (this.#context.abused()) this.#parts.batch.control(Kind.PONG, id);
  }

  #pong(nonce: number): void {
    const { now, active, port } = this.#context;
    const { liveness, packets } = this.#parts;
    const rtt = liveness.pong(nonce, now);
    if (rtt === undefined) return void this.#context.abused();
    packets.pong(rtt, now);
    port.wakeBy(liveness.due(active));
  }

  #protocols(frame: Frame): void {
    if (!this.#context.abused()) return;
    const wrong = this.#parts.channels.learn(frame.hello);
    if (wrong !== undefined) this.#context.violation('malformed', `its PROTOCOLS has ${wrong}`);
  }
}

/** The time limit for receiving a frame, in milliseconds from its first byte. */
const FRAME_TIME = 15_000;

// The peer's answers to our calls: responses, items, ends and errors, matched by the id of the call
// (docs/wire-protocol.md §4).
//
// Answers owns no state, because each call keeps its own. IncomingFrames passes it the peer's frames.
// It ends calls at the caller and hands payloads and errors to the calls.

/** Handles the peer's answers to our calls. */
export class Answers {
  readonly #context: SessionContext;
  readonly #incomingPackets: IncomingPackets;
  readonly #caller: Caller;

  constructor(context: SessionContext, incomingPackets: IncomingPackets, caller: Caller) {
    this.#context = context;
    this.#incomingPackets = incomingPackets;
    this.#caller = caller;
  }

  response(frame: Frame): void {
    const call = this.#caller.slots.get(frame.id);
    if (call === undefined) return this.#unknown(frame);
    if (call.method.response === undefined || call.assembly !== undefined)
      return this.#unawaited(frame);
    this.#context.touch();
    if (frame.size > 0) return this.#long(frame, call);
    if (!this.#incomingPackets.short(frame)) return;
    this.#caller.terminal(call);
    if (call.done) this.#context.count('lateReply', 1);
    else call.answered(this.#incomingPackets.keep(frame));
  }

  #unawaited({ id }: Frame): void {
    this.#context.violation('malformed', `RESPONSE to call ${id}, which awaits no response`);
  }

  /** Handles the first packet of a long response. */
  #long(frame: Frame, call: OutCall): void {
    const { reply } = this.#incomingPackets;
    if (!this.#incomingPackets.longMessage(frame, reply)) return;
    if (!call.done && oversized(call.method.response, frame.size))
      call.failed(excess(call.method, frame.size));
    call.assemble(
      new Assembly(this.#context, frame, !call.done, { refuse: () => this.#crowdOut(call) }),
    );
    this.#context.usage.makeRoom();
  }

  item(frame: Frame): void {
    const call = this.#caller.slots.get(frame.id);
    if (call === undefined) return this.#unknown(frame);
    const { download } = call;
    if (download === undefined)
      return this.#context.violation(
        'malformed',
        `ITEM for call ${frame.id}, which has no download`,
      );
    this.#context.touch();
    download.receive(frame, this.#incomingPackets, !call.done, {
      refuse: () => this.#crowdOut(call),
    });
    if (!call.done) call.progressed(this.#context.now);
  }

  part(frame: Frame): void {
    const call = this.#caller.slots.get(frame.id);
    if (call === undefined) return this.#unknown(frame);
    if (!this.#incomingPackets.packet(frame)) return;
    const { assembly, download } = call;
    if (assembly === undefined) {
      if (download?.assembly !== undefined) download.receivePart(frame);
      else
        this.#context.violation(
          'malformed',
          `PART for call ${frame.id}, which is not receiving a long message`,
        );
      return;
    }
    if (!assembly.add(frame.payload))
      return this.#context.violation(
        'malformed',
        `the packets of the response to call ${frame.id} do not match its declared size`,
      );
    if (!assembly.complete) return this.#context.usage.makeRoom();
    const message = call.takeAssembly();
    this.#caller.terminal(call);
    if (call.done || message === undefined) this.#context.count('lateReply', 1);
    else call.answered(message);
    this.#incomingPackets.reply.used(assembly.price, 0);
  }

  /** Returns the incomplete long message of a call. */
  assembly(id: number): Assembly | undefined {
    const call = this.#caller.slots.get(id);
    return call?.assembly ?? call?.download?.assembly;
  }

  end(frame: Frame): void {
    const call = this.#caller.slots.get(frame.id);
    if (call === undefined) return this.#unknown(frame);
    if (call.download === undefined)
      return this.#context.violation('malformed', `END of call ${frame.id}, which has no download`);
    if (call.download.assembly !== undefined)
      return this.#context.violation(
        'malformed',
        `END of call ${frame.id} in the middle of an item`,
      );
    this.#caller.terminal(call);
    call.download.end(undefined);
    if (call.done) this.#context.count('lateReply', 1);
    else call.ended();
  }

  error(frame: Frame): void {
    const call = this.#caller.slots.get(frame.id);
    if (call === undefined || call.method.kind === 'oneway') return this.#unknown(frame);
    const error = remoteError(frame);
    if (error.reason === 'draining') this.#context.port.drains?.();
    if (call.assembly !== undefined)
      this.#incomingPackets.reply.giveBack(call.assembly.price, false);
    this.#caller.terminal(call);
    call.download?.end(error);
    if (call.done) this.#context.count('lateReply', 1);
    else call.failed(error);
  }

  /** Handles CREDIT for a stream that we upload. It is ignored if the call has already ended. */
  credit(frame: Frame): void {
    const call = this.#caller.slots.get(frame.id);
    if (call?.upload === undefined) return;
    if (!call.upload.grant(frame.credit, ACCOUNT_MAX))
      return this.#context.violation('malformed', 'the credit of a stream rose above 2^31 − 1');
    call.taken();
  }

  /**
   * Fails the calls whose long response or item stopped arriving. Returns the next time at which
   * this must be checked.
   */
  wake(now: number): number {
    let next = Number.POSITIVE_INFINITY;
    if (this.#context.usage.unfinished === 0) return next;
    for (const call of this.#caller.slots.values()) {
      const { assembly = call.download?.assembly } = call;
      if (assembly === undefined || call.done) continue;
      const stale = Math.max(assembly.last, this.#incomingPackets.lastPacket) + STALLED;
      if (stale > now) next = Math.min(next, stale);
      else this.#stopped(call, assembly);
    }
    return next;
  }

  /**
   * Fails a call because a long message from the callee stopped arriving; sends a CANCEL to a
   * callee that still streams.
   */
  #stopped(call: OutCall, assembly: Assembly): void {
    const { got, size } = assembly;
    assembly.drop();
    const what = call.download === undefined ? 'the response' : 'an item';
    call.failed(
      new TransportError('aborted', `${what} stopped after ${got} of ${size} bytes`, {
        sent: true,
      }),
    );
    if (call.download !== undefined) this.#caller.abandon(call);
  }

  /**
   * Fails a call because `limits.memory` has no room for a long message from the callee, and sends
   * the callee a CANCEL.
   */
  #crowdOut(call: OutCall): void {
    const assembly = call.assembly ?? call.download?.assembly;
    if (assembly === undefined) return;
    assembly.drop();
    const what = call.download === undefined ? 'the response' : 'an item';
    const message = `${call.method.full}: limits.memory is reached, ${what} was dropped after ${assembly.got} of ${assembly.size} bytes; raise the limit, or request less at a time`;
    call.failed(new TransportError('resource_exhausted', message, { sent: true }));
    this.#caller.abandon(call);
  }

  #unknown(frame: Frame): void {
    this.#context.count('unknownAnswer', 1);
    this.#context.abused();
    const packet = frame.kind === Kind.ITEM || frame.kind === Kind.PART || frame.size > 0;
    if (packet && !this.#incomingPackets.packet(frame)) return;
    if (frame.kind === Kind.RESPONSE && frame.size > 0)
      this.#incomingPackets.reply.giveBack(
        this.#incomingPackets.reply.spend(priceOf(frame)) ? priceOf(frame) : 0,
        false,
      );
  }
}

/**
 * Returns the caller's error for a response above the limit of its codec. The response itself is
 * dropped.
 */
function excess({ full, response }: ProtocolMethod, size: number): TransportError {
  const message = `${full}: a response of ${size} bytes is above ${response!.limit}, the limit of its codec here (${response!.name})`;
  return stackless('resource_exhausted', message, { reason: 'too_large', sent: true });
}
