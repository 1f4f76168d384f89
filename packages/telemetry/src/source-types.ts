// The parts of a node whose snapshots provide metrics. Transport, Peers and Gossip fit these
// interfaces.

import type { Snapshot } from '@trunkline/transport-core';

/** The parts of a node to watch; those that a node does not have are left out. */
export interface MetricSources {
  readonly transport?: { snapshot(): Snapshot } | undefined;
  readonly peers?: { snapshot(): PeersState } | undefined;
  readonly gossip?: { snapshot(): GossipState } | undefined;
}

/** The part of the snapshot of Peers that has metrics. */
export interface PeersState {
  readonly inbound: number;
  readonly outbound: number;
  readonly peers: readonly { readonly persistent: boolean }[];
}

/** The part of the snapshot of Gossip that has metrics. */
export interface GossipState {
  readonly topics: readonly TopicState[];
}

/** The part of the snapshot of a topic that has metrics. */
export interface TopicState {
  readonly topic: string;
  readonly key: string;
  readonly life: number;
  readonly neighbors: readonly string[];
  readonly duplicates: number;
  readonly dropped: Readonly<Partial<Record<string, number>>>;
}
