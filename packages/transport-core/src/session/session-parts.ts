// The parts of a session, their wiring, and the figures that they add up to: the load of the
// connection, and the counts of a snapshot. session-parts.test.ts tests the load, and
// testing/core/observing.ts of transport-testkit the counts.

import type { TransportError } from '../errors.ts';
import type { Random } from '../random.ts';
import type { FrameWriter } from '../wire/encoder.ts';
import type { Announcement, Hello, Introduction } from '../wire/hello.ts';
import { Batch, BatchPacer, BOUNDED } from './batch.ts';
import { Callee } from './callee.ts';
import { Caller } from './caller.ts';
import type { InCall, Mounted } from './incoming-calls.ts';
import { Outbox } from './outbox.ts';
import { Channels, type OutCall } from './outgoing-calls.ts';
import { IncomingPackets, PayloadRetainer } from './packets.ts';
import { type ContextInit, type KeepAlive, Liveness, SessionContext } from './session-context.ts';

/**
 * Receives the events of a session. It is an interface because `Connection`, which implements it,
 * is in a higher layer.
 */
export interface SessionVisitor {
  /**
   * The protocols of one end have changed. `announcement` is set if the peer has announced its
   * protocols and its address again.
   */
  protocolsChanged?(announcement: Announcement | undefined): void;
  /** The peer has refused a call because it drains. Called before that call fails. */
  drains?(): void;
  /**
   * The callers of these calls are gone: `InCall.tell` must be called, now or later, for each that
   * still runs then.
   */
  abandoned(calls: InCall[]): void;
  /** The peer's HELLO is acceptable. Answer with `consent` or `break`, now or later. */
  greeted(hello: Hello): void;
  /** Called when the hello is complete, so calls may flow in both directions. */
  up(): void;
  /**
   * The session, which was up, takes no new calls, so the pool must forget it. `waiting` contains
   * the calls that waited for room, in order. Also called, without calls, when the session ends,
   * before its open calls fail: their observers may call the same target again.
   */
  leaving(waiting: OutCall[]): void;
  /**
   * The session has ended; called exactly once, even if it was never up. `unsent` contains the
   * calls that no handler can have seen, in order; all other open calls have failed.
   */
  down(error: TransportError, unsent: OutCall[]): void;
}

/** The options of a session. */
export interface SessionOptions extends ContextInit {
  readonly side: 'dialer' | 'acceptor';
  readonly self: Introduction;
  /** The peer's address as this end sees it. */
  readonly observed: string;
  /** The mounted protocols by channel; the map changes as protocols are mounted. */
  readonly mounts: ReadonlyMap<number, Mounted>;
  /** Writes the preamble; undefined if the connection carries frames. */
  readonly preamble: (() => void) | undefined;
  /** The node id that the security layer proved for the peer; undefined if it proved none. */
  readonly proven: string | undefined;
  /**
   * Set if the layer below refuses this peer, or if there are too many connections
   * (`limits.connections`): the session only sends the reason to the peer, and then ends.
   */
  readonly refused: TransportError | undefined;
  /** The time limit of the hello, in milliseconds from the creation of the session. */
  readonly handshakeTimeout: number;
  readonly visitor: SessionVisitor;
  readonly writer: FrameWriter;
  readonly keepAlive: KeepAlive;
  /**
   * Duration, in milliseconds, without activity after which the dialer leaves; the acceptor waits
   * twice as long.
   */
  readonly idleTimeout: number;
  readonly random: Random;
  /** True if `limits.rate.send` is set: see `BOUNDED` in batch.ts. */
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
  readonly callee: Callee;

