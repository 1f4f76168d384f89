// The protocol between Raft nodes, and between clients and nodes.

import { bytes, defineProtocol } from '@trunkline/transport-core';
import {
  appendReply,
  appendRequest,
  installReply,
  installRequest,
  voteReply,
  voteRequest,
} from './messages.ts';

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
