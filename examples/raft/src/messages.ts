// The protocol between Raft nodes and with their clients, its messages, and the data on disk: one
// protobuf schema, and a type and a codec for each message in it.

import { bytes, defineProtocol } from '@trunkline/transport-core';
import { protobuf } from '@trunkline/transport-core/protobuf';
import pb from 'protobufjs';

const { root } = pb.parse(
  `
  syntax = "proto3";
  package raft;

  message Entry { uint32 term = 1; bytes command = 2; }  // an empty command is the no-op that opens a leader's term

  message VoteRequest { uint32 term = 1; string candidate = 2; uint32 last_index = 3; uint32 last_term = 4; bool pre_vote = 5; }
  message VoteReply { uint32 term = 1; bool granted = 2; }

  message AppendRequest { uint32 term = 1; string leader = 2; uint32 prev_index = 3; uint32 prev_term = 4; repeated Entry entries = 5; uint32 commit = 6; }
  message AppendReply { uint32 term = 1; bool success = 2; uint32 match = 3; uint32 conflict_index = 4; uint32 conflict_term = 5; }

  message InstallRequest { uint32 term = 1; string leader = 2; uint32 index = 3; uint32 index_term = 4; uint32 size = 5; }  // the snapshot itself is the upload
  message InstallReply { uint32 term = 1; }

  message Saved { uint32 term = 1; string voted_for = 2; uint32 base_index = 3; uint32 base_term = 4; uint32 last_index = 5; }
  message Snapshot { uint32 index = 1; uint32 term = 2; bytes data = 3; }
  `,
);

/**
 * A command in the log, and the term in which a leader accepted it. An empty command is a no-op and
 * is never applied.
 */
export interface Entry {
  term: number;
  command: Uint8Array;
}

/** A position in the log: the index of an entry and its term. */
export interface Position {
  index: number;
  term: number;
}

export interface VoteRequest {
  /** The term of the candidate; in a pre-vote, the term in which it would become a candidate. */
  term: number;
  candidate: string;
  lastIndex: number;
  lastTerm: number;
  preVote: boolean;
}
export interface VoteReply {
  term: number;
  granted: boolean;
}

/**
 * Appends entries; without entries it is a heartbeat. Indices begin at 1: 0 is before the first
 * entry, with term 0.
 */
export interface AppendRequest {
  term: number;
  leader: string;
  prevIndex: number;
  prevTerm: number;
  entries: Entry[];
  commit: number;
}
export interface AppendReply {
  term: number;
  success: boolean;
  /** On success: the follower's log equals the leader's up to this index. */
  match: number;
  /**
   * On failure: the index at which the follower's conflicting term begins, or the index after the
   * end of its log.
   */
  conflictIndex: number;
  /** On failure: the conflicting term; 0 if the log is too short. */
  conflictTerm: number;
}

/** Announces a snapshot of `size` bytes, which covers everything up to the entry at `index`. */
export interface InstallRequest {
  term: number;
  leader: string;
  index: number;
  indexTerm: number;
  size: number;
}
export interface InstallReply {
  term: number;
}

/**
 * A request of a node for another one. The driver passes the same object back with the answer, or
 * to `failed` if there will be none.
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
 * The part of `Saved` that is stored under one key; entries and snapshot have keys of their own.
 */
export interface SavedState {
  term: number;
  /** '' means nobody. */
  votedFor: string;
  baseIndex: number;
  baseTerm: number;
  lastIndex: number;
}

/** The state machine's content after all entries up to `index`, of term `term`. */
export interface Snapshot {
  index: number;
  term: number;
  data: Uint8Array;
}

/** Everything that a node must still know after a crash. */
export interface Saved {
  term: number;
  /** '' means nobody. */
  votedFor: string;
  /** The last entry that the log no longer contains. */
  base: Position;
  entries: Entry[];
  snapshot?: Snapshot | undefined;
}

/**
 * The data to save. It replaces everything saved, except the entries before `first` and, if
 * `snapshot` is missing, the old snapshot.
 */
export interface Save extends Saved {
  /** The index of `entries[0]`; entries saved from there on are void. */
  first: number;
  /** The index of the log's last entry. */
  last: number;
}

export const entry = codec<Entry>('Entry');
export const voteRequest = codec<VoteRequest>('VoteRequest');
export const voteReply = codec<VoteReply>('VoteReply');
export const appendRequest = codec<AppendRequest>('AppendRequest');
export const appendReply = codec<AppendReply>('AppendReply');
export const installRequest = codec<InstallRequest>('InstallRequest');
export const installReply = codec<InstallReply>('InstallReply');
export const savedState = codec<SavedState>('Saved');
export const snapshot = codec<Snapshot>('Snapshot');

/** The protocol between Raft nodes, and between clients and nodes. */
export const raftProtocol = defineProtocol({
  name: 'raft',
  version: 1,
  channel: 0x20,
  methods: {
    requestVote: { id: 1, request: voteRequest, response: voteReply },
    appendEntries: { id: 2, request: appendRequest, response: appendReply },
    /**
     * Sends a snapshot. It is streamed, so its size is not limited by a message, and heartbeats
     * overtake it. The timeout limits each wait for progress.
     */
    installSnapshot: {
      id: 3,
      request: installRequest,
      upload: bytes,
      response: installReply,
      timeout: 5_000,
    },
    /**
     * Proposes a command for the state machine, from any client; the response is its result. A node
     * that is not the leader names the leader in `metadata.leader`.
     */
    propose: { id: 4, request: bytes, response: bytes },
  },
});

export type RaftProtocol = typeof raftProtocol;

function codec<T>(name: string) {
  return protobuf<T>(root.lookupType(`raft.${name}`));
}
