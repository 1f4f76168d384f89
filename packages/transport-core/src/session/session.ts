// A session is the protocol state machine of one connection. Its input is bytes or frames and the
// current time; its output is bytes or frames. It has no clock but asks the ticker of its driver,
// never waits, and never throws because of a peer's input.
//
// Session owns the phase of the connection, the decoder, and the time limits that concern the whole
// connection; its parts (session-parts.ts) own everything else. Its driver (`Connection`, with its
// input and output) tells it what arrived and what time it is; the transport starts calls through
// `parts.caller`. It hands each frame to the part that handles its kind, calls the driver's port,
// and reports to the driver's visitor. testing/session tests each rule of the wire protocol.

import { isOrderly, reasonError, stackless, TransportError } from '../errors.ts';
import { inMs } from '../text.ts';
import { FrameDecoder, type FrameVisitor } from '../wire/decoder.ts';
import { Account, FRAME_OVERHEAD, type Frame, UNKNOWN_KINDS } from '../wire/frame.ts';
import { HELLO_FRAME_LIMIT } from '../wire/hello.ts';
import * as Kind from '../wire/kind.ts';
import { EARLY_END, HelloExchange } from './hello-exchange.ts';
import { FIELDS_SHIFT, type SessionContext, STUCK } from './session-context.ts';
import { type SessionOptions, SessionParts } from './session-parts.ts';

// Apart from the others, because the order of modules in a page's bundle counts: before the others,
// this one takes 0.1 kB more after gzip.

import { CLOSED, FLUSH_TIME, GracefulClose, goAwayError, lossOf, SHUTDOWN } from './endings.ts';

/** The phases of a session, each with the part that only it has. */
type Phase =
  // hello: waits for the peer's preamble or HELLO. consent: waits for the driver's decision about
  // the peer. ready: the acceptor waits for READY.
  | { readonly name: 'hello' | 'consent' | 'ready'; readonly exchange: HelloExchange }
  /** leaving: this end opens no new calls; open calls continue. */
  | { readonly name: 'leaving'; readonly close: GracefulClose }
  | { readonly name: 'up' | 'closed' };

/**
 * The reasons of a graceful leave. Each must be in ORDERLY (errors.ts, and recorder.ts of admin),
 * or peers end the connection at once; see also PATIENT and `lossOf` (endings.ts).
 */
export type LeaveReason = 'idle' | 'disconnected' | 'duplicate' | 'draining';

/** The state machine of one connection. */
export class Session implements FrameVisitor {
  readonly parts: SessionParts;
  readonly #options: SessionOptions;
  #phase: Phase;
  /** Decodes the byte stream; undefined if the connection carries frames. */
  readonly #decoder: FrameDecoder | undefined;
  /** The time by which the frame that is now arriving must be complete. */
  #frameDue = NEVER;
  /** Duration, in milliseconds, without activity after which this end leaves. */
  readonly #idleTime: number;
  /** The number of `hold`s that keep the connection from becoming idle. */
  #holds = 0;
  /** The number of frames read from this chunk, and of those that are no call and no response. */
  #frames = 0;
  #others = 0;
  /** True once the hello is complete, so other frames are handled; stays true at the end. */
  #isOpen = false;
  /** Called when the session is up: it leaves, if it was to leave during the hello. */
  #onceUp: (() => void) | undefined = undefined;
  /** True if the peer has sent GO_AWAY, so it must not open any more calls. */
  #peerLeft = false;
  /** The parity of our own call ids. */
  readonly #parity: 0 | 1;
  readonly #context: SessionContext;

  constructor(options: SessionOptions) {
    this.parts = new SessionParts(options, (error) => this.break(error));
    this.#options = options;
    this.#context = this.parts.context;
    const { allocate, preamble, side } = options;
    this.#parity = side === 'dialer' ? 1 : 0;
    // The acceptor waits longer, so the dialer, which knows its own plans, normally leaves first.
    this.#idleTime = options.idleTimeout * (side === 'dialer' ? 1 : 2);
    if (preamble !== undefined)
      this.#decoder = new FrameDecoder({ maxLength: HELLO_FRAME_LIMIT, allocate });
    const exchange = new HelloExchange(this.parts.batch, options, (how, error) => this[how](error));
    this.#phase = { name: 'hello', exchange };
    this.#context.wakeBy(exchange.due);
  }

