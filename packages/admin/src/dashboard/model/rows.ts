// The rows of the views of topics, peers, queues and errors.

import type { NodeErrorRecord, NodePeerState, NodeTopicState } from '../../state/node-state.ts';
import type { NetworkState } from '../network-state.ts';
import { own } from './own.ts';
import { titleOf } from './titles.ts';

/** A topic on one node. */
export interface TopicRow extends NodeTopicState {
  readonly node: string;
  readonly title: string;
  readonly key: string;
  /** The number of messages that were dropped, for whatever reason. */
  readonly lost: number;
}

/** Returns the topics of one node, or of all nodes. */
export function topicRows(network: NetworkState, node: string | undefined): TopicRow[] {
  return states(network, node).flatMap(([name, { topics = {} }]) =>
    Object.entries(topics).map(([key, topic]) => ({
      ...topic,
      node: name,
      title: titleOf(network, name),
      key,
      lost: Object.values(topic.dropped).reduce<number>((sum, each) => sum + (each ?? 0), 0),
    })),
  );
}

/** A link of a topic. Links that are `eager` form the tree; other links only announce messages. */
export interface TopicLink {
  readonly from: string;
  readonly to: string;
  readonly eager: boolean;
}

/**
 * Returns the links of a topic. A node that is watched appears by its name, any other node by its
 * node id. In an overlay without a tree, all links are eager.
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

/**
 * Returns for each neighbor whether it gets messages at once, if the overlay has a tree and reports
 * this. The shape of `tree` is that of gossip/src/plumtree/plumtree.ts, but a node may send any.
 */
function eagerOf(details: unknown): Map<string, boolean> | undefined {
  const { tree } = (details ?? {}) as { readonly tree?: { readonly neighbors?: unknown } };
  if (!Array.isArray(tree?.neighbors)) return undefined;
  return new Map(tree.neighbors.map(({ id, eager }) => [String(id), eager === true]));
}

/** A connected peer of one node. */
export interface PeerRow extends NodePeerState {
  readonly node: string;
  readonly title: string;
  readonly nodeId: string;
  /** The state of its connection. */
  readonly state: string;
}

/** Returns the peers of one node, or of all nodes. */
export function peerRows(network: NetworkState, node: string | undefined): PeerRow[] {
  return states(network, node).flatMap(([name, { peers = {}, connections }]) =>
    Object.entries(peers).map(([nodeId, peer]) => ({
      ...peer,
      node: name,
      title: titleOf(network, name),
      nodeId,
      state: own(connections, peer.connection)?.state ?? 'gone',
    })),
  );
}

/** A queue, or another amount that a limit bounds. */
export interface QueueRow {
  readonly node: string;
  readonly title: string;
  readonly what: string;
  /** Messages, calls or connections, and their limit; undefined if only bytes are counted. */
  readonly count?: number | undefined;
  readonly most?: number | undefined;
  /** Bytes, and their limit. */
  readonly bytes?: number | undefined;
  readonly mostBytes?: number | undefined;
  /** The part of the limit that is in use, 0 to 1; undefined without a limit. */
  readonly share: number | undefined;
  /** The number of messages that were lost because the queue was full. */
  readonly missed: number;
}

/**
 * Returns the limits of one node, or of all nodes, and the non-empty queues of their connections.
 * The limits of a connection apply to each channel, so the share of a connection is that of its
 * fullest channel.
 */
export function queueRows(network: NetworkState, node: string | undefined): QueueRow[] {
  return states(network, node).flatMap(([name, state]) => {
    const { totals, limits, connections, topics = {}, omitted = {} } = state;
    const { incoming } = totals;
    const row = (what: string, amounts: Partial<QueueRow>): QueueRow => ({
      node: name,
      title: titleOf(network, name),
      what,
      share: shareOf(amounts),
      missed: 0,
      ...amounts,
    });
    const known = Object.entries(connections);
    const rows = [
      row('memory of messages', { bytes: totals.memory, mostBytes: limits.memory }),
      row('connections', {
        count: known.length + (own(omitted, 'connections') ?? 0),
        most: limits.connections,
      }),
      row('handshakes', { count: totals.handshakes, most: limits.handshakes }),
      row('calls of peers', {
        count: incoming.calls,
        most: limits.total.calls,
        bytes: incoming.bytes,
        mostBytes: limits.total.bytes,
      }),
      row('calls waiting for a reader', { count: totals.waiting }),
    ];
    for (const [id, { calls, streams, blocked, inbound, outbound, fill }] of known) {
      const add = (what: string, count: number, amounts: Partial<QueueRow>) => {
        if (count > 0) rows.push(row(`${id}: ${what}`, { count, ...amounts }));
      };
      add('calls in flight', calls.in + calls.out, { share: fill.calls });
      add('streams', streams, { share: fill.streams });
      add('streams without credit', blocked, {});
      add('received', inbound.calls, { bytes: inbound.bytes, share: fill.inbound });
      add('to be sent', outbound.messages, { bytes: outbound.bytes, share: fill.outbound });
    }
    for (const { topic, waiting, bytes, missed } of Object.values(topics))
      rows.push(row(`topic ${topic}: readers`, { count: waiting, bytes, missed }));
    return rows;
  });
}

/**
 * Returns the part of the count limit or of the byte limit that is in use, whichever is larger;
 * undefined without a limit.
 */
function shareOf({ count, most, bytes, mostBytes }: Partial<QueueRow>): number | undefined {
  const parts = [
    [count, most],
    [bytes, mostBytes],
  ].flatMap(([used, limit]) => (used !== undefined && limit! > 0 ? [used / limit!] : []));
  return parts.length === 0 ? undefined : Math.min(1, Math.max(...parts));
}

/** An error of one node. */
export interface ErrorRow extends NodeErrorRecord {
  readonly node: string;
  readonly title: string;
  readonly key: string;
  /** Milliseconds from its last occurrence to the time of the node's state. */
  readonly age: number;
}

/** Returns the errors of one node, or of all nodes, the newest first. */
export function errorRows(network: NetworkState, node: string | undefined): ErrorRow[] {
  return states(network, node)
    .flatMap(([name, { at, errors }]) =>
      Object.entries(errors).map(([number, error]) => ({
        ...error,
        node: name,
        title: titleOf(network, name),
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
