// Reads the input of a session, bytes or frames, until the work units of the turn are spent. Hands
// each frame to the part that handles its kind.
//
// Owns the decoder, and the time by which the arriving frame must be complete. The session passes
// it the input and tells it when calls may flow. It calls the caller's and the callee's half. It
// passes the session each GO_AWAY, and each frame that arrives before the hello is complete.

import { FrameDecoder, type FrameVisitor } from '../wire/decoder.ts';
import { Account, type Frame, Kind, UNKNOWN_KINDS } from '../wire/frame.ts';
import { HELLO_FRAME_LIMIT } from '../wire/hello.ts';
import type { Callee } from './callee.ts';
import { FIELDS_SHIFT, type SessionContext } from './session-context.ts';
import type { Answers, SessionParts } from './session-parts.ts';

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
  readonly #pass: (frame: Frame) => void;
  readonly #parts: SessionParts;
  readonly #context: SessionContext;
  readonly #answers: Answers;
  readonly #callee: Callee;

  /** @param pass receives the frames that arrive before calls may flow, and each GO_AWAY. */
  constructor(
    parts: SessionParts,
    { parity, isBytes }: { readonly parity: 0 | 1; readonly isBytes: boolean },
    pass: (frame: Frame) => void,
  ) {
    const { context, answers, callee } = parts;
    this.#pass = pass;
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
    this.#context.violation(`a frame was not complete after ${FRAME_TIME / 1_000} s`);
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
    // Counted before the answers in this chunk end calls; see `BatchPacer.read`.
    const calls = caller.slots.size;
    this.#frames = 0;
    // Each `open` has its counterpart below: `clear` and `callee.endChunk`.
    packets.retainer?.open(bytes);
    // `early` looks for CANCELs from the first whole frame on, which `read` would make unknown.
    callee.early.open(bytes, decoder.missing);
    const violation = decoder.read(bytes, this);
    // Taken after the requests in this chunk have entered the table.
    batch.pacer.read(calls, callee.served.ids.takePeak(), this.#frames);
    const isDone = packets.retainer?.clear() ?? true;
    // Before `endChunk` delivers the requests that `early` holds back: a violation ends them.
    if (violation !== undefined && !this.#isOver)
      this.#context.violation(violation.message, violation.reason);
    callee.endChunk(decoder.unread.length === 0);
    if (decoder.partial === 0) this.due = Number.POSITIVE_INFINITY;
    else if (this.due === Number.POSITIVE_INFINITY || this.#frames > 0) {
      this.due = now + FRAME_TIME;
      this.#context.wakeBy(this.due);
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

  /**
   * Handles a frame; the decoder calls it for each one. Returns false to stop reading, because the
   * work units are spent or the session has ended.
   */
  frame(frame: Frame): boolean {
    if (++this.#frames === 2) this.#parts.batch.pacer.readsOn();
    if (frame.rich) this.#context.spend(frame.fields >> FIELDS_SHIFT);
    if (this.#isOpen) this.#dispatch(frame);
    else this.#pass(frame);
    // A packet of a long message (its first one has a size) has been copied into the message or
    // dropped, so its buffer can be reused.
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
   * are dropped, even in the middle of a packet, are only counted, so all of them are read into the
   * same memory.
   */
  place(id: number, length: number): Uint8Array {
    const { memory, allocate } = this.#context;
    const { caller, callee } = this.#parts;
    const call = this.#isOurs(id) ? caller.slots.get(id) : callee.served.ids.get(id);
    return call?.unfinished?.room(length) ?? memory.discardRoom(length, allocate);
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
        return this.#pass(frame);
      default:
        if (kind < UNKNOWN_KINDS)
          return this.#context.violation(`a frame of kind ${kind}, which is not allowed here`);
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
    return (isTheirs && frame.method !== 0 && !this.#peerLeft) || this.#checkOpening(frame);
  }

  /**
   * Reports the rule that a frame breaks. Returns true if it breaks none: a short one-way may have
   * any id, which is ignored.
   */
  #checkOpening(frame: Frame): boolean {
    const named = frame.kind === Kind.REQUEST || frame.size > 0;
    if (this.#peerLeft) this.#context.violation('it opened a call after its GO_AWAY');
    else if (named && (frame.id === 0 || this.#isOurs(frame.id)))
      this.#context.violation(`it opened call ${frame.id}, an id that belongs to this end`);
    else if (frame.method === 0) this.#context.violation('it called method 0');
    else return true;
    return false;
  }

  #isOurs(id: number): boolean {
    return (id & 1) === this.#parity && id !== 0;
  }

  #credit(frame: Frame): void {
    const { account, credit, id, channel, size } = frame;
    const { channels, outbox } = this.#parts;
    if (credit > 0) {
      if (account === Account.STREAM)
        return (this.#isOurs(id) ? this.#answers : this.#callee).credit(frame);
      if (account === Account.PIPE) {
        if (outbox.grant(credit)) return;
      } else if (account === Account.INBOX) {
        // Nothing was ever sent on a channel that this end does not know, so its credit is ignored.
        const known = channels.known(channel);
        if (known === undefined || outbox.grantChannel(known.lanes, credit, size)) return;
      }
    }
    const done = size > 0 ? ` with ${size} one-ways done` : '';
    this.#context.violation(`CREDIT of ${credit} for account ${account}${done}`);
  }

  /**
   * Answers a PING, whatever else is queued, as long as the peer does not send too many of them.
   */
  #ping(id: number): void {
    if (this.#context.abused()) this.#parts.batch.control(Kind.PONG, id);
  }

  #pong(nonce: number): void {
    const { now, active } = this.#context;
    const { liveness, packets } = this.#parts;
    const rtt = liveness.pong(nonce, now);
    if (rtt === undefined) return void this.#context.abused();
    packets.pong(rtt, now);
    this.#context.wakeBy(liveness.due(active));
  }

  #protocols(frame: Frame): void {
    if (!this.#context.abused()) return;
    const wrong = this.#parts.announced(frame.hello);
    if (wrong !== undefined) this.#context.violation(`its PROTOCOLS has ${wrong}`);
  }
}

/** The time limit for receiving a frame, in milliseconds from its first byte. */
const FRAME_TIME = 15_000;
