// The parts of a node whose snapshots provide metrics. Transport, Peers and Gossip fit these
// interfaces.

import type { TransportSnapshot } from '@trunkline/transport-core';

/** The parts of a node to watch; those that a node does not have are left out. */
export interface MetricSources {
  readonly transport?: { snapshot(): TransportSnapshot } | undefined;
  readonly peers?:
    | {
        /** Returns the part of the snapshot of Peers that has metrics. */
        snapshot(): {
          readonly inbound: number;
          readonly outbound: number;
          readonly peers: readonly { readonly persistent: boolean }[];
        };
      }
    | undefined;
  readonly gossip?:
    | {
        /** Returns the part of the snapshot of Gossip that has metrics. */
        snapshot(): {
          readonly topics: readonly {
            readonly topic: string;
            readonly key: string;
            readonly life: number;
            readonly neighbors: readonly string[];
            readonly duplicates: number;
            readonly dropped: Readonly<Partial<Record<string, number>>>;
          }[];
        };
      }
    | undefined;
}

/** The part of the snapshot of Peers that has metrics. */
export type PeersState = ReturnType<NonNullable<MetricSources['peers']>['snapshot']>;
/** The part of the snapshot of Gossip that has metrics. */
export type GossipState = ReturnType<NonNullable<MetricSources['gossip']>['snapshot']>;
/** The part of the snapshot of a topic that has metrics. */
export type TopicState = GossipState['topics'][number];
