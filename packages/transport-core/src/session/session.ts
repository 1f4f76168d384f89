// A session is the protocol state machine of one connection. Its input is bytes or frames and the
// current time; its output is bytes or frames. It never reads a clock, never waits, and never
// throws because of what a peer sent.
//
// Owns the phase and the time limits of the connection; its parts (session-parts.ts) own everything
// else. Its driver tells it what arrived, what time it is, and which calls to start. It calls the
// driver's port and reports to the driver's visitor.

import { reasonError, TransportError } from '../errors.ts';
import { FRAME_OVERHEAD, type Frame, Kind } from '../wire/frame.ts';
import type { Hello } from '../wire/hello.ts';
import {
  CLOSED,
  FLUSH_TIME,
  GracefulClose,
  type GracefulCloseHost,
  goAwayError,
  isOrderly,
  lossOf,
  SHUTDOWN,
} from './graceful-close.ts';
import { settle } from './handshake.ts';
import { HelloExchange } from './hello-exchange.ts';
import { type FrameHandlers, IncomingFrames } from './incoming-frames.ts';
import { EARLY_END } from './preamble.ts';
import type { SessionOptions } from './session-options.ts';
import { SessionParts } from './session-parts.ts';
import { TimeLimits } from './time-limits.ts';

/** The phases of a session, each with the data that only it has. */
type Phase =
  /**
   * hello: waits for the peer's preamble or HELLO. consent: waits for the driver's decision about
   * the peer. ready: the acceptor waits for READY.
   */
  | { readonly name: 'hello' | 'consent' | 'ready'; readonly exchange: HelloExchange }
  | { readonly name: 'up' }
  /** This end opens nothing new; open calls continue. */
  | { readonly name: 'leaving'; readonly close: GracefulClose }
  /** `arrived` is true if everything that was written is known to have arrived. */
  | { readonly name: 'closed'; readonly error: TransportError; readonly arrived: boolean };

export class Session extends SessionParts implements FrameHandlers, GracefulCloseHost {
  readonly #frames: IncomingFrames;
  readonly #options: SessionOptions;
  #phase: Phase;
  readonly #limits: TimeLimits;

  constructor(options: SessionOptions) {
    super(options);
    this.#options = options;
    this.#frames = new IncomingFrames(this, options.side === 'dialer' ? 1 : 0);
    this.#limits = new TimeLimits(this, options);
    const exchange = new HelloExchange(this.batch, options);
    this.#phase = { name: 'hello', exchange };
    options.port.wakeBy(exchange.due);
  }

  get state(): 'opening' | 'up' | 'closing' | 'closed' {
    const { name } = this.#phase;
    return name === 'up' || name === 'closed' ? name : name === 'leaving' ? 'closing' : 'opening';
  }

  /**
   * True if long messages are queued and the pipe has no credit for them: another connection might
   * help.
   */
  get crowded(): boolean {
    return this.#phase.name === 'up' && this.outbox.starved;
  }

  // Phases.

