// The parts of a session, their wiring, and the actions that concern all of them in any phase.
//
// Owns the parts. The session passes on the time, room to write, and the end.

import { TransportError } from '../errors.ts';
import type { Random } from '../random.ts';
import { type FrameWriter, Kind } from '../wire/frame.ts';
import type { Hello } from '../wire/hello.ts';
import { Answers } from './answers.ts';
import { Batch } from './batch.ts';
import { Callee } from './callee.ts';
import { Caller } from './caller.ts';
import { type Channel, Channels, type ProtocolsVisitor } from './channels.ts';
import { broken, type HelloExchangeOptions } from './hello-exchange.ts';
import type { Calls, InCall } from './in-call.ts';
import { type KeepAlive, Liveness } from './liveness.ts';
import type { OutCall } from './out-call.ts';
import { Outbox } from './outbox.ts';
import { IncomingPackets } from './packets.ts';
import { SessionContext } from './session-context.ts';

/** Receives the events of a session; implemented by the driver. */
export interface SessionVisitor extends ProtocolsVisitor {
  /** The callers of these calls are gone: `InCall.tell` must be called for each, now or later. */
  abandoned(calls: InCall[]): void;
  /** The peer's HELLO is acceptable. Answer with `consent` or `break`, now or later. */
  greeted(hello: Hello): void;
  /** Called when the hello is complete, so calls may flow in both directions. */
  up(): void;
  /**
   * The session takes no new calls, so the pool must forget it. `waiting` contains the calls that
   * waited for room, in order.
   */
  leaving(waiting: OutCall[]): void;
  /**
   * The session has ended; called exactly once. `unsent` contains the calls that no handler can
   * have seen, in order.
   */
  down(error: TransportError, unsent: OutCall[]): void;
}

/** The options of a session. */
export interface SessionOptions extends HelloExchangeOptions {
  readonly visitor: SessionVisitor;
  /** Receives the peer's calls. */
  readonly calls: Calls;
  readonly writer: FrameWriter;
  readonly keepAlive: KeepAlive;
  /**
   * Duration, in milliseconds, without activity after which the dialer leaves; the acceptor waits
   * twice as long.
   */
  readonly idleTimeout: number;
  readonly random: Random;
  /** True if `limits.rate.send` is set: see BatchPacer. */
  readonly isBounded?: boolean;
  /**
   * True if all chunks arrive in one piece of memory that is overwritten by the next read: see
   * PayloadRetainer.
   */
  readonly copies?: boolean;
}

/** The parts of one session. */
export class SessionParts {
  readonly context: SessionContext;
  readonly batch: Batch;
  readonly outbox: Outbox;
  readonly packets: IncomingPackets;
  readonly channels: Channels;
  readonly liveness: Liveness;
  readonly caller: Caller;
  readonly answers: Answers;
  readonly callee: Callee;
  readonly #roomForReplies: (channel: Channel) => void;
  readonly #abandoned: (calls: InCall[]) => void;

  /** @param breakOff ends the connection with a GO_AWAY that carries the error. */
  constructor(options: SessionOptions, breakOff: (error: TransportError) => void) {
    const { calls, mounts, preamble, side, visitor } = options;
    const isBytes = preamble !== undefined;
    const context = new SessionContext(options, breakOff, (reason, message) =>
      breakOff(broken(message, reason)),
    );
    this.context = context;
    this.batch = new Batch(context, options.writer, {
      isBounded: options.isBounded === true,
      isDirect: !isBytes,
    });
    this.outbox = new Outbox(context, this.batch);
    const memory = !isBytes ? 'frames' : options.copies === true ? 'one' : 'own';
    this.packets = new IncomingPackets(context, this.batch, memory, () => this.#measure());
    this.channels = new Channels(context, this.batch, mounts, visitor);
    this.liveness = new Liveness(options.keepAlive, options.random, options.now);
    this.caller = new Caller(this, side === 'dialer' ? 1 : 0);
    this.answers = new Answers(context, this.packets, this.caller);
    this.callee = new Callee(this, this.packets, calls);
    this.#roomForReplies = (channel) => calls.roomForReplies(channel);
    this.#abandoned = (calls) => visitor.abandoned(calls);
  }

  /** Sends a PING to measure the round trip. Returns false if one is already outstanding. */
  #measure(): boolean {
    if (this.liveness.asks) return false;
    this.batch.control(Kind.PING, this.liveness.ping(this.context.now));
    return true;
  }

  /** Applies the peer's HELLO. */
  agree({ limits, protocols }: Hello): void {
    this.context.settle(limits);
    this.outbox.open(limits);
    this.channels.met(protocols);
  }

  /** Sends the peer our protocols and our address, which may have changed. */
  announce(addr: string): void {
    this.batch.control(Kind.PROTOCOLS, 0, this.channels.remount(addr));
  }

  /**
   * Writes everything that can be written, then admits calls and settles callers that waited for
   * room.
   */
  pump(): void {
    const { caller, channels } = this;
    this.outbox.pump();
    if (this.outbox.awaited) for (const channel of channels.all()) caller.admitWaiting(channel);
    this.batch.flush();
    channels.look((channel) => caller.writable(channel), this.#roomForReplies);
  }

  /** Ends the calls of one protocol, which was closed here. */
  failChannel(channel: Channel, error: TransportError): void {
    this.caller.failChannel(channel, error);
    this.callee.served.failChannel(channel, new TransportError('unavailable', error.message));
    channel.settleWriters(error);
  }

  /**
   * Ends all calls because the connection has ended. Returns those that no handler can have seen,
   * in order.
   * @param arrived true if everything that was written is known to have arrived.
   */
  end(error: TransportError, arrived: boolean): OutCall[] {
    const { channels, outbox } = this;
    outbox.end();
    const unsent = this.caller.close(error, arrived);
    const untold = this.callee.served.close(error);
    this.packets.end();
    this.context.usage.end();
    for (const lanes of channels.lanes()) outbox.drop(lanes);
    channels.rejectWriters(error);
    this.#abandoned(untold);
    return unsent;
  }

  /** Does what is due for calls and credit at `now`; returns the next time for calls. */
  wake(now: number): number {
    const { answers, batch, caller, callee, packets } = this;
    const next = Math.min(
      caller.wake(now),
      answers.wake(now),
      callee.served.wake(now, packets.lastPacket),
    );
    if (now >= batch.heldUntil) {
      batch.holdsNothing();
      this.channels.payHeld();
    }
    return next;
  }

  /**
   * Extends, by `lateness` (the milliseconds for which this process was asleep), the time limits
   * that the peer must keep.
   */
  excuse(lateness: number): void {
    this.liveness.excuse(lateness);
    this.packets.excuse(lateness);
    this.context.usage.excuse(lateness);
    this.batch.excuse(lateness);
    this.outbox.excuse(lateness);
  }

  /** Restarts the timeouts because our own rate limit, not the peer, holds everything back. */
  heldBack(now: number): void {
    this.batch.heldBack(now);
    this.outbox.heldBack(now);
  }
}
