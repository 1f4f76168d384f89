// The parts of a session, how they are wired, and everything that a session answers in any phase.
//
// Owns the parts and nothing else. `Session` adds the phases.

import type { TransportError } from '../errors.ts';
import { Kind } from '../wire/frame.ts';
import { Answers } from './answers.ts';
import { Batch } from './batch.ts';
import { Callee } from './callee.ts';
import { Caller } from './caller.ts';
import type { Channel } from './channel.ts';
import { Channels } from './channels.ts';
import { broken } from './hello-exchange.ts';
import { IncomingPackets } from './incoming-packets.ts';
import { Liveness } from './liveness.ts';
import { Outbox } from './outbox.ts';
import { PayloadRetainer } from './payload-retainer.ts';
import { ServedCalls } from './served-calls.ts';
import { SessionContext } from './session-context.ts';
import type { SessionOptions } from './session-options.ts';

export abstract class SessionParts {
  readonly context: SessionContext;
  readonly batch: Batch;
  readonly outbox: Outbox;
  readonly channels: Channels;
  /** Undefined if the connection carries frames. */
  readonly retainer: PayloadRetainer | undefined;
  readonly packets: IncomingPackets;
  readonly liveness: Liveness;
  readonly caller: Caller;
  readonly answers: Answers;
  readonly served: ServedCalls;
  readonly callee: Callee;

  constructor(options: SessionOptions) {
    const { mounts, now, side, visitor, writer } = options;
    const isBytes = options.preamble !== undefined;
    const context = new SessionContext({
      ...options,
      breakOff: (error) => this.break(error),
      violation: (reason, message) => this.break(broken(message, reason)),
    });
    this.context = context;
    this.batch = new Batch(context, writer, {
      isBounded: options.isBounded === true,
      isDirect: !isBytes,
    });
    this.outbox = new Outbox(context, this.batch);
    this.retainer = isBytes ? new PayloadRetainer(options.allocate, options.copies) : undefined;
    this.packets = new IncomingPackets(context, this.batch, this.retainer, () => this.#measure());
    this.channels = new Channels(context, this.batch, mounts, visitor);
    this.liveness = new Liveness(options.keepAlive, options.random, now);
    const parity = side === 'dialer' ? 1 : 0;
    this.caller = new Caller(context, this.batch, this.outbox, this.channels, parity);
    this.answers = new Answers(context, this.packets, this.caller);
    this.served = new ServedCalls(context, this.batch, this.outbox, this.channels, visitor);
    this.callee = new Callee(this, visitor);
  }

  /** Ends the connection at once, and tells the peer the reason. */
  abstract break(error: TransportError): void;

  /** Sends a PING to measure the round trip. Returns false if one is already outstanding. */
  #measure(): boolean {
    if (this.liveness.asks) return false;
    this.batch.control(Kind.PING, this.liveness.ping(this.context.now));
    return true;
  }

  // Figures.

  /** The last measured round trip in milliseconds. */
  get rtt(): number | undefined {
    return this.liveness.rtt;
  }

  /** Returns for how many milliseconds a PING has been outstanding without anything received. */
  silence(now: number): number {
    return this.liveness.silence(now);
  }

  /** The bytes that are held for this connection. */
  get held(): number {
    return this.context.held;
  }

  /** The longest message, in bytes, that the peer accepts. */
  get messageLimit(): number {
    return this.context.terms.message;
  }

  /** The amount of work this session has, for comparison with other sessions to the same target. */
  get load(): number {
    return this.context.held - this.context.working + this.caller.slots.size;
  }

  /** True if nothing is sent, called or served. */
  get isUnused(): boolean {
    return this.caller.slots.size === 0 && this.served.ids.size === 0 && this.outbox.idle;
  }

  // Work units.

  /** Sets the work units that the peer may cost in this turn. */
  grant(units: number): void {
    this.context.units = units;
  }

  /** The work units that are left of those granted for this turn. */
  get unitsLeft(): number {
    return this.context.units;
  }

  /** Restarts the timeouts because our own rate limit, not the peer, holds everything back. */
  heldBack(now: number): void {
    this.batch.heldBack(now);
    this.outbox.heldBack(now);
  }

  // Channels and their protocols.

  /**
   * Returns the channel for a channel byte. It is created at its first use and lives as long as the
   * connection.
   */
  channel(byte: number): Channel {
    return this.channels.get(byte);
  }

  get openChannels(): Iterable<Channel> {
    return this.channels.all();
  }

  /** Watches a channel until its waiting writers and its replies have room again. */
  watch(channel: Channel): void {
    this.channels.watch(channel);
  }

  /**
   * Returns the protocols that both ends have mounted but in incompatible ways. Each one is
   * returned only once.
   */
  disagreements() {
    return this.channels.disagreements();
  }

  /** Returns an error if the two ends share no usable protocol. */
  nothingShared(): TransportError | undefined {
    return this.channels.nothingShared();
  }
}