  get state(): 'opening' | 'up' | 'closing' | 'closed' {
    const { name } = this.#phase;
    return name === 'up' || name === 'closed' ? name : name === 'leaving' ? 'closing' : 'opening';
  }

  /** True if long messages or items wait for credit of the pipe: another connection might help. */
  get crowded(): boolean {
    return this.#phase.name === 'up' && this.parts.outbox.starved;
  }

  /**
   * Resolves when a one-way, or the long message that `trySend` refused last, could be sent;
   * rejects when none can be, or if too many callers already wait (`limits.outbound`).
   * @param endpoint of the peer, for errors.
   */
  whenWritable(channel: number, endpoint: string): Promise<void> {
    if (this.#phase.name === 'up') return this.parts.channels.get(channel).whenWritable(endpoint);
    const details = { reason: 'disconnected', target: endpoint, sent: false } as const;
    return Promise.reject(new TransportError('unavailable', 'the connection is closing', details));
  }

  // Opening the connection.

  /** Sends the preamble and HELLO. Only the dialer calls this; it speaks first. */
  open(fields: Readonly<Record<string, string>>): void {
    if (this.#phase.name !== 'hello') return;
    this.#phase.exchange.hello(fields);
    this.parts.batch.flush();
  }

  /** Accepts the peer. The acceptor sends its HELLO, which carries `fields` and `features`. */
  consent(fields: Readonly<Record<string, string>>, features?: readonly string[]): void {
    if (this.#phase.name !== 'consent') return;
    const { exchange } = this.#phase;
    if (this.#options.side === 'dialer') {
      this.parts.batch.greet(Kind.READY);
      this.#up(exchange);
    } else {
      this.#phase = { name: 'ready', exchange };
      exchange.hello(fields, features);
    }
    this.parts.batch.flush();
  }

  /** Handles a frame that arrives before the hello is complete. */
  #early(frame: Frame): void {
    const { refused, visitor } = this.#options;
    const phase = this.#phase;
    if (frame.kind === Kind.GO_AWAY) return this.#goneAway(frame);
    if (refused !== undefined) return this.break(refused);
    if (phase.name === 'ready' && frame.kind === Kind.READY) return this.#up(phase.exchange);
    if (phase.name !== 'hello' || frame.kind !== Kind.HELLO)
      return this.#context.violation(`frame ${frame.kind} before the hello was complete`);
    const hello = phase.exchange.judge(frame);
    if (hello instanceof TransportError) return this.break(hello);
    const { channels, context, outbox } = this.parts;
    context.settle(hello.limits);
    outbox.open(hello.limits);
    channels.met(hello.protocols);
    this.#decoder?.limit(this.#options.limits.packet + FRAME_OVERHEAD);
    this.#phase = { name: 'consent', exchange: phase.exchange };
    visitor.greeted(hello);
  }

  /** Called when the hello is complete, so calls may flow. */
  #up({ isStale }: HelloExchange): void {
    this.#phase = { name: 'up' };
    this.#isOpen = true;
    this.#context.touch();
    this.parts.packets.ping(this.#context.now);
    this.#context.wakeBy(this.#nextDue());
    this.#options.visitor.up();
    if (isStale) this.announce();
    this.#onceUp?.();
  }

  // Input.

  /**
   * Reads bytes that arrived at `now`, at least one frame, while granted work units are left
   * (`SessionContext.grant`). The rest stays in `unread` and must be passed in again first.
   * Returns true if, apart from `unread`, neither the session nor any receiver of a payload keeps a
   * reference to the chunk.
   */
  receive(now: number, chunk: Uint8Array): boolean {
    const phase = this.#phase;
    if (phase.name === 'closed') return true;
    this.parts.liveness.heard(now);
    const bytes = phase.name === 'hello' ? phase.exchange.receive(chunk) : chunk;
    if (bytes === undefined) return true;
    const { batch, caller, callee, packets } = this.parts;
    const decoder = this.#decoder!;
    // Counted before the answers in this chunk end calls; see `BatchPacer.read`.
    const calls = caller.slots.size;
    this.#frames = this.#others = 0;
    // Each `open` has its counterpart below: `clear` and `early.close`.
    packets.retainer?.open(bytes);
    // Before `read`, which changes `missing`: `early` looks for CANCELs from the first whole frame.
    callee.early.open(bytes, decoder.missing);
    const violation = decoder.read(bytes, this);
    if (this.#frames > this.#others) this.#context.touch();
    // Taken after the requests in this chunk have entered the table.
    batch.pacer.read(calls, callee.ids.takePeak(), this.#frames);
    const isDone = packets.retainer?.clear() ?? true;
    // Before `close` delivers the requests that `early` holds back: a violation ends them.
    if (violation !== undefined) this.#context.violation(violation.message, violation.reason);
    callee.early.close(decoder.unread.length === 0);
    if (decoder.partial === 0) this.#frameDue = NEVER;
    else if (this.#frameDue === NEVER || this.#frames > 0) {
      this.#frameDue = now + FRAME_TIME;
      this.#context.wakeBy(this.#frameDue);
    }
    if (this.#phase.name === 'leaving') this.#options.port.dirty();
    return isDone;
  }

  /** The part of the chunk that the last `receive` did not read. Not for frames. */
  get unread(): Uint8Array {
    return this.#decoder!.unread;
  }

  /**
   * Reads frames of a connection that carries frames, for as long as the work units last. Returns
   * the number of frames that were read; the others must be passed in again before any new ones.
   */
  receiveFrames(now: number, batch: readonly Frame[]): number {
    this.parts.liveness.heard(now);
    if (this.#phase.name === 'closed') return 0;
    const { early } = this.parts.callee;
    let read = 0;
    this.#frames = this.#others = 0;
    early.open(batch, 1);
    while (read < batch.length && this.frame(batch[read++]!));
    if (this.#frames > this.#others) this.#context.touch();
    early.close(read === batch.length);
    if (this.#phase.name === 'leaving') this.#options.port.dirty();
    return read;
  }

  // Frames.

  /**
   * Handles a frame; the decoder calls it for each one. Returns false to stop reading, because the
   * work units are spent or the session has ended.
   */
  frame(frame: Frame): boolean {
    if (++this.#frames === 2) this.parts.batch.pacer.readsOn();
    if (frame.rich) this.#context.spend(frame.fields >> FIELDS_SHIFT);
    if (this.#isOpen) this.#dispatch(frame);
    else this.#early(frame);
    // A packet of a long message (its first one has a size) has been copied into the message or
    // dropped, so its buffer can be reused. (A CREDIT may have a size, too, but has no payload.)
    if (frame.kind === Kind.PART || frame.size > 0) this.#decoder?.recycle();
    return this.#context.spendFrame();
  }

  /** True if `frame` returned false only because the work units are spent. */
  get pauses(): boolean {
    return this.#phase.name !== 'closed';
  }

  /**
   * Handles the most common kinds of frames. The function is small so that V8 inlines it into the
   * loop that reads them.
   */
  #dispatch(frame: Frame): void {
    const { kind } = frame;
    if (kind === Kind.RESPONSE) this.parts.caller.response(frame);
    else if (kind === Kind.REQUEST) {
      if (this.#opens(frame)) this.parts.callee.request(frame);
    } else if (kind === Kind.ONEWAY) {
      if (this.#opens(frame)) this.parts.callee.oneway(frame);
    } else this.#rarer(frame);
  }

  /**
   * Returns the memory for the next packet of a long message. Packets of messages that are dropped,
   * even in the middle of a packet, are only counted, so all of them are read into the same memory.
   */
  place(id: number, length: number): Uint8Array {
    const { memory, allocate } = this.#context;
    const { caller, callee } = this.parts;
    const call = this.#isOurs(id) ? caller.slots.get(id) : callee.ids.get(id);
    return call?.assembly?.room(length) ?? memory.discardRoom(length, allocate);
  }

  #rarer(frame: Frame): void {
    this.#others++;
    const { kind, id } = frame;
    const half = this.#isOurs(id) ? this.parts.caller : this.parts.callee;
    if (kind === Kind.ITEM) half.item(frame);
    else if (kind === Kind.PART) half.part(frame);
    else if (kind === Kind.END) half.end(frame);
    else if (kind === Kind.ERROR) this.parts.caller.error(frame);
    else if (kind === Kind.CANCEL) this.parts.callee.cancel(frame);
    else if (kind === Kind.CREDIT) this.#credit(frame);
    else if (kind === Kind.PING) {
      // Answered whatever else is queued, as long as the peer does not send too many.
      if (this.#context.abused()) this.parts.batch.control(Kind.PONG, id);
    } else if (kind === Kind.PONG) this.#pong(id);
    else if (kind === Kind.PROTOCOLS) this.#protocols(frame.hello);
    else if (kind === Kind.GO_AWAY) this.#goneAway(frame);
    else if (kind < UNKNOWN_KINDS)
      this.#context.violation(`a frame of kind ${kind}, which is not allowed here`);
    else {
      this.#context.count('unknownFrame', 1);
      this.#context.abused();
    }
  }

  /**
   * Returns true if the peer may open this call; otherwise reports the rule that it breaks. A short
   * one-way may have any id, which is ignored.
   */
  #opens(frame: Frame): boolean {
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
    const { channels, outbox } = this.parts;
    if (credit > 0) {
      if (account === Account.STREAM)
        return (this.#isOurs(id) ? this.parts.caller : this.parts.callee).credit(frame);
      if (account === Account.PIPE) {
        if (outbox.grant(credit)) return;
      } else if (account === Account.INBOX) {
        // Nothing was ever sent on a channel that this end does not know, so its credit is ignored.
        const known = channels.known(channel);
        if (known === undefined || outbox.grantChannel(known.lanes, credit, size)) return;
      }
    }
    const text = `CREDIT of ${credit} and ${size} one-ways done for account ${account}`;
    this.#context.violation(text);
  }

  #pong(nonce: number): void {
    const { now, active } = this.#context;
    const { liveness, packets } = this.parts;
    const rtt = liveness.pong(nonce, now);
    if (rtt === undefined) return void this.#context.abused();
    packets.window.pong(rtt, now);
    this.#context.wakeBy(liveness.due(active));
  }

  #protocols(list: Uint8Array): void {
    if (!this.#context.abused()) return;
    const announcement = this.parts.channels.learn(list);
    if (typeof announcement === 'string')
      this.#context.violation(`its PROTOCOLS has ${announcement}`);
    else this.#options.visitor.protocolsChanged?.(announcement);
  }

  // Protocols.

  /** Sends the peer our protocols and address after they have changed. */
  announce(): void {
    const phase = this.#phase;
    if ('exchange' in phase) return phase.exchange.announce();
    if (phase.name === 'closed') return;
    const { batch, channels } = this.parts;
    channels.remount();
    this.#options.visitor.protocolsChanged?.(undefined);
    batch.control(Kind.PROTOCOLS, 0, channels.announcement(this.#options.self.addr));
  }

  /** Closes one protocol: its outgoing calls fail, and the calls that it serves are aborted. */
  endChannel(byte: number, error: TransportError): void {
    const { caller, callee, channels } = this.parts;
    const channel = channels.used(byte);
    if (channel === undefined || this.#phase.name === 'closed') return;
    caller.failChannel(channel, error);
    callee.failChannel(channel, new TransportError('unavailable', error.message));
    channel.lanes.settleWriters(error);
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
    if (this.state === 'closed') return; // A callback of the pump has ended the session.
    if (outbox.awaited > 0) for (const channel of channels.all) caller.admitWaiting(channel);
    batch.flush();
    for (const channel of channels.all) channel.settleIfRoom();
    if (this.#phase.name === 'leaving') this.#phase.close.finish();
  }

  /** Continues writing after `SessionPort.flush` returned false: batches are taken again. */
  drained(): void {
    if (this.#phase.name === 'closed') return;
    this.parts.batch.drained();
    this.tick();
  }

  // Closing the connection.

  /** Keeps the session from becoming idle until the returned function is called, once. */
  hold(): () => void {
    this.#holds++;
    return () => void this.#holds--;
  }

  /**
   * Leaves gracefully; if the hello is not complete yet, as soon as it is. This end opens no new
   * calls; calls that are open, and those that the peer still opens, are served.
   * @param told the text that the peer receives.
   */
  leave(reason: LeaveReason, text: string, told = text): void {
    if (this.#phase.name === 'up') this.#leave(reasonError(reason, text), told);
    else if ('exchange' in this.#phase) this.#onceUp = () => this.leave(reason, text, told);
  }

  #leave(error: TransportError, told: string, time?: number): GracefulClose {
    const { batch, caller, channels } = this.parts;
    const end = (arrived: boolean) => this.#end(error, arrived);
    const close = new GracefulClose(this.parts, error, told, end, time);
    this.#phase = { name: 'leaving', close };
    // Calls that wait for room are sent elsewhere.
    const waiting = caller.takeWaiting();
    // Credit that was held back goes before the GO_AWAY.
    for (const { inbox } of channels.all) inbox.pay();
    batch.leave();
    this.#options.visitor.leaving(waiting);
    for (const { lanes } of channels.all) lanes.settleWriters(lossOf(error));
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
    this.#peerLeft = true;
    if (phase.name === 'up') this.#leave(error, error.message).hear(error);
    else if (phase.name === 'leaving') phase.close.hear(error);
  }

  /**
   * Ends the connection immediately, for example because of a refusal, a violation or a lack of
   * memory. The final GO_AWAY gives the reason; everything still queued is dropped.
   */
  break(error: TransportError): void {
    const phase = this.#phase;
    if (phase.name === 'closed') return;
    if ('exchange' in phase) phase.exchange.lastWord(error);
    else this.parts.batch.lastWord(error);
    this.#options.port.close();
    this.#end(error);
  }

  /** Ends the session without a GO_AWAY, and closes the connection after what was written. */
  endQuietly(error: TransportError): void {
    this.#end(error);
    this.#options.port.close();
  }

  /** Ends the session without a GO_AWAY, and destroys the connection. */
  cut(error: TransportError): void {
    this.#end(error);
    this.#options.port.destroy(error);
  }

  /** Handles the end of the stream, which has no effect if the session has ended already. */
  closed(error: TransportError | undefined): void {
    const phase = this.#phase;
    const close = phase.name === 'leaving' ? phase.close : undefined;
    const text = 'exchange' in phase ? EARLY_END : 'the other end closed the connection';
    this.#end(
      close?.left ?? error ?? stackless('unavailable', text, { reason: 'reset' }),
      error === undefined && close?.isMutual === true,
    );
  }

  /** @param arrived true if everything that was written is known to have arrived. */
  #end(error: TransportError, arrived = false): void {
    if (this.#phase.name === 'closed') return;
    this.#phase = { name: 'closed' };
    const { caller, callee, channels, context, outbox } = this.parts;
    const { visitor } = this.#options;
    const loss = lossOf(error);
    context.grant(0); // No more frames are read.
    outbox.end();
    context.usage.end();
    if (this.#isOpen) visitor.leaving([]); // Observers of the calls may call the same target again.
    const unsent = caller.close(loss, arrived);
    const untold = callee.close(loss);
    outbox.drop(channels.all.map(({ lanes }) => lanes));
    for (const { lanes } of channels.all) lanes.settleWriters(loss);
    visitor.abandoned(untold);
    visitor.down(error, unsent);
    // One-ways that waited behind answers are still delivered.
    for (const channel of channels.all) channel.settleIfRoom();
  }

  // Time.

  /**
   * Accounts for `lateness` milliseconds in which this process was asleep or did not read the
   * connection. Extends the time limits that the peer must keep, but not the deadlines of calls.
   */
  excuse(lateness: number): void {
    const { context, liveness, packets } = this.parts;
    for (const part of [liveness, packets, context]) part.excuse(lateness);
    if ('exchange' in this.#phase) this.#phase.exchange.excuse(lateness);
    this.#frameDue += lateness;
  }

  /** Does everything that is due at `now`, and returns the next time at which something is due. */
  wake(now: number): number {
    const phase = this.#phase;
    if (phase.name === 'closed') return NEVER;
    if ('exchange' in phase) {
      phase.exchange.wake(now);
      this.#checkFrame(now);
      return Math.min(phase.exchange.due, this.#frameDue);
    }
    const { batch, caller, callee, channels, packets } = this.parts;
    const calls = Math.min(caller.wake(now), callee.wake(now), packets.wake(now));
    if (this.#phase.name === 'closed') return NEVER; // The end of a call has ended the session.
    if (now >= batch.heldUntil) {
      batch.holdsNothing();
      for (const { inbox } of channels.all) inbox.pay();
    }
    this.#check(now);
    if (this.state === 'closed') return NEVER;
    this.#context.port.dirty();
    return Math.min(calls, this.#nextDue());
  }

  /** Returns true, after reporting it, if a frame took too long. */
  #checkFrame(now: number): boolean {
    if (now < this.#frameDue) return false;
    this.#context.violation(`a frame was not complete after ${FRAME_TIME / 1_000} s`);
    return true;
  }

  /**
   * Checks the time limits of an open connection: a frame that takes too long, silence of the peer,
   * a peer that does not read, and idleness (docs/wire-protocol.md §2, §6, §8, §9).
   */
  #check(now: number): void {
    if (this.#checkFrame(now)) return;
    const exceeded = this.#exceeded(now);
    if (exceeded !== undefined) return this.cut(exceeded);
    const { liveness, packets } = this.parts;
    if (!liveness.asks && now >= liveness.due(this.#context.active)) packets.ping(now);
    const phase = this.#phase;
    if (phase.name === 'leaving') phase.close.wake(now);
    else if (phase.name === 'up' && now >= this.#idleDue)
      this.leave('idle', `nothing was sent for ${inMs(this.#idleTime)}`);
  }

  /** Returns the reason to close the connection, if the peer has exceeded a limit. */
  #exceeded(now: number): TransportError | undefined {
    const { batch, context, liveness } = this.parts;
    if (now >= context.stuckAt)
      return reasonError('reset', `the other end has read nothing for ${STUCK / 1_000} s`);
    const text = 'the other end reads too slowly: 1 MiB of control frames is queued';
    if (batch.stuffed) return reasonError('reset', text);
    if (!liveness.asks || now < liveness.due(context.active)) return undefined;
    const { interval, timeout } = this.#options.keepAlive;
    return reasonError('ping_timeout', `the other end was silent for ${inMs(interval + timeout)}`);
  }

  /** The time at which an unused session leaves; Infinity if the session is in use. */
  get #idleDue(): number {
    const { caller, callee, context, outbox } = this.parts;
    const calls = caller.slots.size + callee.ids.size;
    const isUsed = this.#holds > 0 || calls > 0 || !outbox.idle;
    return isUsed ? NEVER : context.active + this.#idleTime;
  }

  /** The next time at which something is due besides what the parts return from their `wake`. */
  #nextDue(): number {
    const { batch, context, liveness } = this.parts;
    const phase = this.#phase;
    const own = phase.name === 'leaving' ? phase.close.due : this.#idleDue;
    const limits = Math.min(liveness.due(context.active), context.stuckAt, batch.heldUntil);
    return Math.min(limits, this.#frameDue, own);
  }
}

const NEVER = Number.POSITIVE_INFINITY;
/** The time limit for receiving a frame, in milliseconds from its first byte. */
const FRAME_TIME = 15_000;
