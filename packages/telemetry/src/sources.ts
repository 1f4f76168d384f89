// Metrics that come from the snapshots of the parts of a node, which are taken when metrics are
// collected, and when a part is removed.

import type { TransportSnapshot } from '@trunkline/transport-core';
import type { ConnectionSnapshot } from '@trunkline/transport-core/backend';
import type { Collection, MetricAttributes } from './collection.ts';
import { METRICS } from './definitions.ts';
import { addResilience } from './resilience-sources.ts';
import type { GossipState, MetricSources, PeersState, TopicState } from './source-types.ts';
import { Sums } from './sums.ts';

/** The watched parts of a node. */
export class Sources {
  readonly #watched = new Set<Watched>();
  readonly #label: (topic: string) => string | undefined;
  /** The bytes of transports that are no longer watched. */
  readonly #io = { in: 0, out: 0 };
  /** The messages of gossip that were counted so far, by outcome and label of the topic. */
  readonly #gossip = new Map<string, Map<string | undefined, number>>();
  /** The final counters of other parts that are no longer watched. */
  readonly #past = new Sums();
  /** The names of targets that are labels. */
  readonly #targets = new Set<string>();

  /** @param label returns the label for a topic: `Recorder.topic` in metrics.ts. */
  constructor(label: (topic: string) => string | undefined) {
    this.#label = label;
  }

  /** Watches parts until the returned function is called or their transport has closed. */
  add(sources: MetricSources): () => void {
    const watched: Watched = { sources, topics: new Map() };
    this.#watched.add(watched);
    return () => this.#remove(watched);
  }

  collect(into: Collection): void {
    const totals = new Totals();
    const io = { ...this.#io };
    const sums = new Sums();
    sums.addCounters(this.#past);
    for (const watched of [...this.#watched]) {
      const { transport, peers, gossip } = watched.sources;
      const state = transport?.snapshot();
      if (state !== undefined) {
        totals.addTransport(state);
        io.in += state.bytes.in;
        io.out += state.bytes.out;
      }
      if (peers !== undefined) totals.addPeers(peers.snapshot());
      addResilience(sums, watched.sources, this.#targetOf);
      if (gossip !== undefined) this.#addGossip(watched, gossip.snapshot(), totals);
      if (state?.state === 'closed') this.#remove(watched);
    }
    totals.collect(into);
    sums.collect(into);
    into.add(METRICS.io, io.in, { direction: 'receive' });
    into.add(METRICS.io, io.out, { direction: 'transmit' });
    for (const [outcome, topics] of this.#gossip) {
      for (const [topic, count] of topics) {
        const label = topic === undefined ? undefined : { topic };
        into.add(METRICS.gossipMessages, count, { outcome, ...label });
      }
    }
  }

  #remove(watched: Watched): void {
    if (!this.#watched.delete(watched)) return;
    const { transport, gossip } = watched.sources;
    const { bytes } = transport?.snapshot() ?? { bytes: { in: 0, out: 0 } };
    this.#io.in += bytes.in;
    this.#io.out += bytes.out;
    const sums = new Sums();
    addResilience(sums, watched.sources, this.#targetOf);
    this.#past.addCounters(sums);
    if (gossip !== undefined) this.#addGossip(watched, gossip.snapshot(), undefined);
  }

  /** Returns the label for the name of a target: `_OTHER` after the first 100. */
  readonly #targetOf = (target: string): string => {
    const targets = this.#targets;
    if (targets.size < MOST_TARGETS) targets.add(target);
    return targets.has(target) ? target : '_OTHER';
  };

  /**
   * Adds the messages since the last collection. A topic starts counting from 0 each time the node
   * joins it, so messages between the last collection and the moment at which the node leaves are
   * not counted.
   */
  #addGossip(watched: Watched, { topics }: GossipState, totals: Totals | undefined): void {
    const before = watched.topics;
    watched.topics = new Map(topics.map((topic) => [`${topic.key} ${topic.life}`, topic]));
    for (const [key, topic] of watched.topics) {
      const last = before.get(key);
      const label = this.#label(topic.topic);
      totals?.addTopic(topic, label);
      this.#count('duplicate', label, topic.duplicates - (last?.duplicates ?? 0));
      for (const [reason, count = 0] of Object.entries(topic.dropped))
        this.#count(reason, label, count - (last?.dropped[reason] ?? 0));
    }
  }

  #count(outcome: string, topic: string | undefined, amount: number): void {
    const counts = this.#gossip.get(outcome) ?? new Map<string | undefined, number>();
    this.#gossip.set(outcome, counts.set(topic, (counts.get(topic) ?? 0) + amount));
  }
}

/** The watched parts of one node, and their values at the last collection. */
interface Watched {
  readonly sources: MetricSources;
  topics: Map<string, TopicState>;
}

/** The sums of all snapshots of one collection. */
class Totals {
  readonly #connections = { in: 0, out: 0 };
  readonly #rtts: number[] = [];
  readonly #queues = { inbound: { messages: 0, bytes: 0 }, outbound: { messages: 0, bytes: 0 } };
  readonly #peers = { in: 0, out: 0, persistent: 0 };
  readonly #neighbors = new Map<string | undefined, { neighbors: number; topics: number }>();
  #streams = 0;
  #blocked = 0;
  #memory = 0;
  #memoryLimit = 0;
  #draining = 0;
  #certificateEnd = Number.POSITIVE_INFINITY;
  /** The names and versions of transports. */
  readonly #nodes = new Map<string, MetricAttributes>();

  addTransport(snapshot: TransportSnapshot): void {
    const { connections, memory, limits, state, draining, certificateEnd } = snapshot;
    for (const connection of connections) this.#addConnection(connection);
    if (state === 'closed') return;
    if (draining) this.#draining++;
    this.#certificateEnd = Math.min(this.#certificateEnd, certificateEnd ?? this.#certificateEnd);
    const { name, version } = snapshot;
    this.#nodes.set(`${version} ${name}`, {
      'trunkline.version': version,
      ...(name === undefined ? {} : { 'trunkline.node.name': name }),
    });
    this.#memory += memory;
    this.#memoryLimit += limits.memory;
  }

