// What raft nodes say to one another, and what a client says to them.

import { bytes, defineProtocol } from '@trunkline/transport-core';
import { appendReply, appendRequest, installReply, installRequest, voteReply, voteRequest } from './messages.ts';

export const raftProtocol = defineProtocol({
  name: 'raft',
  version: 1,
  channel: 0x20,
  methods: {
    requestVote: { id: 1, request: voteRequest, response: voteReply },
    appendEntries: { id: 2, request: appendRequest, response: appendReply },
    /** The snapshot is streamed: it is as large as it is, and heartbeats pass it by. The time bounds each wait for progress. */
    installSnapshot: { id: 3, request: installRequest, upload: bytes, response: installReply, timeout: 5_000 },
    /** A command for the state machine, from anyone; answers with its result. Who does not lead says in `metadata.leader` who does. */
    propose: { id: 4, request: bytes, response: bytes },
  },
});

export type RaftProtocol = typeof raftProtocol;
