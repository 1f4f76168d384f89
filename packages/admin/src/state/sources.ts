// The parts of a node whose state tools see. Peers, Gossip and a logger of pino fit these
// interfaces.

import type { AnyTransport, Remote } from '@trunkline/transport-core';

/** The parts of a node; those that a node does not have are left out. */
export interface AdminSources {
  readonly transport: AnyTransport;
  /** The node's `Peers`. */
  readonly peers?:
    | {
        readonly nodeId: string;
        /** Returns the part of each PeerInfo that tools see. */
        list(): readonly {
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
        }[];
        events(): AsyncIterableIterator<unknown>;
        ban(nodeId: string, time?: number, why?: string): void;
        unban(nodeId: string): void;
      }
    | undefined;
  /** The node's `Gossip`. */
  readonly gossip?:
    | {
        /** Returns the part of the snapshot of each topic that tools see. */
        snapshot(): {
          readonly topics: readonly {
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
          }[];
        };
        events(): AsyncIterableIterator<unknown>;
      }
    | undefined;
  /**
   * The logger whose level tools see, and may set unless `readonly`: a logger of pino, or any
   * object whose property `level` is a string.
   */
  readonly log?: { level: string } | undefined;
}

/** The part of Peers that this package uses. */
export type PeersSource = NonNullable<AdminSources['peers']>;
/** The part of a PeerInfo that tools see. */
export type PeerSource = ReturnType<PeersSource['list']>[number];
/** The part of the snapshot of a topic that tools see. */
export type TopicSource = ReturnType<
  NonNullable<AdminSources['gossip']>['snapshot']
>['topics'][number];
