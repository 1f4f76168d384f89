// The parts of a node whose state tools see. Peers, Gossip and a logger of pino fit these
// interfaces.

import type { AnyTransport, Remote } from '@trunkline/transport-core';

/** The parts of a node; those that a node does not have are left out. */
export interface AdminSources {
  readonly transport: AnyTransport;
  readonly peers?: PeersSource | undefined;
  readonly gossip?: GossipSource | undefined;
  /**
   * The logger whose level tools may set, unless `readonly`: a logger of pino, or any object with a
   * property `level`.
   */
  readonly log?: { level: string } | undefined;
}

/** The part of Peers that this package uses. */
export interface PeersSource {
  readonly nodeId: string;
  list(): readonly PeerSource[];
  events(): AsyncIterableIterator<unknown>;
  ban(nodeId: string, time?: number, why?: string): void;
  unban(nodeId: string): void;
}

/** The part of a PeerInfo that tools see. */
export interface PeerSource {
  readonly nodeId: string;
  readonly proven: boolean;
  readonly persistent: boolean;
  readonly direction: 'in' | 'out';
  readonly score: number;
  readonly instance: string;
  readonly addr?: string | undefined;
  readonly rtt?: number | undefined;
  readonly status?: unknown;
  readonly remote: Remote;
}

/** The part of Gossip that this package uses. */
export interface GossipSource {
  snapshot(): { readonly topics: readonly TopicSource[] };
  events(): AsyncIterableIterator<unknown>;
}

/** The part of the snapshot of a topic that tools see. */
export interface TopicSource {
  readonly topic: string;
  readonly key: string;
  readonly overlay: string;
  readonly life: number;
  readonly neighbors: readonly string[];
  readonly interested: number;
  readonly published: number;
  readonly delivered: number;
  readonly duplicates: number;
  readonly dropped: Readonly<Partial<Record<string, number>>>;
  readonly readers: readonly {
    readonly waiting: number;
    readonly bytes: number;
    readonly missed: number;
  }[];
  readonly details: unknown;
}