  #addConnection({
    direction,
    rtt,
    streams,
    blocked,
    inbound,
    outbound,
  }: ConnectionSnapshot): void {
    this.#connections[direction]++;
    if (rtt !== undefined) this.#rtts.push(rtt);
    this.#streams += streams;
    this.#blocked += blocked;
    this.#queues.inbound.messages += inbound.calls;
    this.#queues.inbound.bytes += inbound.bytes;
    this.#queues.outbound.messages += outbound.messages;
    this.#queues.outbound.bytes += outbound.bytes;
  }

  addPeers({ inbound, outbound, peers }: PeersState): void {
    this.#peers.in += inbound;
    this.#peers.out += outbound;
    for (const { persistent } of peers) if (persistent) this.#peers.persistent++;
  }

  addTopic({ neighbors }: TopicState, label: string | undefined): void {
    const sums = this.#neighbors.get(label) ?? { neighbors: 0, topics: 0 };
    sums.neighbors += neighbors.length;
    sums.topics++;
    this.#neighbors.set(label, sums);
  }

  collect(into: Collection): void {
    for (const direction of ['in', 'out'] as const) {
      into.add(METRICS.connections, this.#connections[direction], { direction });
      into.add(METRICS.peers, this.#peers[direction], { kind: direction });
    }
    into.add(METRICS.peers, this.#peers.persistent, { kind: 'persistent' });
    const rtts = this.#rtts.sort((a, b) => a - b);
    if (rtts.length > 0) {
      const statistics = { min: 0, median: (rtts.length - 1) >> 1, max: rtts.length - 1 };
      for (const [statistic, at] of Object.entries(statistics))
        into.add(METRICS.rtt, rtts[at]! / 1_000, { statistic });
    }
    into.add(METRICS.streams, this.#streams);
    into.add(METRICS.blocked, this.#blocked);
    for (const [queue, { messages, bytes }] of Object.entries(this.#queues)) {
      into.add(METRICS.queueMessages, messages, { queue });
      into.add(METRICS.queueSize, bytes, { queue });
    }
    for (const attributes of this.#nodes.values()) into.add(METRICS.target, 1, attributes);
    into.add(METRICS.draining, this.#draining);
    if (this.#certificateEnd < Number.POSITIVE_INFINITY)
      into.add(METRICS.certificate, this.#certificateEnd / 1_000);
    into.add(METRICS.memory, this.#memory);
    into.add(METRICS.memoryLimit, this.#memoryLimit);
    for (const [topic, { neighbors, topics }] of this.#neighbors) {
      const attributes = topic === undefined ? undefined : { topic };
      into.add(METRICS.neighbors, neighbors, attributes);
      into.add(METRICS.topics, topics, attributes);
    }
  }
}

/** The number of names of targets that are labels. */
const MOST_TARGETS = 100;
