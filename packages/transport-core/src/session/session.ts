// One connection as a state machine: bytes or frames in, bytes or frames out, time as an argument. It never reads a clock, waits or
// throws because of what a peer sent. The calls live in caller and callee, what is sent in outbox; here is what binds them: hello, the
// kinds of frames, being alive, and the end.

import { codeNumber, REASONS, reasonError, reasonNumber, TransportError } from '../errors.ts';
import { truncateText } from '../text.ts';
import { FrameDecoder } from '../wire/decoder.ts';
import { FRAME_OVERHEAD, type Frame, type FrameVisitor, Kind } from '../wire/frame.ts';
import { decodeHello, HELLO_LIMIT } from '../wire/hello.ts';
import { Answers } from './answers.ts';
import { Callee } from './callee.ts';
import { Caller } from './caller.ts';
import type { Channel } from './channel.ts';
import { Channels } from './channels.ts';
import { type Departing, Departure, goAwayError, lossOf } from './departure.ts';
import { Dispatcher } from './dispatcher.ts';
import { Greeter } from './greeter.ts';
import { judgeHello, settle } from './handshake.ts';
import { Inflow } from './inflow.ts';
import { Link } from './link.ts';
import { Liveness } from './liveness.ts';
import type { OutCall } from './out-call.ts';
import { Outbox, STUCK } from './outbox.ts';
import { EARLY_END } from './preamble.ts';
import type { Phase, SessionOptions } from './session-options.ts';
import { Shelf } from './shelf.ts';
import { FIELDS_SHIFT } from './work.ts';

