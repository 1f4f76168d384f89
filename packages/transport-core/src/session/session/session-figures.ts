// The figures of a session: its load and its queues, for snapshots and for the choice of a
// connection.
//
// Owns nothing; it reads the parts of the session.

import type { SessionParts } from './session-parts.ts';

/** The calls and queues of a session at one moment. */
interface SessionCounts {
  /** Open calls: those made here (`out`) and those of the peer (`in`). */
  readonly calls: { readonly out: number; readonly in: number };
  /** Open calls that stream in either direction. */
  readonly streams: number;
  /** Streams whose next item waits for credit. */
  readonly blocked: number;
  /** Calls of the peer that no reader has taken yet. */
  readonly inbound: { readonly calls: number; readonly bytes: number };
  /** Messages accepted here that have not been sent yet. */
  readonly outbound: { readonly messages: number; readonly bytes: number };
}

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

  /** Returns for how many milliseconds a PING has been outstanding without anything received. */
  silence(now: number): number {
    return this.#parts.liveness.silence(now);
  }

  /** The bytes that are held for this connection. */
  get held(): number {
    return this.#parts.context.usage.held;
  }

  /** The longest message, in bytes, that the peer accepts. */
  get messageLimit(): number {
    return this.#parts.context.terms.message;
  }

  /** The amount of work this session has, for comparison with other sessions to the same target. */
  get load(): number {
    const { caller, context } = this.#parts;
    return context.usage.held - context.usage.working + caller.slots.size;
  }

  /** Returns the one-ways and requests of a channel that were accepted but not sent yet. */
  unsent(channel: number): SessionCounts['outbound'] {
    const { shorts, longs } = this.#parts.channels.get(channel).lanes;
    return { messages: shorts.messages + longs.messages, bytes: shorts.bytes + longs.bytes };
  }

  /**
   * The peer's open calls on channels from `lowest` on, and its one-ways that are handled there.
   */
  incomingFrom(lowest: number): number {
    let sum = 0;
    for (const { byte, openIn, running, oneways } of this.#parts.channels.all())
      if (byte >= lowest) sum += Math.max(openIn, running) + oneways;
    return sum;
  }

  /** The open calls and queued messages at this moment. */
  get counts(): SessionCounts {
    const { caller, callee, channels } = this.#parts;
    const inbound = { calls: 0, bytes: 0 };
    const outbound = { messages: 0, bytes: 0 };
    for (const { inbound: queue, lanes } of channels.all()) {
      for (const call of queue) inbound.bytes += call.payload.length;
      inbound.calls += queue.length;
      for (const tally of [lanes.shorts, lanes.longs, lanes.shortReplies, lanes.longReplies]) {
        outbound.messages += tally.messages;
        outbound.bytes += tally.bytes;
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
    };
  }
}
