// The options, inputs and outputs of the Raft state machine, as its driver sees them.

import type {
  AppendRequest,
  InstallRequest,
  Save,
  Saved,
  Snapshot,
  VoteRequest,
} from './messages.ts';

/** The options of one Raft state machine. */
export interface RaftOptions {
  /** The address of this node. */
  readonly id: string;
  /** The addresses of all nodes, including this one. */
  readonly members: readonly string[];
  /**
   * Milliseconds without a leader after which a node stands for election: each node waits between
   * this time and twice this time.
   */
  readonly electionTimeout: number;
  /** Milliseconds between a leader's heartbeats; several must fit into one election timeout. */
  readonly heartbeat: number;
  /** The state that the node had saved; omitted on its first start. */
  readonly saved?: Saved | undefined;
}

/**
 * A request for another node. The driver passes the same object back with the answer, or to
 * `failed` if there will be none.
 */
export type Message =
  | { readonly method: 'requestVote'; readonly to: string; readonly request: VoteRequest }
  | { readonly method: 'appendEntries'; readonly to: string; readonly request: AppendRequest }
  | {
      readonly method: 'installSnapshot';
      readonly to: string;
      readonly request: InstallRequest;
      readonly data: Uint8Array;
    };

/**
 * The actions to perform, in this order. Nothing else may happen before `save` is on disk; replies
 * returned meanwhile must wait for it, too.
 */
export interface Outputs {
  save: Save | undefined;
  messages: Message[];
  /** Replaces the state machine's content. */
  restore: Snapshot | undefined;
  /** Committed entries, each exactly once and in order, without no-ops. */
  apply: { index: number; term: number; command: Uint8Array }[];
  /** The index up to which everything is applied afterwards. */
  applied: number;
}

export interface Status {
  role: 'follower' | 'candidate' | 'leader';
  term: number;
  /** The leader of this term, as far as the node knows. */
  leader: string | undefined;
  /** The log is committed up to this index. */
  commit: number;
  /** The last entry that the log no longer contains, and the last that it contains. */
  base: number;
  last: number;
}