  /** @param breakOff ends the connection with a GO_AWAY that carries the error. */
  constructor(options: SessionOptions, breakOff: (error: TransportError) => void) {
    const { mounts, preamble, side, visitor } = options;
    const isBytes = preamble !== undefined;
    const context = new SessionContext(options, breakOff);
    this.context = context;
    // If frames are handed over as objects within one thread, neither end can read while the other
    // writes, so splitting a tick into several batches gains nothing. Their pacer keeps this
    // size, because only `Session.receive`, which reads bytes, adapts it.
    const oneways = !isBytes ? Number.POSITIVE_INFINITY : options.isBounded ? BOUNDED : undefined;
    this.batch = new Batch(context, options.writer, new BatchPacer(oneways));
    this.outbox = new Outbox(context, this.batch);
    const retainer = isBytes ? new PayloadRetainer(options.allocate, options.copies) : undefined;
    this.liveness = new Liveness(options.keepAlive, options.random, context.now);
    this.packets = new IncomingPackets(context, this.batch, this.liveness, retainer);
    this.channels = new Channels(context, this.batch, mounts);
    const parity = side === 'dialer' ? 1 : 0;
    this.caller = new Caller(this.outbox, this.channels, this.packets, parity, visitor);
    this.callee = new Callee(this.outbox, this.channels, this.packets);
  }

  // Figures: the load and the queues, for snapshots and for the choice of a connection.

  /** The number of bytes that are held for this connection. */
  get held(): number {
    return this.context.usage.held;
  }

  /**
   * The amount of work this session has; the pool gives long and streaming calls to the session
   * with the least. It is the bytes that wait here, of either direction, plus one for each open
   * call of ours. Messages that are being handled don't count: they don't occupy the connection.
   */
  get load(): number {
    const { caller, context } = this;
    return context.usage.held - context.usage.working + caller.slots.size;
  }

  /**
   * Returns the number of messages in the lanes of a channel, except responses and errors, and
   * their bytes, at most 8 MiB for each. Call it only after the peer's HELLO, because it may create
   * the channel.
   */
  unsent(channel: number): { messages: number; bytes: number } {
    const { shorts, longs } = this.channels.get(channel).lanes;
    return { messages: shorts.messages + longs.messages, bytes: shorts.bytes + longs.bytes };
  }

  /**
   * Returns the number of the peer's open calls (or running handlers, if these are more) and
   * running one-ways on a channel.
   */
  incoming(channel: number): number {
    const used = this.channels.used(channel);
    return used === undefined ? 0 : Math.max(used.openIn, used.running) + used.oneways;
  }

  /** The numbers of open calls and queued messages at this moment, as a snapshot shows them. */
  get counts() {
    const { caller, callee, channels, context } = this;
    const { limits, terms } = context;
    const inbound = { calls: 0, bytes: 0 };
    const outbound = { messages: 0, bytes: 0 };
    const fill = { calls: 0, streams: 0, inbound: 0, outbound: 0 };
    /** Notes which fraction of a limit is in use; at most 1, although one message may exceed it. */
    const note = (limited: keyof typeof fill, used: number, limit: number) => {
      if (used > 0) fill[limited] = Math.max(fill[limited], Math.min(1, used / limit));
    };
    note('streams', caller.streams, terms.streams);
    note('streams', callee.streams, limits.streams);
    for (const channel of channels.all) {
      const { inbound: queue, lanes, openIn, running, oneways } = channel;
      for (const call of queue) inbound.bytes += call.payload.length;
      inbound.calls += queue.length;
      note('calls', channel.open, terms.calls);
      note('calls', Math.max(openIn, running, oneways), limits.calls);
      note('inbound', channel.queued, limits.inbound.calls);
      note('inbound', channel.queuedBytes, limits.inbound.bytes);
      for (const tally of [lanes.shorts, lanes.longs, lanes.shortReplies, lanes.longReplies]) {
        outbound.messages += tally.messages;
        outbound.bytes += tally.bytes;
        note('outbound', tally.messages, limits.outbound.messages);
        note('outbound', tally.bytes, limits.outbound.bytes);
      }
    }
    let blocked = 0;
    for (const call of caller.slots.values()) if (call.upload?.isBlocked) blocked++;
    for (const call of callee.ids.values()) if (call.download?.isBlocked) blocked++;
    const calls = { out: caller.slots.size, in: callee.ids.size };
    const streams = caller.streams + callee.streams;
    return { calls, streams, blocked, inbound, outbound, fill };
  }
}
