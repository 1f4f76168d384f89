// The rows of the views of topics, peers, queues and errors.

import type { ErrorRecord, PeerState, TopicState } from '@trunkline/admin';
import type { NetworkState } from '../network-state.ts';
import { own } from './own.ts';

/** A topic on one node. */
export interface TopicRow extends TopicState {
  readonly node: string;
  readonly key: string;
  /** Dropped messages for all reasons. */
  readonly lost: number;
}

/** Returns the topics of one node, or of all. */
export function topicRows(network: NetworkState, node: string | undefined): TopicRow[] {
  return states(network, node).flatMap(([name, { topics = {} }]) =>
    Object.entries(topics).map(([key, topic]) => ({
      ...topic,
      node: name,
      key,
      lost: Object.values(topic.dropped).reduce<number>((sum, each) => sum + (each ?? 0), 0),
    })),
  );
}

/** A link of a topic: `eager` links form the tree, others only announce messages. */
export interface TopicLink {
  readonly from: string;
  readonly to: string;
  readonly eager: boolean;
}

/**
 * Returns the links of a topic between nodes, named by the watched node if there is one, otherwise
 * by the node id. Overlays without a tree send to all their neighbors.
 */
export function topicLinks(network: NetworkState, key: string): TopicLink[] {
  const names = new Map<string, string>();
  for (const [name, { state }] of Object.entries(network.nodes))
    if (state?.node.nodeId !== undefined) names.set(state.node.nodeId, name);
  return states(network, undefined).flatMap(([name, { topics = {} }]) => {
    const topic = own(topics, key);
    if (topic === undefined) return [];
    const eager = eagerOf(topic.details);
    return topic.neighbors.map((id) => ({
      from: name,
      to: names.get(id) ?? id,
      eager: eager?.get(id) ?? true,
    }));
  });
}

/** Returns which neighbors get messages at once, as overlays with a tree report it. */
function eagerOf(details: unknown): Map<string, boolean> | undefined {
  const { tree } = (details ?? {}) as { readonly tree?: { readonly neighbors?: unknown } };
  if (!Array.isArray(tree?.neighbors)) return undefined;
  return new Map(tree.neighbors.map(({ id, eager }) => [String(id), eager === true]));
}

/** A connected peer of one node. */
export interface PeerRow extends PeerState {
  readonly node: string;
  readonly nodeId: string;
  /** The state of its connection. */
  readonly state: string;
}

/** Returns the peers of one node, or of all. */
export function peerRows(network: NetworkState, node: string | undefined): PeerRow[] {
  return states(network, node).flatMap(([name, { peers = {}, connections }]) =>
    Object.entries(peers).map(([nodeId, peer]) => ({
      ...peer,
      node: name,
      nodeId,
      state: own(connections, peer.connection)?.state ?? 'gone',
    })),
  );
}

/** A queue or another thing that fills up. */
export interface QueueRow {
  readonly node: string;
  readonly what: string;
  /** Messages or calls that wait; undefined if only bytes are counted. */
  readonly count: number | undefined;
  readonly bytes: number | undefined;
  /** The bytes as a part of the node's memory limit, 0 to 1; undefined without bytes. */
  readonly share: number | undefined;
  /** Messages that were lost because it was full. */
  readonly missed: number;
}

/** Returns the queues of one node, or of all, without those of connections that are empty. */
export function queueRows(network: NetworkState, node: string | undefined): QueueRow[] {
  return states(network, node).flatMap(([name, { totals, connections, topics = {} }]) => {
    const row = (what: string, count: number | undefined, bytes?: number, missed = 0): QueueRow => {
      const hasShare = bytes !== undefined && totals.memoryLimit > 0;
      const share = hasShare ? Math.min(1, bytes / totals.memoryLimit) : undefined;
      return { node: name, what, count, bytes, share, missed };
    };
    const rows = [
      row('memory of messages', undefined, totals.memory),
      row('calls waiting for a reader', totals.waiting),
    ];
    for (const [id, { inbound, outbound, blocked }] of Object.entries(connections)) {
      if (inbound.calls > 0) rows.push(row(`${id}: received`, inbound.calls, inbound.bytes));
      if (outbound.messages > 0)
        rows.push(row(`${id}: to be sent`, outbound.messages, outbound.bytes));
      if (blocked > 0) rows.push(row(`${id}: streams without credit`, blocked));
    }
    for (const { topic, waiting, bytes, missed } of Object.values(topics))
      rows.push(row(`topic ${topic}: readers`, waiting, bytes, missed));
    return rows;
  });
}

/** An error of one node. */
export interface ErrorRow extends ErrorRecord {
  readonly node: string;
  readonly key: string;
  /** Milliseconds since it last occurred, at the time of the node's state. */
  readonly age: number;
}

/** Returns the errors of one node, or of all, the newest first. */
export function errorRows(network: NetworkState, node: string | undefined): ErrorRow[] {
  return states(network, node)
    .flatMap(([name, { at, errors }]) =>
      Object.entries(errors).map(([number, error]) => ({
        ...error,
        node: name,
        key: `${name}\n${number}`,
        age: Math.max(0, at - error.at),
      })),
    )
    .sort((a, b) => a.age - b.age);
}

function states({ nodes }: NetworkState, node: string | undefined) {
  return Object.entries(nodes).flatMap(([name, { state }]) =>
    state === undefined || (node !== undefined && name !== node) ? [] : [[name, state] as const],
  );
}
