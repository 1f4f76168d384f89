// The events of a node as plain JSON, for tools.

import type { ObserverEvent, Remote } from '@trunkline/transport-core';
import { TransportError } from '@trunkline/transport-core';
import { shorten } from './state/error-log.ts';
import { toJson } from './state/merge-patch.ts';

/**
 * An event of a node. `source` is the part of the node that reported it. `type` and the other
 * members are those of that part's own events, with remotes as ids of connections and errors as
 * code and text.
 */
export interface AdminEvent {
  /** The time on the node's clock, in milliseconds. */
  readonly at: number;
  readonly source: 'transport' | 'peers' | 'gossip' | 'admin';
  readonly type: string;
  readonly [member: string]: unknown;
}

/**
 * Returns an event of a transport, of peers or of gossip as plain JSON. Texts inside nested objects
 * are neither cleaned nor cut, except those of errors and remotes.
 */
export function adminEvent(
  at: number,
  source: AdminEvent['source'],
  event: ObserverEvent | { readonly type: string },
): AdminEvent {
  const members = Object.entries(event).map(([key, value]) => [key, plain(key, value)]);
  return { ...(toJson(Object.fromEntries(members)) as object), at, source, type: event.type };
}

/**
 * Returns true for the events of gossip that tools get. The frequent ones are left out: those of
 * single messages, and `grafted` and `pruned`.
 */
export function isTopicEvent({ type }: { readonly type: string }): boolean {
  return TOPIC_EVENTS.has(type);
}

const TOPIC_EVENTS = new Set([
  'joined',
  'left',
  'neighborUp',
  'neighborDown',
  'differs',
  'misbehaved',
  'failed',
  'lagged',
]);

function plain(key: string, value: unknown): unknown {
  if (value instanceof TransportError) {
    const { code, reason, message } = value;
    return { code, reason, text: shorten(message) };
  }
  if (value instanceof Error) return { code: 'unknown', text: shorten(value.message) };
  if (typeof value === 'string') return shorten(value);
  if (key === 'remote') return remoteOf(value as Remote);
  if (key === 'peer') {
    const { remote, status: _, ...peer } = value as { remote: Remote; status?: unknown };
    return { ...peer, remote: remoteOf(remote) };
  }
  return value;
}

function remoteOf(remote: Remote | undefined): object | undefined {
  if (remote === undefined) return undefined;
  const { id, endpoint, direction, nodeId, addr } = remote;
  return { id, endpoint: shorten(endpoint), direction, nodeId, addr: addr && shorten(addr) };
}
