// A session is the protocol state machine of one connection. Its input is bytes or frames and the
// current time; its output is bytes or frames. It never reads a clock, never waits, and never
// throws because of what a peer sent.
//
// `Caller` and `Callee` hold the calls, and `Outbox` decides what is sent next. This file ties them
// together: the hello, dispatching by frame kind, liveness, and the end of the connection.

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
import { FrameDispatcher } from './frame-dispatcher.ts';
import { GracefulClose, type GracefulCloseHost, goAwayError, lossOf } from './graceful-close.ts';
import { judgeHello, settle } from './handshake.ts';
import { HelloExchange } from './hello-exchange.ts';
import { IncomingPackets } from './incoming-packets.ts';
import { Liveness } from './liveness.ts';
import type { OutCall } from './out-call.ts';
import { Outbox, STUCK } from './outbox.ts';
import { PayloadRetainer } from './payload-retainer.ts';
import { EARLY_END } from './preamble.ts';
import { SessionContext } from './session-context.ts';
import type { Phase, SessionOptions } from './session-options.ts';
import { FIELDS_SHIFT } from './work.ts';

export class Session implements FrameVisitor, GracefulCloseHost {
  readonly context: SessionContext;
  readonly caller: Caller;
  readonly callee: Callee;
  readonly outbox: Outbox;
  readonly #options: SessionOptions;
  private readonly incomingPackets: IncomingPackets;
  readonly #retainer: PayloadRetainer | undefined;
  /** Decodes the byte stream; undefined if the connection carries frames. */
  readonly #decoder: FrameDecoder | undefined;
  readonly liveness: Liveness;
  readonly #channels: Channels;
  /**
   * True if our protocols changed after we sent our HELLO, so the peer still has to learn the new
   * list.
   */
  #isStale = false;
  readonly #helloExchange: HelloExchange;
  readonly #dispatcher: FrameDispatcher;
  readonly #gracefulClose: GracefulClose;
  #phase: Phase = 'hello';
  #handshakeDue: number;
  /** The time by which the frame that is now arriving must be complete. */
  #frameDue = Number.POSITIVE_INFINITY;
  #frames = 0;
  #holds = 0;
  /**
   * Milliseconds without activity until this end leaves. The acceptor waits twice as long, so the
   * dialer, which knows its own plans, normally leaves first.
   */
  readonly #idleTime: number;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { now, side } = options;
    this.context = new SessionContext({
      ...options,
      now,
      breakOff: (error) => this.break(error),
      violation: (reason, message) =>
        this.break(reasonError(reason, `the peer broke the protocol: ${message}`)),
    });
    this.outbox = new Outbox(this.context, options.isBounded);
    const carriesBytes = options.preamble !== undefined;
    // Frames are handed over within one thread, so neither end can read while the other writes, and
    // splitting a tick into several batches gains nothing.
    if (!carriesBytes) this.outbox.pacer.batch = Number.POSITIVE_INFINITY;
    this.#retainer = carriesBytes
      ? new PayloadRetainer(options.allocate, options.copies)
      : undefined;
    this.incomingPackets = new IncomingPackets(this.context, this.outbox, this.#retainer, () =>
      this.#measure(),
    );
    this.#channels = new Channels(this.context, this.outbox, options.mounts, options.visitor);
    this.#helloExchange = new HelloExchange(this.context, options);
    this.liveness = new Liveness(options.keepAlive, options.random, now);
    const parity = side === 'dialer' ? 1 : 0;
    this.caller = new Caller(
      this.context,
      this.outbox,
      this.incomingPackets,
      parity,
      this.#channels,
    );
    this.callee = new Callee(
      this.context,
      this.outbox,
      this.incomingPackets,
      options.visitor,
      this.#channels,
      (channel) => this.watch(channel),
    );
    const answers = new Answers(this.context, this.incomingPackets, this.caller);
    this.#dispatcher = new FrameDispatcher(
      this.context,
      this.outbox,
      answers,
      this.callee,
      this.#channels,
      this.liveness,
      this.incomingPackets.window,
      parity,
    );
    this.#gracefulClose = new GracefulClose(
      this.context,
      this.outbox,
      this.caller,
      this.callee,
      this.#channels,
      this,
    );
    this.#decoder = carriesBytes
      ? new FrameDecoder({ maxLength: HELLO_LIMIT + HELLO_SLACK, allocate: options.allocate })
      : undefined;
    this.#idleTime = options.idleTimeout * (side === 'dialer' ? 1 : 2);
    this.#handshakeDue = now + options.handshakeTimeout;
    options.port.wakeBy(this.#handshakeDue);
  }

  get state(): 'opening' | 'up' | 'closing' | 'closed' {
    return this.#phase === 'up'
      ? 'up'
      : this.#phase === 'leaving'
        ? 'closing'
        : this.#phase === 'closed'
          ? 'closed'
          : 'opening';
  }

  get openChannels(): Iterable<Channel> {
    return this.#channels.all();
  }

  /** The amount of work this session has, for comparison with other sessions to the same target. */
  get load(): number {
    return this.context.held - this.context.working + this.caller.slots.size;
  }

  /**
   * True if long messages are queued and the pipe has no credit for them: another connection might
   * help.
   */
  get crowded(): boolean {
    return this.#phase === 'up' && this.context.pipe <= 0 && this.outbox.bulky;
  }

  /** The last measured round trip in milliseconds. */
  get rtt(): number | undefined {
    return this.liveness.rtt;
  }

  /** Returns how long a ping has been unanswered and nothing else has arrived; 0 otherwise. */
  silence(now: number): number {
    return this.liveness.silence(now);
  }

  /** Bytes that this session holds of `limits.memory`. */
  get held(): number {
    return this.context.held;
  }

  /** The longest message, in bytes, that the peer accepts. */
  get messageLimit(): number {
    return this.context.terms.message;
  }

  // Opening the connection.

  /** Sends the preamble and HELLO. Only the dialer calls this; it speaks first. */
  open(fields: Readonly<Record<string, string>>): void {
    if (this.#phase !== 'hello') return;
    this.#helloExchange.speak();
    this.#isStale = false;
    this.#helloExchange.hello(fields);
    this.outbox.flush();
  }

  /**
   * Accepts the peer. On the acceptor's side this sends its HELLO, which carries `fields` and
   * `features`.
   */
  consent(fields: Readonly<Record<string, string>>, features?: readonly string[]): void {
    if (this.#phase !== 'consent') return;
    if (this.#options.side === 'dialer') {
      this.context.writer.signal(Kind.READY, 0);
      this.#rise();
    } else {
      this.#phase = 'ready';
      this.#isStale = false;
      this.#helloExchange.hello(fields, features);
    }
    this.outbox.flush();
  }

  #rise(): void {
    const { now } = this.context;
    this.#phase = 'up';
    this.context.active = now;
    this.outbox.control(Kind.PING, this.liveness.ping(now));
    this.#options.port.wakeBy(this.#nextDue());
    this.#options.visitor.up();
    if (this.#isStale) this.mountsChanged();
  }

  // Input.

  /** Sets the work units that the peer's input may cost from now on; see `receive`. */
  grant(units: number): void {
    this.context.units = units;
  }

  /** The work units that are left; 0 or less if reading stopped because of them. */
  get unitsLeft(): number {
    return this.context.units;
  }

  /**
   * Reads bytes of the connection that arrived at `now`, for as long as the granted units last. The
   * rest stays in `unread` and must be passed in again before any other bytes.
   *
   * Returns true if neither the session nor any receiver of a payload keeps a reference to the
   * chunk.
   */
  receive(now: number, chunk: Uint8Array): boolean {
    this.context.now = now;
    if (this.#phase === 'closed') return true;
    this.liveness.heard(now);
    const bytes = this.#helloExchange.matched ? chunk : this.#preamble(chunk);
    if (bytes === undefined) return true;
    this.#frames = 0;
    const calls = this.caller.slots.size;
    const decoder = this.#decoder!;
    const retainer = this.#retainer!;
    retainer.open(bytes);
    const violation = decoder.read(bytes, this);
    const { ids } = this.callee;
    this.outbox.pacer.read(calls, ids.peak, this.#frames);
    ids.peak = 0;
    const isDone = retainer.clear();
    if (violation !== undefined && this.state !== 'closed')
      this.context.violation(violation.reason, violation.message);
    if (decoder.partial === 0) this.#frameDue = Number.POSITIVE_INFINITY;
    else if (this.#frameDue === Number.POSITIVE_INFINITY || this.#frames > 0) {
      this.#frameDue = now + FRAME_TIME;
      this.#options.port.wakeBy(this.#frameDue);
    }
    if (this.#phase === 'leaving') this.#options.port.dirty();
    return isDone;
  }

  /** The part of the chunk that the last `receive` did not read. */
  get unread(): Uint8Array {
    return this.#decoder!.unread;
  }

  /**
   * Reads frames of a connection that carries frames, for as long as the granted units last. Returns
   * how many were read.
   */
  receiveFrames(now: number, batch: readonly Frame[]): number {
    this.context.now = now;
    this.liveness.heard(now);
    let read = 0;
    if (this.#phase !== 'closed') while (read < batch.length && this.frame(batch[read++]!));
    if (this.#phase === 'leaving') this.#options.port.dirty();
    return read;
  }

  /**
   * Matches the peer's preamble; an acceptor sends its own in reply. Returns the rest of the chunk,
   * or undefined if nothing of it is left to read.
   */
  #preamble(chunk: Uint8Array): Uint8Array | undefined {
    const rest = this.#helloExchange.read(chunk);
    if (rest instanceof TransportError) {
      this.outbox.flush();
      this.end(rest);
      this.#options.port.close();
      return undefined;
    }
    if (this.#helloExchange.matched && this.#options.side === 'acceptor') {
      if (this.#options.refused !== undefined) {
        this.break(this.#options.refused);
        return undefined;
      }
      this.#helloExchange.speak();
      this.#options.port.dirty();
    }
    return rest.length === 0 ? undefined : rest;
  }

  frame(frame: Frame): boolean {
    // The chunk has a second frame: the answers to both leave in one batch.
    if (++this.#frames === 2) this.outbox.pacer.alone = false;
    if (frame.rich) this.context.units -= frame.fields >> FIELDS_SHIFT;
    if (frame.kind === Kind.GO_AWAY) this.#goneAway(frame);
    else if (this.#phase === 'up' || this.#phase === 'leaving') {
      this.#dispatcher.dispatch(frame);
      // The packet has been copied into its message or dropped, so its buffer can be reused.
      if (frame.kind === Kind.PART || frame.size > 0) this.#decoder?.recycle();
    } else this.#greeting(frame);
    return --this.context.units > 0;
  }

  /**
   * True if `frame` returned false only because the work units are spent, not because the session
   * is over.
   */
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
      return this.context.violation(
        'malformed',
        `frame ${frame.kind} before the hello was complete`,
      );
    }
    const hello = decodeHello(frame.hello);
    if (typeof hello === 'string')
      return this.context.violation('malformed', `its HELLO has ${hello}`);
    const wrong = judgeHello(hello, self, proven, this.#options.side);
    if (wrong !== undefined) return this.break(wrong);
    settle(this.context.terms, hello);
    if (this.#decoder !== undefined)
      this.#decoder.maxLength = this.context.limits.packet + FRAME_OVERHEAD;
    this.context.pipe = hello.limits.pipe;
    // Before the hello the pipe had no credit that could be exhausted.
    this.outbox.drySince = Number.POSITIVE_INFINITY;
    this.context.reply = hello.limits.reply;
    this.#channels.met(hello.protocols);
    this.#phase = 'consent';
    visitor.greeted(hello);
  }

  /**
   * Returns the channel for a channel byte. It is created at its first use and lives as long as the
   * connection.
   */
  channel(byte: number): Channel {
    return this.#channels.get(byte);
  }

  /** Tells the peer the new list of protocols after one was mounted or unmounted. */
  mountsChanged(): void {
    // Our HELLO may already be on its way, so the list is sent once the session is up.
    if (this.state === 'opening') this.#isStale = true;
    if (this.state === 'closed' || this.state === 'opening') return;
    this.outbox.control(Kind.PROTOCOLS, 0, this.#channels.remount());
  }

  /**
   * Returns the protocols that both ends have mounted but in incompatible ways. Each one is
   * returned only once.
   */
  disagreements() {
    return this.#channels.disagreements();
  }

  /** Returns an error if the two ends share no usable protocol. */
  nothingShared(): TransportError | undefined {
    return this.#channels.nothingShared();
  }

  /**
   * Closes one protocol on this connection: its outgoing calls fail, and the calls that it serves
   * are aborted.
   */
  endChannel(byte: number, error: TransportError): void {
    const channel = this.#channels.used(byte);
    if (channel === undefined || this.#phase === 'closed') return;
    this.caller.failChannel(channel, error);
    this.callee.failChannel(channel, new TransportError('unavailable', error.message));
    for (const writer of channel.writers.splice(0)) writer.reject(error);
  }

  // Output.

  /** Sets the time, and writes everything that can be written now; called at the end of a tick. */
  tick(now: number): void {
    this.context.now = now;
    this.pump();
  }

  /** Writes everything that can be written now. */
  pump(): void {
    if (this.#phase === 'closed') return;
    this.outbox.pump();
    if (this.outbox.awaited)
      for (const channel of this.#channels.all()) this.caller.admitWaiting(channel);
    this.outbox.flush();
    this.#channels.look(
      (channel) => this.caller.writable(channel),
      (channel) => this.#options.visitor.roomForReplies(channel),
    );
    this.#gracefulClose.finish();
  }

  /** Continues writing after the connection has taken the batch that it had kept. */
  drained(now: number): void {
    this.context.now = now;
    if (this.#phase === 'closed') return;
    this.outbox.drained();
    this.pump();
  }

  /** Restarts the timeouts because our own rate limit, not the peer, holds everything back. */
  heldBack(now: number): void {
    this.outbox.heldBack(now);
  }

  /** Watches a channel until its waiting writers and its replies have room again. */
  watch(channel: Channel): void {
    this.#channels.watch(channel);
    this.context.port.dirty();
  }

  // Closing the connection.

  /** Keeps the session from becoming idle until the returned function is called. */
  hold(): () => void {
    let held = true;
    this.#holds++;
    return () => {
      if (held) this.#holds--;
      held = false;
    };
  }

  /**
   * Leaves in order. This end opens nothing new; calls that are open, and those that the peer still
   * opens, are served.
   * @param told the text that the peer receives.
   */
  leave(reason: 'idle' | 'disconnected' | 'duplicate', text: string, told = text): void {
    if (this.#phase === 'up') this.#gracefulClose.leave(reasonError(reason, text), told);
  }

  /**
   * Closes the session because the transport closes. New calls of the peer are refused, open calls
   * have `grace` milliseconds to finish, and flushing accepted data may take one more second.
   */
  shut(grace: number): void {
    if (this.state === 'opening')
      this.break(reasonError('closed', 'the other end has closed its transport'));
    else if (this.#phase !== 'closed') this.#gracefulClose.shut(grace);
  }

  departed(waiting: OutCall[]): void {
    this.#phase = 'leaving';
    this.outbox.leaving = true;
    this.#options.visitor.leaving(waiting);
    this.#channels.rejectWriters(lossOf(this.#gracefulClose.left!));
  }

  #goneAway(frame: Frame): void {
    const error = goAwayError(frame);
    if (this.state === 'opening' || !this.#gracefulClose.hear(error)) {
      this.#options.port.close();
      this.end(error);
    } else this.#dispatcher.peerLeft = true;
  }

  /**
   * Ends the connection at once because of a refusal (also one by the driver or the layer), a
   * protocol violation or a flood. The final GO_AWAY gives the reason; everything that is still
   * queued is dropped.
   */
  break(error: TransportError): void {
    if (this.#phase === 'closed') return;
    // Before its preamble was read, the peer may speak any other protocol, so it is sent nothing.
    if (this.#options.side === 'dialer' || this.#helloExchange.matched) {
      const { writer } = this.context;
      this.#helloExchange.speak();
      if (!this.outbox.blocked && !writer.fits(FRAME_OVERHEAD / 4)) this.outbox.flush();
      writer.goAway(
        codeNumber(error.code),
        reasonNumber(error.reason) || REASONS.refused.wire,
        truncateText(error.message),
      );
      // Otherwise the port sends the GO_AWAY behind the batch that it keeps.
      if (!this.outbox.blocked) this.outbox.flush();
    }
    this.#options.port.close();
    this.end(error);
  }

  /** Handles a connection that ended without a decision of this session. */
  closed(error: TransportError | undefined): void {
    if (this.#phase === 'closed') return;
    const cause = this.#gracefulClose.left ?? error;
    const isMutual = error === undefined && this.#gracefulClose.isMutual;
    this.end(
      cause ??
        reasonError(
          'reset',
          this.state === 'opening' ? EARLY_END : 'the other end closed the connection',
        ),
      isMutual,
    );
  }

  /** Ends the session: everything that is open fails, and the driver is informed. */
  end(error: TransportError, arrived = false): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.context.units = 0; // No more frames are read.
    this.outbox.over = true;
    const lost = lossOf(error);
    const unsent = this.caller.close(lost, this.#channels.all(), arrived);
    this.callee.close(lost);
    this.incomingPackets.end();
    this.context.end();
    for (const lanes of this.#channels.lanes()) this.outbox.drop(lanes);
    this.#channels.rejectWriters(lost);
    this.#options.visitor.down(error, unsent);
  }

  // Time.

  /**
   * Accounts for `lateness` milliseconds during which this process was asleep. Time limits that the
   * peer must keep move by that much; the deadlines of calls do not.
   */
  excuse(lateness: number): void {
    this.liveness.excuse(lateness);
    this.#handshakeDue += lateness;
    this.incomingPackets.excuse(lateness);
    this.context.excuse(lateness);
    this.outbox.excuse(lateness);
    this.#frameDue += lateness;
  }

  /** Does everything that is due at `now`, and returns the next time at which something is due. */
  wake(now: number): number {
    this.context.now = now;
    if (this.#phase === 'closed') return Number.POSITIVE_INFINITY;
    if (this.state === 'opening') {
      if (now >= this.#handshakeDue)
        this.#late(
          reasonError(
            'handshake_timeout',
            `the hello was not complete after ${this.#options.handshakeTimeout} ms`,
          ),
        );
      else if (now >= this.#frameDue) this.context.violation('malformed', FRAME_LATE);
      return Math.min(this.#handshakeDue, this.#frameDue);
    }
    const calls = Math.min(this.caller.wake(now, this.#channels.all()), this.callee.wake(now));
    if (now >= this.outbox.heldUntil) this.#payHeld();
    this.#check(now);
    if (this.state === 'closed') return Number.POSITIVE_INFINITY;
    this.context.port.dirty();
    return Math.min(calls, this.#nextDue());
  }

  #payHeld(): void {
    this.outbox.heldUntil = Number.POSITIVE_INFINITY;
    this.#channels.payHeld();
  }

  #check(now: number): void {
    const { keepAlive } = this.#options;
    if (now >= this.#frameDue) return this.context.violation('malformed', FRAME_LATE);
    if (now >= this.outbox.stuckAt)
      return this.#cut(
        reasonError('reset', `the other end has read nothing for ${STUCK / 1_000} s`),
      );
    if (this.outbox.stuffed)
      return this.#cut(
        reasonError('reset', 'the other end reads too slowly: 1 MiB of control frames is queued'),
      );
    if (this.liveness.dead(now))
      return this.#cut(
        reasonError(
          'ping_timeout',
          `the other end was silent for ${keepAlive.interval + keepAlive.timeout} ms`,
        ),
      );
    if (this.liveness.wantsPing(now, this.context.active))
      this.outbox.control(Kind.PING, this.liveness.ping(now));
    this.#gracefulClose.wake(now);
    if (this.#phase === 'up' && now >= this.context.active + this.#idleTime && this.#isIdle())
      this.leave('idle', `nothing was sent for ${this.#idleTime} ms`);
  }

  /** Sends a PING to measure the round trip. Returns false if one is already outstanding. */
  #measure(): boolean {
    if (this.liveness.asks) return false;
    this.outbox.control(Kind.PING, this.liveness.ping(this.context.now));
    return true;
  }

  /**
   * Handles a hello that took too long. The peer is told why only if its preamble arrived;
   * otherwise no Trunkline peer is known to be there.
   */
  #late(error: TransportError): void {
    if (this.#helloExchange.matched) this.break(error);
    else this.#cut(error);
  }

  #cut(error: TransportError): void {
    this.end(error);
    this.#options.port.destroy(error);
  }

  #nextDue(): number {
    let due = Math.min(
      this.liveness.due(this.context.active),
      this.#frameDue,
      this.#gracefulClose.due,
      this.outbox.stuckAt,
      this.outbox.heldUntil,
    );
    if (this.#phase === 'up' && this.#isIdle())
      due = Math.min(due, this.context.active + this.#idleTime);
    return due;
  }

  #isIdle(): boolean {
    return (
      this.#holds === 0 &&
      this.caller.slots.size === 0 &&
      this.callee.ids.size === 0 &&
      this.outbox.idle
    );
  }
}

/** Milliseconds within which a frame that has begun must end. */
const FRAME_TIME = 15_000;
const FRAME_LATE = 'a frame was not complete after 15 s';
/**
 * Bytes by which a frame may exceed the limit of a hello before the hello is over, to allow for
 * other fields and the text of a GO_AWAY.
 */
const HELLO_SLACK = 4_096;
