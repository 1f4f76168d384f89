// Counts the open calls and the queued messages of a session, for snapshots.

import type { Session } from './session.ts';

/** The calls and queues of a session at one moment. */
export interface SessionFigures {
  /** Open calls: those made here (`out`) and those of the peer (`in`). */
  readonly calls: { readonly out: number; readonly in: number };
  /** Open calls that stream in either direction. */
  readonly streams: number;
  /** Calls of the peer that no reader has taken yet. */
  readonly inbound: { readonly calls: number; readonly bytes: number };
  /** Messages accepted here that have not been sent yet. */
  readonly outbound: { readonly messages: number; readonly bytes: number };
}

export function sessionFigures({ caller, served, openChannels }: Session): SessionFigures {
  const inbound = { calls: 0, bytes: 0 };
  const outbound = { messages: 0, bytes: 0 };
  for (const { inbound: queue, lanes } of openChannels) {
    for (const call of queue) inbound.bytes += call.payload.length;
    inbound.calls += queue.length;
    for (const tally of [lanes.shorts, lanes.longs, lanes.shortReplies, lanes.longReplies]) {
      outbound.messages += tally.messages;
      outbound.bytes += tally.bytes;
    }
  }
  return {
    calls: { out: caller.slots.size, in: served.ids.size },
    streams: caller.streams + served.streams,
    inbound,
    outbound,
  };
}
