// A session is the protocol state machine of one connection. Its input is bytes or frames and the
// current time; its output is bytes or frames. It never reads a clock, never waits, and never
// throws because of a peer's input.
//
// Session owns the phase of the connection; its parts (session-parts.ts) own everything else. The
// driver tells it what arrived, what time it is, and which calls to start. It calls the driver's
// port and reports to the driver's visitor. Below is SessionFigures, which reads the parts.

import { isOrderly, reasonError, stackless, TransportError } from '../errors.ts';
import { inMs } from '../text.ts';
import { FRAME_OVERHEAD, type Frame, Kind } from '../wire/frame.ts';
import {
  CLOSED,
  FLUSH_TIME,
  GracefulClose,
  goAwayError,
  lossOf,
  SHUTDOWN,
  TimeLimits,
} from './endings.ts';
import { IncomingFrames } from './frames.ts';
import { EARLY_END, HelloExchange } from './hello-exchange.ts';
import { type SessionOptions, SessionParts } from './session-parts.ts';

/** The phases of a session, each with the data that only it has. */
type Phase =
  /**
   * hello: waits for the peer's preamble or HELLO. consent: waits for the driver's decision about
   * the peer. ready: the acceptor waits for READY.
   */
  | { readonly name: 'hello' | 'consent' | 'ready'; readonly exchange: HelloExchange }
  | { readonly name: 'up' }
  /** leaving: this end opens no new calls; open calls continue. */
  | { readonly name: 'leaving'; readonly close: GracefulClose }
  /** `arrived` is true if everything that was written is known to have arrived. */
  | { readonly name: 'closed'; readonly error: TransportError; readonly arrived: boolean };

/** The reasons why an end leaves gracefully. */
export type LeaveReason = 'idle' | 'disconnected' | 'duplicate' | 'draining';

/** The state machine of one connection. */
export class Session {
  readonly parts: SessionParts;
  readonly #frames: IncomingFrames;
  readonly #options: SessionOptions;
  #phase: Phase;
  readonly #limits: TimeLimits;

  constructor(options: SessionOptions) {
    this.parts = new SessionParts(options, (error) => this.break(error));
    this.#options = options;
    this.#frames = new IncomingFrames(
      this.parts,
      { parity: options.side === 'dialer' ? 1 : 0, isBytes: options.preamble !== undefined },
      (frame) => (frame.kind === Kind.GO_AWAY ? this.#goneAway(frame) : this.#early(frame)),
    );
    // The acceptor waits longer, so the dialer, which knows its own plans, normally leaves first.
    const idleTime = options.idleTimeout * (options.side === 'dialer' ? 1 : 2);
    this.#limits = new TimeLimits(this.parts, options.keepAlive, idleTime);
    const exchange = new HelloExchange(this.parts.batch, options, (how, error) => this[how](error));
    this.#phase = { name: 'hello', exchange };
    this.parts.context.wakeBy(exchange.due);
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
    return this.#phase.name === 'up' && this.parts.outbox.starved;
  }

  /**
   * Resolves when a one-way could be sent immediately; rejects when none can be sent anymore, or if
   * too many callers are already waiting (`limits.outbound`).
   * @param endpoint of the peer, for errors.
   */
  whenWritable(channel: number, endpoint: string): Promise<void> {
    if (this.#phase.name === 'up') return this.parts.caller.whenWritable(channel, endpoint);
    const details = { reason: 'disconnected', target: endpoint, sent: false } as const;
    return Promise.reject(new TransportError('unavailable', 'the connection is closing', details));
  }

  // Phases.

  /** Changes the phase, and runs the first actions of the new phase. */
  #enter(next: Phase): void {
    const last = this.#phase;
    this.#phase = next;
    if (next.name === 'up') this.#whenUp('exchange' in last && last.exchange.isStale);
    else if (next.name === 'leaving') this.#whenLeaving(next.close);
    else if (next.name === 'closed') {
      this.#frames.end();
      this.#options.visitor.down(next.error, this.parts.end(lossOf(next.error), next.arrived));
    }
  }