export class Session implements FrameVisitor, Departing {
  readonly link: Link;
  readonly caller: Caller;
  readonly callee: Callee;
  readonly outbox: Outbox;
  readonly #options: SessionOptions;
  private readonly inflow: Inflow;
  readonly #shelf: Shelf | undefined;
  /** Of a connection that carries bytes. */
  readonly #decoder: FrameDecoder | undefined;
  readonly liveness: Liveness;
  readonly #channels: Channels;
  /** Our protocols have changed since our HELLO told them. */
  #isStale = false;
  readonly #greeter: Greeter;
  readonly #dispatcher: Dispatcher;
  readonly #departure: Departure;
  #phase: Phase = 'hello';
  #handshakeDue: number;
  /** When the frame that is coming in is to be whole. */
  #frameDue = Number.POSITIVE_INFINITY;
  #frames = 0;
  #holds = 0;
  /** The acceptor is twice as patient: so the dialler, who knows its plans, is first. */
  readonly #idleTime: number;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { now, side } = options;
    this.link = new Link({
      ...options,
      now,
      breakOff: (error) => this.break(error),
      violation: (reason, message) => this.break(reasonError(reason, `the peer broke the protocol: ${message}`)),
    });
    this.outbox = new Outbox(this.link, options.isBounded);
    const carriesBytes = options.preamble !== undefined;
    // Frames go from hand to hand in one thread: no end can read while the other writes.
    if (!carriesBytes) this.outbox.pace.batch = Number.POSITIVE_INFINITY;
    this.#shelf = carriesBytes ? new Shelf(options.allocate, options.copies) : undefined;
    this.inflow = new Inflow(this.link, this.outbox, this.#shelf, () => this.#measure());
    this.#channels = new Channels(this.link, this.outbox, options.mounts, options.visitor);
    this.#greeter = new Greeter(this.link, options);
    this.liveness = new Liveness(options.keepAlive, options.random, now);
    const parity = side === 'dialler' ? 1 : 0;
    this.caller = new Caller(this.link, this.outbox, this.inflow, parity, this.#channels);
    this.callee = new Callee(this.link, this.outbox, this.inflow, options.visitor, this.#channels, (channel) => this.watch(channel));
    const answers = new Answers(this.link, this.inflow, this.caller);
    this.#dispatcher = new Dispatcher(this.link, this.outbox, answers, this.callee, this.#channels, this.liveness, this.inflow.window, parity);
    this.#departure = new Departure(this.link, this.outbox, this.caller, this.callee, this.#channels, this);
    this.#decoder = carriesBytes ? new FrameDecoder({ maxLength: HELLO_LIMIT + HELLO_SLACK, allocate: options.allocate }) : undefined;
    this.#idleTime = options.idleTimeout * (side === 'dialler' ? 1 : 2);
    this.#handshakeDue = now + options.handshakeTimeout;
    options.port.wakeBy(this.#handshakeDue);
  }

  get state(): 'opening' | 'up' | 'closing' | 'closed' {
    return this.#phase === 'up' ? 'up' : this.#phase === 'leaving' ? 'closing' : this.#phase === 'closed' ? 'closed' : 'opening';
  }

  get openChannels(): Iterable<Channel> {
    return this.#channels.all();
  }

  /** How much it has to do, to be compared with others of its target. */
  get load(): number {
    return this.link.held - this.link.working + this.caller.slots.size;
  }

  /** Bodies wait, and the pipe has no credit for them: another connection might help. */
  get crowded(): boolean {
    return this.#phase === 'up' && this.link.pipe <= 0 && this.outbox.bulky;
  }

  // The beginning.

  /** A dialler speaks first. */
  open(fields: Readonly<Record<string, string>>): void {
    if (this.#phase !== 'hello') return;
    this.#greeter.speak();
    this.#isStale = false;
    this.#greeter.hello(fields);
    this.outbox.flush();
  }

  /** The driver agrees to this peer. An acceptor's hello, which says so, tells `fields` and `features`. */
  consent(fields: Readonly<Record<string, string>>, features?: readonly string[]): void {
    if (this.#phase !== 'consent') return;
    if (this.#options.side === 'dialler') {
      this.link.writer.signal(Kind.READY, 0);
      this.#rise();
    } else {
      this.#phase = 'ready';
      this.#isStale = false;
      this.#greeter.hello(fields, features);
    }
    this.outbox.flush();
  }

  #rise(): void {
    const { now } = this.link;
    this.#phase = 'up';
    this.link.active = now;
    this.outbox.control(Kind.PING, this.liveness.ping(now));
    this.#options.port.wakeBy(this.#nextDue());
    this.#options.visitor.up();
    if (this.#isStale) this.mountsChanged();
  }

  // What comes in.

  /**
   * Bytes of the connection, read at `now`, as far as `link.units` go; the rest is `unread`, to be given again before anything else.
   * True: the session keeps nothing of the chunk, nor does anybody to whom it gave payloads.
   */
  receive(now: number, chunk: Uint8Array): boolean {
    this.link.now = now;
    if (this.#phase === 'closed') return true;
    this.liveness.heard(now);
    const bytes = this.#greeter.matched ? chunk : this.#preamble(chunk);
    if (bytes === undefined) return true;
    this.#frames = 0;
    const calls = this.caller.slots.size;
    const decoder = this.#decoder!;
    const shelf = this.#shelf!;
    shelf.open(bytes);
    const violation = decoder.read(bytes, this);
    const { ids } = this.callee;
    this.outbox.pace.read(calls, ids.peak, this.#frames);
    ids.peak = 0;
    const isDone = shelf.clear();
    if (violation !== undefined && this.state !== 'closed') this.link.violation(violation.reason, violation.message);
    if (decoder.partial === 0) this.#frameDue = Number.POSITIVE_INFINITY;
    else if (this.#frameDue === Number.POSITIVE_INFINITY || this.#frames > 0) {
      this.#frameDue = now + FRAME_TIME;
      this.#options.port.wakeBy(this.#frameDue);
    }
    if (this.#phase === 'leaving') this.#options.port.dirty();
    return isDone;
  }

  /** What `receive` has left of its chunk. */
  get unread(): Uint8Array {
    return this.#decoder!.unread;
  }

  /** Frames of a connection that carries them, as far as `link.units` go. Gives how many were read. */
  receiveFrames(now: number, batch: readonly Frame[]): number {
    this.link.now = now;
    this.liveness.heard(now);
    let read = 0;
    if (this.#phase !== 'closed') while (read < batch.length && this.frame(batch[read++]!));
    if (this.#phase === 'leaving') this.#options.port.dirty();
    return read;
  }

  /** The peer's first bytes; an acceptor answers them. Gives what is left of the chunk. */
  #preamble(chunk: Uint8Array): Uint8Array | undefined {
    const rest = this.#greeter.read(chunk);
    if (rest instanceof TransportError) {
      this.outbox.flush();
      this.end(rest);
      this.#options.port.close();
      return undefined;
    }
    if (this.#greeter.matched && this.#options.side === 'acceptor') {
      if (this.#options.refused !== undefined) {
        this.break(this.#options.refused);
        return undefined;
      }
      this.#greeter.speak();
      this.#options.port.dirty();
    }
    return rest.length === 0 ? undefined : rest;
  }

  frame(frame: Frame): boolean {
    // The second frame of a chunk is not alone; its answer, and the first one's, go together.
    if (++this.#frames === 2) this.outbox.pace.alone = false;
    if (frame.rich) this.link.units -= frame.fields >> FIELDS_SHIFT;
    if (frame.kind === Kind.GO_AWAY) this.#goneAway(frame);
    else if (this.#phase === 'up' || this.#phase === 'leaving') {
      this.#dispatcher.dispatch(frame);
      // A packet of a long message was copied to its place, or dropped.
      if (frame.kind === Kind.PART || frame.size > 0) this.#decoder?.recycle();
    } else this.#greeting(frame);
    return --this.link.units > 0;
  }

  /** A session that stopped without being over has spent its units. */
  get pauses(): boolean {
    return this.#phase !== 'closed';
  }

  place(id: number, length: number): Uint8Array | undefined {
    return this.#dispatcher.place(id, length);
  }

  #greeting(frame: Frame): void {
    const { visitor, self, proven, refused } = this.#options;
    if (refused !== undefined) return this.break(refused);
    if (this.#phase === 'ready' && frame.kind === Kind.READY) return this.#rise();
    if (this.#phase !== 'hello' || frame.kind !== Kind.HELLO) {
      return this.link.violation('malformed', `frame ${frame.kind} before the hello was over`);
    }
    const hello = decodeHello(frame.hello);
    if (typeof hello === 'string') return this.link.violation('malformed', `its HELLO has ${hello}`);
    const wrong = judgeHello(hello, self, proven, this.#options.side);
    if (wrong !== undefined) return this.break(wrong);
    settle(this.link.terms, hello);
    if (this.#decoder !== undefined) this.#decoder.maxLength = this.link.limits.packet + FRAME_OVERHEAD;
    this.link.pipe = hello.limits.pipe;
    // Before the hello there was no account that could run dry.
    this.outbox.drySince = Number.POSITIVE_INFINITY;
    this.link.reply = hello.limits.reply;
    this.#channels.met(hello.protocols);
    this.#phase = 'consent';
    visitor.greeted(hello);
  }

  /** The channel of a byte; made at its first use, and kept for as long as the connection lives. */
  channel(byte: number): Channel {
    return this.#channels.get(byte);
  }

  /** A protocol was mounted or unmounted: the peer learns the whole list. */
  mountsChanged(): void {
    // Our HELLO may be on its way already: the list follows once it is up.
    if (this.state === 'opening') this.#isStale = true;
    if (this.state === 'closed' || this.state === 'opening') return;
    this.outbox.control(Kind.PROTOCOLS, 0, this.#channels.remount());
  }

  /** Protocols that both ends have mounted and can't speak with each other; each is given once. */
  disagreements() {
    return this.#channels.disagreements();
  }

  /** Why nothing can be spoken with the peer. */
  nothingShared(): TransportError | undefined {
    return this.#channels.nothingShared();
  }

  /** One protocol closes here: its own calls fail, those that it serves are over. */
  endChannel(byte: number, error: TransportError): void {
    const channel = this.#channels.used(byte);
    if (channel === undefined || this.#phase === 'closed') return;
    this.caller.failChannel(channel, error);
    this.callee.failChannel(channel, new TransportError('unavailable', error.message));
    for (const writer of channel.writers.splice(0)) writer.reject(error);
  }

  // The way out.

  /** Writes what can be written now. The driver calls it at the end of a tick. */
  pump(): void {
    if (this.#phase === 'closed') return;
    this.outbox.pump();
    if (this.outbox.awaited) for (const channel of this.#channels.all()) this.caller.admitWaiting(channel);
    this.outbox.flush();
    this.#channels.look(
      (channel) => this.caller.writable(channel),
      (channel) => this.#options.visitor.roomForReplies(channel),
    );
    this.#departure.finish();
  }

  /** The connection is done with the batch that it kept. */
  drained(now: number): void {
    this.link.now = now;
    if (this.#phase === 'closed') return;
    this.outbox.drained();
    this.pump();
  }

  /** Looks after a channel until its writers and its replies have room. */
  watch(channel: Channel): void {
    this.#channels.watch(channel);
    this.link.port.dirty();
  }

  // The end.

  /** Keeps it from being idle; the returned function lets go. */
  hold(): () => void {
    let held = true;
    this.#holds++;
    return () => {
      if (held) this.#holds--;
      held = false;
    };
  }

  /** Leaves in order: nothing new is opened here, what is open and what the peer still opens is served. */
  leave(reason: 'idle' | 'disconnected' | 'duplicate', text: string, told = text): void {
    if (this.#phase === 'up') this.#departure.leave(reasonError(reason, text), told);
  }

  /** The transport closes: what arrives is refused, what is open has `grace` milliseconds, what was accepted one second more. */
  shut(grace: number): void {
    if (this.state === 'opening') this.break(reasonError('closed', 'the other end has closed its transport'));
    else if (this.#phase !== 'closed') this.#departure.shut(grace);
  }

  departed(waiting: OutCall[]): void {
    this.#phase = 'leaving';
    this.outbox.leaving = true;
    this.#options.visitor.leaving(waiting);
    this.#channels.rejectWriters(lossOf(this.#departure.left!));
  }

  #goneAway(frame: Frame): void {
    const error = goAwayError(frame);
    if (this.state === 'opening' || !this.#departure.hear(error)) {
      this.#options.port.close();
      this.end(error);
    } else this.#dispatcher.peerLeft = true;
  }

  /** A refusal (of the driver's or the layer's too), a violation, a flood: our last frame, which says why, goes before all that waits; that is dropped. */
  break(error: TransportError): void {
    if (this.#phase === 'closed') return;
    // Before its preamble was read, the peer may be anybody: it gets no byte.
    if (this.#options.side === 'dialler' || this.#greeter.matched) {
      const { writer } = this.link;
      this.#greeter.speak();
      if (!this.outbox.blocked && !writer.fits(FRAME_OVERHEAD / 4)) this.outbox.flush();
      writer.goAway(codeNumber(error.code), reasonNumber(error.reason) || REASONS.refused.wire, truncateText(error.message));
      if (!this.outbox.blocked) this.outbox.flush(); // Else the port sends it behind what is kept.
    }
    this.#options.port.close();
    this.end(error);
  }

  /** The connection ended by itself. */
  closed(error: TransportError | undefined): void {
    if (this.#phase === 'closed') return;
    const cause = this.#departure.left ?? error;
    const isMutual = error === undefined && this.#departure.isMutual;
    this.end(cause ?? reasonError('reset', this.state === 'opening' ? EARLY_END : 'the other end closed the connection'), isMutual);
  }

  /** It is over: everything open fails, and the driver is told. */
  end(error: TransportError, arrived = false): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.link.units = 0; // No frame is read any more.
    this.outbox.over = true;
    const lost = lossOf(error);
    const unsent = this.caller.close(lost, this.#channels.all(), arrived);
    this.callee.close(lost);
    this.inflow.end();
    this.link.end();
    for (const lanes of this.#channels.lanes()) this.outbox.drop(lanes);
    this.#channels.rejectWriters(lost);
    this.#options.visitor.down(error, unsent);
  }

  // Time.

  /** We slept for so long: what accuses the peer moves by as much, calls' deadlines do not. */
  excuse(lateness: number): void {
    this.liveness.excuse(lateness);
    this.#handshakeDue += lateness;
    this.inflow.excuse(lateness);
    this.link.excuse(lateness);
    this.outbox.excuse(lateness);
    this.#frameDue += lateness;
  }

  /** Does what is due at `now`, and gives the next time. */
  wake(now: number): number {
    this.link.now = now;
    if (this.#phase === 'closed') return Number.POSITIVE_INFINITY;
    if (this.state === 'opening') {
      if (now >= this.#handshakeDue) this.#late(reasonError('handshake_timeout', `the hello was not over after ${this.#options.handshakeTimeout} ms`));
      else if (now >= this.#frameDue) this.link.violation('malformed', FRAME_LATE);
      return Math.min(this.#handshakeDue, this.#frameDue);
    }
    const calls = Math.min(this.caller.wake(now, this.#channels.all()), this.callee.wake(now));
    if (now >= this.outbox.heldUntil) this.#payHeld();
    this.#check(now);
    if (this.state === 'closed') return Number.POSITIVE_INFINITY;
    this.link.port.dirty();
    return Math.min(calls, this.#nextDue());
  }

  #payHeld(): void {
    this.outbox.heldUntil = Number.POSITIVE_INFINITY;
    this.#channels.payHeld();
  }

  #check(now: number): void {
    const { keepAlive } = this.#options;
    if (now >= this.#frameDue) return this.link.violation('malformed', FRAME_LATE);
    if (now >= this.outbox.stuckAt) return this.#cut(reasonError('reset', `the other end has read nothing for ${STUCK / 1_000} s`));
    if (this.outbox.stuffed) return this.#cut(reasonError('reset', 'the other end reads too slowly: 1 MiB of control frames waits'));
    if (this.liveness.dead(now)) return this.#cut(reasonError('ping_timeout', `the other end was silent for ${keepAlive.interval + keepAlive.timeout} ms`));
    if (this.liveness.wantsPing(now, this.link.active)) this.outbox.control(Kind.PING, this.liveness.ping(now));
    this.#departure.wake(now);
    if (this.#phase === 'up' && now >= this.link.active + this.#idleTime && this.#isIdle()) this.leave('idle', `nothing was sent for ${this.#idleTime} ms`);
  }

  /** A PING that measures the round trip; false: one is out. */
  #measure(): boolean {
    if (this.liveness.asks) return false;
    this.outbox.control(Kind.PING, this.liveness.ping(this.link.now));
    return true;
  }

  /** The hello took too long. A peer whose preamble came is told so; otherwise nobody is known to be there. */
  #late(error: TransportError): void {
    if (this.#greeter.matched) this.break(error);
    else this.#cut(error);
  }

  #cut(error: TransportError): void {
    this.end(error);
    this.#options.port.destroy(error);
  }

  #nextDue(): number {
    let due = Math.min(this.liveness.due(this.link.active), this.#frameDue, this.#departure.due, this.outbox.stuckAt, this.outbox.heldUntil);
    if (this.#phase === 'up' && this.#isIdle()) due = Math.min(due, this.link.active + this.#idleTime);
    return due;
  }

  #isIdle(): boolean {
    return this.#holds === 0 && this.caller.slots.size === 0 && this.callee.ids.size === 0 && this.outbox.idle;
  }
}

/** A frame that has begun ends within this. */
const FRAME_TIME = 15_000;
const FRAME_LATE = 'a frame did not end within 15 s';
/** What a frame may be longer than its hello before the hello is over: other fields, a GO_AWAY's text. */
const HELLO_SLACK = 4_096;
