// The figures of a session: its load and its queues, for snapshots and for the choice of a
// connection.
//
// Owns nothing; it reads the parts of the session.

import type { SessionParts } from './session-parts.ts';

/** The calls and queues of a session at one moment. */
interface SessionCounts {
  /** The number of open calls: those made here (`out`) and those of the peer (`in`). */
  readonly calls: { readonly out: number; readonly in: number };
  /** The number of open calls that stream in either direction. */
  readonly streams: number;
  /** The number of streams whose next item waits for credit. */
  readonly blocked: number;
  /** The number of the peer's calls that no reader has taken yet, and their bytes. */
  readonly inbound: { readonly calls: number; readonly bytes: number };
  /** The number of messages that were accepted here and have not been sent yet, and their bytes. */
  readonly outbound: { readonly messages: number; readonly bytes: number };
  /** The fraction of each limit that is in use, from 0 to 1, on the fullest channel. */
  readonly fill: {
    readonly calls: number;
    readonly streams: number;
    readonly inbound: number;
    readonly outbound: number;
  };
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
  unsent(channel: number): SessionCounts['outbound'] {
    const { shorts, longs } = this.#parts.channels.get(channel).lanes;
    return { messages: shorts.messages + longs.messages, bytes: shorts.bytes + longs.bytes };
  }

  /** Returns the number of the peer's open calls and running one-ways on a channel. */
  incoming(channel: number): number {
    const used = this.#parts.channels.used(channel);
    return used === undefined ? 0 : Math.max(used.openIn, used.running) + used.oneways;
  }

  /** The numbers of open calls and queued messages at this moment. */
  get counts(): SessionCounts {
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
