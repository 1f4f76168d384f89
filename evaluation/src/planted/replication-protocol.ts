// The messages of the replicated register, and the bugs that can be planted in it.

import { defineProtocol, json } from '@trunkline/transport-core';
import { z } from 'zod';

/** The bugs, and what each does. */
export const REPLICATION_BUGS = {
  commitsEarly: 'the primary executes an operation before a quorum has it',
  startViewWithoutCommit:
    'a view starts without a commit number, so all of its log counts as committed',
  longestLog: 'a view starts with the longest log, not with that of the last normal view',
  answersInOldView: 'a replica that votes for a view still acknowledges operations of the old one',
  stalePrepare: 'a Prepare of an older view is accepted',
  noClientTable: 'without a client table, a request that is repeated is executed again',
  tableOnPrimary: 'only the primary fills the client table, so a new primary has an empty one',
  recoversFromAny: 'a replica recovers with the first log that it gets, not with the primary’s',
  recoversWithoutNonce: 'a replica recovers with answers to a recovery of an earlier life',
  recoveringVotes: 'a replica takes part in a view change before it has recovered',
  storeUnsynced:
    'a replica does not sync its life and view, so after a crash it starts as a new one',
  votesKept: 'the votes of a view change still count in the next one',
  gapAccepted: 'a replica accepts an operation although it lacks an earlier one',
  localReads: 'a primary reads without a quorum, although another one may have followed',
  evenQuorum: 'a quorum is half of the replicas, rounded up',
} as const;

export type ReplicationBug = keyof typeof REPLICATION_BUGS;

export type Command =
  | { readonly op: 'get' }
  | { readonly op: 'set'; readonly value: string }
  | { readonly op: 'cas'; readonly expected: string | null; readonly value: string };
/** The value before the command; of `cas`, whether it has set the value. */
export type Result = string | null | boolean;

export interface Request {
  readonly client: string;
  readonly number: number;
  readonly command: Command;
}
export interface Message {
  readonly from: string;
  readonly view: number;
}
export interface Position extends Message {
  readonly op: number;
}
export interface Progress extends Position {
  readonly commit: number;
}
export interface Log extends Message {
  readonly log: readonly Request[];
  readonly commit: number;
}
export interface Vote extends Log {
  readonly lastNormal: number;
}
export interface Recovery extends Message {
  readonly nonce: number;
}

export const replication = defineProtocol({
  name: 'replication',
  version: 1,
  channel: 0x20,
  methods: {
    /** No result: the replica is not the primary, or no longer. */
    execute: {
      id: 1,
      request: json(z.custom<Request>()),
      response: json(z.custom<{ readonly view: number; readonly result?: Result }>()),
      timeout: 300,
    },
    prepare: { id: 2, request: json(z.custom<Progress & { readonly entry: Request }>()) },
    prepareOk: { id: 3, request: json(z.custom<Position>()) },
    commit: { id: 4, request: json(z.custom<Progress>()) },
    getState: { id: 5, request: json(z.custom<Position>()) },
    /** The entries after `op`. */
    newState: { id: 6, request: json(z.custom<Log & Position>()) },
    startViewChange: { id: 7, request: json(z.custom<Message>()) },
    doViewChange: { id: 8, request: json(z.custom<Vote>()) },
    startView: { id: 9, request: json(z.custom<Log>()) },
    recovery: { id: 10, request: json(z.custom<Recovery>()) },
    /** Only the primary sends its log. */
    recoveryResponse: { id: 11, request: json(z.custom<Recovery & Partial<Log>>()) },
  },
});