  /** Changes the phase, and does what each phase begins with. */
  #enter(next: Phase): void {
    const last = this.#phase;
    this.#phase = next;
    if (next.name === 'up') this.#whenUp('exchange' in last && last.exchange.isStale);
    else if (next.name === 'leaving') this.#whenLeaving(next.close);
    else if (next.name === 'closed') this.#whenClosed(next.error, next.arrived);
  }

  #whenUp(isStale: boolean): void {
    const { now } = this.context;
    this.#frames.open();
    this.context.touch();
    this.batch.control(Kind.PING, this.liveness.ping(now));
    this.#options.port.wakeBy(this.#nextDue());
    this.#options.visitor.up();
    if (isStale) this.mountsChanged();
  }

  /** The calls that waited for room go elsewhere. */
  #whenLeaving({ left }: GracefulClose): void {
    const waiting = this.caller.takeWaiting();
    this.channels.payHeld();
    this.batch.leave();
    this.#options.visitor.leaving(waiting);
    this.channels.rejectWriters(lossOf(left));
  }

  /** Everything that is open fails, and the driver is informed. */
  #whenClosed(error: TransportError, arrived: boolean): void {
    const lost = lossOf(error);
    this.#frames.end();
    this.outbox.end();
    const unsent = this.caller.close(lost, arrived);
    this.served.close(lost);
    this.packets.end();
    this.context.end();
    for (const lanes of this.channels.lanes()) this.outbox.drop(lanes);
    this.channels.rejectWriters(lost);
    this.#options.visitor.down(error, unsent);
  }

  // Opening the connection.

  /** Sends the preamble and HELLO. Only the dialer calls this; it speaks first. */
  open(fields: Readonly<Record<string, string>>): void {
    if (this.#phase.name !== 'hello') return;
    this.#phase.exchange.speak();
    this.#phase.exchange.hello(fields);
    this.batch.flush();
  }

  /**
   * Accepts the peer. On the acceptor's side this sends its HELLO, which carries `fields` and
   * `features`.
   */
  consent(fields: Readonly<Record<string, string>>, features?: readonly string[]): void {
    if (this.#phase.name !== 'consent') return;
    const { exchange } = this.#phase;
    if (this.#options.side === 'dialer') {
      this.batch.ready();
      this.#enter({ name: 'up' });
    } else {
      this.#enter({ name: 'ready', exchange });
      exchange.hello(fields, features);
    }
    this.batch.flush();
  }

  /** Handles a frame that comes before the hello is over. */
  early(frame: Frame): void {
    const { refused, visitor } = this.#options;
    const phase = this.#phase;
    if (refused !== undefined) return this.break(refused);
    if (phase.name === 'ready' && frame.kind === Kind.READY) return this.#enter({ name: 'up' });
    if (phase.name !== 'hello' || frame.kind !== Kind.HELLO)
      return this.context.violation(
        'malformed',
        `frame ${frame.kind} before the hello was complete`,
      );
    const hello = phase.exchange.judge(frame);
    if (hello instanceof TransportError) return this.break(hello);
    this.#agree(hello);
    this.#enter({ name: 'consent', exchange: phase.exchange });
    visitor.greeted(hello);
  }

  /** Takes over what the peer's HELLO says. */
  #agree(hello: Hello): void {
    settle(this.context.terms, hello);
    this.#frames.limit(this.context.limits.packet + FRAME_OVERHEAD);
    this.outbox.open(hello.limits);
    this.channels.met(hello.protocols);
  }

  // Input.

  /**
   * Reads bytes of the connection that arrived at `now`, for as long as the work units last. The
   * rest stays in `unread` and must be passed in again before any other bytes.
   *
   * Returns true if neither the session nor any receiver of a payload keeps a reference to the
   * chunk.
   */
  receive(now: number, chunk: Uint8Array): boolean {
    this.context.now = now;
    const phase = this.#phase;
    if (phase.name === 'closed') return true;
    this.liveness.heard(now);
    const bytes =
      phase.name === 'hello' && !phase.exchange.matched
        ? this.#preamble(phase.exchange, chunk)
        : chunk;
    if (bytes === undefined) return true;
    const isDone = this.#frames.receive(now, bytes);
    if (this.#phase.name === 'leaving') this.#options.port.dirty();
    return isDone;
  }

  /** The part of the chunk that the last `receive` did not read. */
  get unread(): Uint8Array {
    return this.#frames.unread;
  }

  /**
   * Reads frames of a connection that carries frames, for as long as the work units last. Returns
   * how many were read.
   */
  receiveFrames(now: number, batch: readonly Frame[]): number {
    this.context.now = now;
    this.liveness.heard(now);
    const read = this.#phase.name === 'closed' ? 0 : this.#frames.receiveFrames(batch);
    if (this.#phase.name === 'leaving') this.#options.port.dirty();
    return read;
  }

  /**
   * Matches the peer's preamble; an acceptor sends its own in reply. Returns the rest of the chunk,
   * or undefined if nothing of it is left to read.
   */
  #preamble(exchange: HelloExchange, chunk: Uint8Array): Uint8Array | undefined {
    const { port, refused, side } = this.#options;
    const rest = exchange.read(chunk);
    if (rest instanceof TransportError) {
      this.batch.flush();
      this.end(rest);
      port.close();
      return undefined;
    }
    if (exchange.matched && side === 'acceptor') {
      if (refused !== undefined) {
        this.break(refused);
        return undefined;
      }
      exchange.speak();
      port.dirty();
    }
    return rest.length === 0 ? undefined : rest;
  }

  // Protocols.

  /** Tells the peer the new list of protocols after one was mounted or unmounted. */
  mountsChanged(): void {
    const phase = this.#phase;
    // Our HELLO may already be on its way, so the list is sent once the session is up.
    if ('exchange' in phase) phase.exchange.mountsChanged();
    else if (phase.name !== 'closed')
      this.batch.control(Kind.PROTOCOLS, 0, this.channels.remount());
  }

  /**
   * Closes one protocol on this connection: its outgoing calls fail, and the calls that it serves
   * are aborted.
   */
  endChannel(byte: number, error: TransportError): void {
    const channel = this.channels.used(byte);
    if (channel === undefined || this.#phase.name === 'closed') return;
    this.caller.failChannel(channel, error);
    this.served.failChannel(channel, new TransportError('unavailable', error.message));
    for (const writer of channel.writers.splice(0)) writer.reject(error);
  }

  // Output.

  /** Writes everything that can be written, at the end of a tick. */
  tick(now: number): void {
    this.context.now = now;
    this.#pump();
  }

  #pump(): void {
    if (this.#phase.name === 'closed') return;
    this.outbox.pump();
    if (this.outbox.awaited)
      for (const channel of this.channels.all()) this.caller.admitWaiting(channel);
    this.batch.flush();
    this.channels.look(
      (channel) => this.caller.writable(channel),
      (channel) => this.#options.visitor.roomForReplies(channel),
    );
    if (this.#phase.name === 'leaving') this.#phase.close.finish();
  }

  /** Continues writing after the connection has taken the batch that it had kept. */
  drained(now: number): void {
    this.context.now = now;
    if (this.#phase.name === 'closed') return;
    this.batch.drained();
    this.outbox.pump();
    this.#pump();
  }

  // Closing the connection.

  /** Keeps the session from becoming idle until the returned function is called. */
  hold(): () => void {
    return this.#limits.hold();
  }

  /**
   * Leaves in order. This end opens nothing new; calls that are open, and those that the peer still
   * opens, are served.
   * @param told the text that the peer receives.
   */
  leave(reason: 'idle' | 'disconnected' | 'duplicate', text: string, told = text): void {
    if (this.#phase.name === 'up') this.#leave(reasonError(reason, text), told);
  }

  #leave(error: TransportError, told: string, time?: number): GracefulClose {
    const close = new GracefulClose(this, error, told, time);
    this.#enter({ name: 'leaving', close });
    return close;
  }

  /**
   * Closes the session because the transport closes. New calls of the peer are refused, open calls
   * have `grace` milliseconds to finish, and flushing accepted data may take one more second.
   */
  shut(grace: number): void {
    const phase = this.#phase;
    if ('exchange' in phase) return this.break(CLOSED);
    if (phase.name === 'closed') return;
    this.callee.refuse(CLOSED);
    const close =
      phase.name === 'leaving'
        ? phase.close
        : this.#leave(reasonError('closed', SHUTDOWN.message), CLOSED.message, grace + FLUSH_TIME);
    close.shut(grace);
  }

  goneAway(frame: Frame): void {
    const error = goAwayError(frame);
    const phase = this.#phase;
    if ('exchange' in phase || !isOrderly(error)) {
      this.#options.port.close();
      return this.end(error);
    }
    this.#frames.leave();
    if (phase.name === 'up') this.#leave(error, error.message).hear(error);
    else if (phase.name === 'leaving') phase.close.hear(error);
  }

  /**
   * Ends the connection at once because of a refusal (also one by the driver or the layer), a
   * protocol violation or a flood. The final GO_AWAY gives the reason; everything that is still
   * queued is dropped.
   */
  break(error: TransportError): void {
    const phase = this.#phase;
    if (phase.name === 'closed') return;
    if ('exchange' in phase) {
      if (phase.exchange.maySpeak) {
        phase.exchange.speak();
        this.batch.lastWord(error);
      }
    } else this.batch.lastWord(error);
    this.#options.port.close();
    this.end(error);
  }

  /** Handles a connection that ended without a decision of this session. */
  closed(error: TransportError | undefined): void {
    const phase = this.#phase;
    const close = phase.name === 'leaving' ? phase.close : undefined;
    const text = 'exchange' in phase ? EARLY_END : 'the other end closed the connection';
    this.end(
      close?.left ?? error ?? reasonError('reset', text),
      error === undefined && close?.isMutual === true,
    );
  }

  end(error: TransportError, arrived = false): void {
    if (this.#phase.name !== 'closed') this.#enter({ name: 'closed', error, arrived });
  }

  // Time.

  /**
   * Accounts for `lateness` milliseconds during which this process was asleep. Time limits that the
   * peer must keep move by that much; the deadlines of calls do not.
   */
  excuse(lateness: number): void {
    this.liveness.excuse(lateness);
    if ('exchange' in this.#phase) this.#phase.exchange.excuse(lateness);
    this.packets.excuse(lateness);
    this.context.excuse(lateness);
    this.batch.excuse(lateness);
    this.outbox.excuse(lateness);
    this.#frames.excuse(lateness);
  }

  /** Does everything that is due at `now`, and returns the next time at which something is due. */
  wake(now: number): number {
    this.context.now = now;
    const phase = this.#phase;
    if (phase.name === 'closed') return Number.POSITIVE_INFINITY;
    if ('exchange' in phase) {
      if (now >= phase.exchange.due) this.#late(phase.exchange);
      else if (now >= this.#frames.due) this.context.violation('malformed', FRAME_LATE);
      return Math.min(phase.exchange.due, this.#frames.due);
    }
    const calls = Math.min(
      this.caller.wake(now),
      this.answers.wake(now),
      this.served.wake(now, this.packets.lastPacket),
    );
    if (now >= this.batch.heldUntil) {
      this.batch.holdsNothing();
      this.channels.payHeld();
    }
    this.#check(now);
    if (this.state === 'closed') return Number.POSITIVE_INFINITY;
    this.context.port.dirty();
    return Math.min(calls, this.#nextDue());
  }

  #check(now: number): void {
    if (now >= this.#frames.due) return this.context.violation('malformed', FRAME_LATE);
    const exceeded = this.#limits.exceeded(now);
    if (exceeded !== undefined) return this.#cut(exceeded);
    this.#limits.ping(now);
    const phase = this.#phase;
    if (phase.name === 'leaving') phase.close.wake(now);
    else if (phase.name === 'up' && now >= this.#limits.idleDue)
      this.leave('idle', `nothing was sent for ${this.#limits.idleTime} ms`);
  }

  /**
   * Handles a hello that took too long. The peer is told why only if its preamble arrived;
   * otherwise no Trunkline peer is known to be there.
   */
  #late(exchange: HelloExchange): void {
    if (exchange.matched) this.break(exchange.late());
    else this.#cut(exchange.late());
  }

  #cut(error: TransportError): void {
    this.end(error);
    this.#options.port.destroy(error);
  }

  /** The next time at which something is due besides the deadlines of calls. */
  #nextDue(): number {
    const phase = this.#phase;
    const due = Math.min(this.#limits.due, this.#frames.due);
    if (phase.name === 'leaving') return Math.min(due, phase.close.due);
    return phase.name === 'up' ? Math.min(due, this.#limits.idleDue) : due;
  }
}

const FRAME_LATE = 'a frame was not complete after 15 s';
