// The parts of a node whose snapshots provide metrics. Transport, Peers, Gossip and the parts of
// resilience fit these interfaces. Counts in a snapshot are totals that must not decrease.

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
  /** A balancer of `createBalancer`. */
  readonly balancer?:
    | {
        /** Returns the part of the snapshot of a balancer that has metrics. */
        snapshot(): {
          readonly names: readonly {
            readonly name: string;
            readonly waiting: number;
            readonly addresses: readonly { readonly status: string }[];
          }[];
          readonly events: Readonly<Record<string, number>>;
        };
      }
    | undefined;
  /** Retries of `createRetries`. */
  readonly retries?:
    | {
        /** Returns the part of the snapshot of retries that has metrics. */
        snapshot(): {
          readonly retries: number;
          readonly hedges: number;
          readonly throttled: number;
          readonly pushbacks: number;
        };
      }
    | undefined;
  /** A breaker of `createCircuitBreaker`. */
  readonly breaker?:
    | {
        readonly opened: number;
        readonly refused: number;
        /** Returns the part of the snapshot of a breaker that has metrics. */
        snapshot(): readonly { readonly state: string }[];
      }
    | undefined;
  /** The admission control of a server, of `createAdmission`. */
  readonly admission?:
    | {
        /** Returns the part of the snapshot of an admission control that has metrics. */
        snapshot(): {
          readonly limit: number;
          readonly running: number;
          readonly waiting: number;
          readonly admitted: number;
          readonly refused: number;
        };
      }
    | undefined;
  /** The limit of a client, of `createConcurrencyLimit`. */
  readonly concurrency?:
    | {
        /** Returns the part of the snapshot of a limit that has metrics. */
        snapshot(): {
          readonly limit: number;
          readonly inFlight: number;
          readonly refused: number;
        };
      }
    | undefined;
  /** A handler of `resumable`. */
  readonly resumable?:
    | {
        readonly streams: number;
        readonly bytes: number;
        readonly counts: Readonly<Record<string, number>>;
      }
    | undefined;
}

/** The part of the snapshot of Peers that has metrics. */
export type PeersState = ReturnType<NonNullable<MetricSources['peers']>['snapshot']>;
/** The part of the snapshot of Gossip that has metrics. */
export type GossipState = ReturnType<NonNullable<MetricSources['gossip']>['snapshot']>;
/** The part of the snapshot of a topic that has metrics. */
export type TopicState = GossipState['topics'][number];
