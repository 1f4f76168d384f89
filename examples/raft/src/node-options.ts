// The options of a Raft node, the state machine that it replicates, and its events.

import type { Transport } from '@trunkline/transport-core';
import type { RaftProtocol } from './messages.ts';
import type { Status } from './raft-io.ts';
import type { RaftStorage } from './storage.ts';

export interface RaftNodeOptions {
  /** A transport that is already listening. It stays the caller's: the node never closes it. */
  readonly transport: Transport<RaftProtocol>;
  /**
   * The targets of all nodes, including this one: addresses, with 'nodeId@' in front if ids are
   * proven. All nodes have the same list.
   */
  readonly members: readonly string[];
  /** The entry of `members` for this node. Default: the advertised address of its transport. */
  readonly id?: string | undefined;
  readonly machine: StateMachine;
  /** The storage that outlives the node. */
  readonly storage: RaftStorage;
  /**
   * Milliseconds without a leader before a node stands for election; each node waits between this
   * time and twice this time. Default: 300.
   */
  readonly electionTimeout?: number | undefined;
  /**
   * Milliseconds between heartbeats. Default: 60, so that a few may be lost before a node stands
   * for election.
   */
  readonly heartbeat?: number | undefined;
  /** Entries applied between two snapshots. Default: 1,000. */
  readonly snapshotEvery?: number | undefined;
  /**
   * Entries that stay in the log behind a snapshot, for nodes that lag a little. Default: half of
   * `snapshotEvery`.
   */
  readonly keep?: number | undefined;
  /** Receives events, for monitoring; it must not throw. */
  readonly onEvent?: ((event: RaftEvent) => void) | undefined;
}

/**
 * A deterministic state machine: equal commands in equal order give equal results, content and
 * snapshots on every node.
 */
export interface StateMachine {
  /**
   * Applies a committed command and returns its result. An invalid command must also have a result,
   * because an exception stops the node.
   */
  apply(command: Uint8Array): Uint8Array;
  /** Returns the whole content. */
  snapshot(): Uint8Array;
  /** Replaces the whole content. */
  restore(snapshot: Uint8Array): void;
}

export type RaftEvent =
  | { readonly type: 'role'; readonly status: Status }
  | {
      readonly type: 'restored';
      readonly index: number;
      readonly bytes: number;
      readonly from: 'disk' | 'leader';
    }
  | { readonly type: 'failed'; readonly error: unknown };