  #whenUp(isStale: boolean): void {
    const { now } = this.parts.context;
    this.#frames.open();
    this.parts.context.touch();
    this.parts.batch.control(Kind.PING, this.parts.liveness.ping(now));
    this.parts.context.wakeBy(this.#nextDue());
    this.#options.visitor.up();
    if (isStale) this.announce();
  }

  /** Called when the session begins to leave: calls that waited for room are sent elsewhere. */
  #whenLeaving({ left }: GracefulClose): void {
    const { batch, caller, channels } = this.parts;
    const waiting = caller.takeWaiting();
    channels.payHeld();
    batch.leave();
    this.#options.visitor.leaving(waiting);
    channels.rejectWriters(lossOf(left));
  }

  // Opening the connection.

  /** Sends the preamble and HELLO. Only the dialer calls this; it speaks first. */
  open(fields: Readonly<Record<string, string>>): void {
    if (this.#phase.name === 'hello') this.#phase.exchange.open(fields);
  }

  /**
   * Accepts the peer. On the acceptor's side this sends its HELLO, which carries `fields` and
   * `features`.
   */
  consent(fields: Readonly<Record<string, string>>, features?: readonly string[]): void {
    if (this.#phase.name !== 'consent') return;
    const { exchange } = this.#phase;
    if (this.#options.side === 'dialer') {
      this.parts.batch.ready();
      this.#enter({ name: 'up' });
    } else {
      this.#enter({ name: 'ready', exchange });
      exchange.hello(fields, features);
    }
    this.parts.batch.flush();
  }

  /** Handles a frame that arrives before the hello is complete. */
  #early(frame: Frame): void {
    const { refused, visitor } = this.#options;
    const phase = this.#phase;
    if (refused !== undefined) return this.break(refused);
    if (phase.name === 'ready' && frame.kind === Kind.READY) return this.#enter({ name: 'up' });
    if (phase.name !== 'hello' || frame.kind !== Kind.HELLO)
      return this.parts.context.violation(
        `frame ${frame.kind} before the hello was complete`,
      );
    const hello = phase.exchange.judge(frame);
    if (hello instanceof TransportError) return this.break(hello);
    this.parts.agree(hello);
    this.#frames.limit(this.#options.limits.packet + FRAME_OVERHEAD);
    this.#enter({ name: 'consent', exchange: phase.exchange });
    visitor.greeted(hello);
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
    const phase = this.#phase;
    if (phase.name === 'closed') return true;
    this.parts.liveness.heard(now);
    const bytes = phase.name === 'hello' ? phase.exchange.receive(chunk) : chunk;
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
   * the number of frames that were read.
   */
  receiveFrames(now: number, batch: readonly Frame[]): number {
    this.parts.liveness.heard(now);
    const read = this.#phase.name === 'closed' ? 0 : this.#frames.receiveFrames(batch);
    if (this.#phase.name === 'leaving') this.#options.port.dirty();
    return read;
  }

  /** Sends the peer our protocols and address after they have changed. */
  announce(): void {
    const phase = this.#phase;
    if ('exchange' in phase) phase.exchange.announce();
    else if (phase.name !== 'closed') this.parts.announce(this.#options.self.addr);
  }

  /** Closes one protocol: its outgoing calls fail, and the calls that it serves are aborted. */
  endChannel(byte: number, error: TransportError): void {
    const channel = this.parts.channels.used(byte);
    if (channel !== undefined && this.#phase.name !== 'closed')
      this.parts.failChannel(channel, error);
  }

  // Output.

  /**
   * Writes everything that can be written at the end of a tick, then admits calls and settles
   * callers that waited for room.
   */
  tick(): void {
    if (this.#phase.name === 'closed') return;
    const { batch, caller, channels, outbox } = this.parts;
    outbox.pump();
    if (outbox.awaited) for (const channel of channels.all()) caller.admitWaiting(channel);
    batch.flush();
    channels.settleIfRoom((channel) => caller.writable(channel));
    if (this.#phase.name === 'leaving') this.#phase.close.finish();
  }

  /** Continues writing after the connection has taken the batch that it had kept. */
  drained(): void {
    if (this.#phase.name === 'closed') return;
    this.parts.batch.drained();
    this.parts.outbox.pump();
    this.tick();
  }

  // Closing the connection.

  /** Keeps the session from becoming idle until the returned function is called. */
  hold(): () => void {
    return this.#limits.hold();
  }

  /**
   * Leaves gracefully. This end opens no new calls; calls that are open, and those that the peer
   * still opens, are served.
   * @param told the text that the peer receives.
   */
  leave(reason: LeaveReason, text: string, told = text): void {
    if (this.#phase.name === 'up') this.#leave(reasonError(reason, text), told);
  }

  #leave(error: TransportError, told: string, time?: number): GracefulClose {
    const end = (arrived: boolean) => this.#end(error, arrived);
    const close = new GracefulClose(this.parts, error, told, end, time);
    this.#enter({ name: 'leaving', close });
    return close;
  }

  /**
   * Closes the session because the transport closes. The peer's new calls are refused, open calls
   * get up to `grace` milliseconds to finish, and flushing accepted data may take one more second.
   */
  shut(grace: number): void {
    const phase = this.#phase;
    if ('exchange' in phase) return this.break(CLOSED);
    if (phase.name === 'closed') return;
    this.parts.callee.refuse(CLOSED);
    const close =
      phase.name === 'leaving'
        ? phase.close
        : this.#leave(reasonError('closed', SHUTDOWN.message), CLOSED.message, grace + FLUSH_TIME);
    close.shut(grace);
  }

  #goneAway(frame: Frame): void {
    const error = goAwayError(frame);
    const phase = this.#phase;
    if ('exchange' in phase || !isOrderly(error)) {
      this.#options.port.close();
      return this.#end(error);
    }
    this.#frames.leave();
    if (phase.name === 'up') this.#leave(error, error.message).hear(error);
    else if (phase.name === 'leaving') phase.close.hear(error);
  }

  /**
   * Ends the connection immediately because of a refusal (even one by the driver or the layer), a
   * protocol violation or a flood. The final GO_AWAY gives the reason; everything that is still
   * queued is dropped.
   */
  break(error: TransportError): void {
    const phase = this.#phase;
    if (phase.name === 'closed') return;
    if ('exchange' in phase) phase.exchange.lastWord(error);
    else this.parts.batch.lastWord(error);
    this.#options.port.close();
    this.#end(error);
  }

  endQuietly(error: TransportError): void {
    this.#end(error);
    this.#options.port.close();
  }

  cut(error: TransportError): void {
    this.#end(error);
    this.#options.port.destroy(error);
  }

  /** Handles a connection that ended without a decision of this session. */
  closed(error: TransportError | undefined): void {
    const phase = this.#phase;
    const close = phase.name === 'leaving' ? phase.close : undefined;
    const text = 'exchange' in phase ? EARLY_END : 'the other end closed the connection';
    this.#end(
      close?.left ?? error ?? stackless('unavailable', text, { reason: 'reset' }),
      error === undefined && close?.isMutual === true,
    );
  }

  #end(error: TransportError, arrived = false): void {
    if (this.#phase.name !== 'closed') this.#enter({ name: 'closed', error, arrived });
  }

  // Time.

  /**
   * Accounts for `lateness` milliseconds during which this process was asleep. Time limits that the
   * peer must keep are extended by that much; the deadlines of calls are not.
   */
  excuse(lateness: number): void {
    this.parts.excuse(lateness);
    if ('exchange' in this.#phase) this.#phase.exchange.excuse(lateness);
    this.#frames.excuse(lateness);
  }

  /** Does everything that is due at `now`, and returns the next time at which something is due. */
  wake(now: number): number {
    const phase = this.#phase;
    if (phase.name === 'closed') return Number.POSITIVE_INFINITY;
    if ('exchange' in phase) {
      phase.exchange.wake(now);
      this.#frames.wake(now);
      return Math.min(phase.exchange.due, this.#frames.due);
    }
    const calls = this.parts.wake(now);
    this.#check(now);
    if (this.state === 'closed') return Number.POSITIVE_INFINITY;
    this.parts.context.port.dirty();
    return Math.min(calls, this.#nextDue());
  }

  #check(now: number): void {
    if (this.#frames.wake(now)) return;
    const exceeded = this.#limits.exceeded(now);
    if (exceeded !== undefined) return this.cut(exceeded);
    this.#limits.ping(now);
    const phase = this.#phase;
    if (phase.name === 'leaving') phase.close.wake(now);
    else if (phase.name === 'up' && now >= this.#limits.idleDue)
      this.leave('idle', `nothing was sent for ${inMs(this.#limits.idleTime)}`);
  }

  /** The next time at which something is due besides the deadlines of calls. */
  #nextDue(): number {
    const phase = this.#phase;
    const own = phase.name === 'leaving' ? phase.close.due : this.#limits.idleDue;
    return Math.min(this.#limits.due, this.#frames.due, own);
  }
}

// The figures of a session: its load and its queues, for snapshots and for the choice of a
// connection.

/** The figures of one session. */
export class SessionFigures {
  readonly #parts: SessionParts;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** The last measured round trip in milliseconds. */
  get rtt(): number | undefined {
    return this.#parts.liveness.rtt;
  }

  /**
   * Returns the number of milliseconds for which a PING has been outstanding while nothing was
   * received.
   */
  silence(now: number): number {
    return this.#parts.liveness.silence(now);
  }

  /** The number of bytes that are held for this connection. */
  get held(): number {
    return this.#parts.context.usage.held;
  }

  /** Maximum length, in bytes, of a message that the peer accepts. */
  get messageLimit(): number {
    return this.#parts.context.terms.message;
  }

  /** The amount of work this session has, for comparison with other sessions to the same target. */
  get load(): number {
    const { caller, context } = this.#parts;
    return context.usage.held - context.usage.working + caller.slots.size;
  }

  /**
   * Returns the number of a channel's one-ways and requests that were accepted but not sent yet,
   * and their bytes.
   */
  unsent(channel: number): { messages: number; bytes: number } {
    const { shorts, longs } = this.#parts.channels.get(channel).lanes;
    return { messages: shorts.messages + longs.messages, bytes: shorts.bytes + longs.bytes };
  }

  /** Returns the number of the peer's open calls and running one-ways on a channel. */
  incoming(channel: number): number {
    const used = this.#parts.channels.used(channel);
    return used === undefined ? 0 : Math.max(used.openIn, used.running) + used.oneways;
  }

  /** The numbers of open calls and queued messages at this moment, as a snapshot shows them. */
  get counts() {
    const { caller, callee, channels, context } = this.#parts;
    const { limits, terms } = context;
    const inbound = { calls: 0, bytes: 0 };
    const outbound = { messages: 0, bytes: 0 };
    const fill = {
      calls: 0,
      streams: Math.max(
        share(caller.streams, terms.streams),
        share(callee.served.streams, limits.streams),
      ),
      inbound: 0,
      outbound: 0,
    };
    for (const channel of channels.all()) {
      const { inbound: queue, lanes, openIn, running, oneways } = channel;
      for (const call of queue) inbound.bytes += call.payload.length;
      inbound.calls += queue.length;
      fill.calls = Math.max(
        fill.calls,
        share(channel.open, terms.calls),
        share(Math.max(openIn, running, oneways), limits.calls),
      );
      fill.inbound = Math.max(
        fill.inbound,
        share(channel.queued, limits.inbound.calls),
        share(channel.queuedBytes, limits.inbound.bytes),
      );
      for (const tally of [lanes.shorts, lanes.longs, lanes.shortReplies, lanes.longReplies]) {
        outbound.messages += tally.messages;
        outbound.bytes += tally.bytes;
        fill.outbound = Math.max(
          fill.outbound,
          share(tally.messages, limits.outbound.messages),
          share(tally.bytes, limits.outbound.bytes),
        );
      }
    }
    let blocked = 0;
    for (const call of caller.slots.values()) if (call.upload?.isBlocked) blocked++;
    for (const call of callee.served.ids.values()) if (call.download?.isBlocked) blocked++;
    return {
      calls: { out: caller.slots.size, in: callee.served.ids.size },
      streams: caller.streams + callee.served.streams,
      blocked,
      inbound,
      outbound,
      fill,
    };
  }
}

/**
 * Returns the fraction of a limit that is in use; at most 1, although one long message may exceed a
 * limit.
 */
function share(used: number, limit: number): number {
  return used === 0 ? 0 : Math.min(1, used / limit);
}
