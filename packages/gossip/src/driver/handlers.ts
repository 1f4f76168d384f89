// The handlers of gossip's protocol: each charges the peer for the work that its message causes,
// finds the member behind the connection, and hands the message to the part that processes it.

import type { Handlers } from '@trunkline/transport-core';
import { charge } from '@trunkline/transport-core/internal';
import type { gossipProtocol } from '../protocol.ts';
import type { RelayDriver } from '../relay/factory.ts';
import { isSignedPush } from '../wire/frame.ts';
import type { ConnectedMembers } from './connected-members.ts';
import type { Interests } from './interests.ts';
import type { TopicInbox } from './topic-inbox.ts';
import type { Walker } from './walker.ts';

/** The parts that take the messages of peers. */
export interface HandlerParts {
  readonly members: Pick<ConnectedMembers, 'of' | 'mustBe'>;
  readonly inbox: TopicInbox;
  readonly interests: Interests;
  readonly walker: Walker;
  /** Relays long messages; undefined if this node relays nothing. */
  readonly relays: RelayDriver | undefined;
  /** This node's topics. */
  readonly sessions: { readonly size: number };
  /** Takes a receipt from a peer with this node id. */
  readonly receipt: (receipt: Uint8Array, from: string) => void;
}

/** Returns the handlers of gossip's protocol. */
export function handlers(parts: HandlerParts): Handlers<typeof gossipProtocol> {
  const { members, inbox, interests, walker, relays, sessions, receipt } = parts;
  return {
    push: (request, rpc) => {
      charge(rpc, pushWork(request));
      inbox.pushed(request, rpc);
    },
    control: (request, rpc) => {
      charge(rpc, CONTROL + (request.length >> CONTROL_SHIFT));
      inbox.controlled(request, rpc.from);
    },
    view: (request, rpc) => {
      charge(rpc, VIEW);
      inbox.viewed(request, rpc.from);
    },
    terms: (request, rpc) => {
      charge(rpc, NUMBERS);
      inbox.told(request, rpc.from);
    },
    interest: ({ seq, empty }, rpc) => {
      charge(rpc, NUMBERS);
      inbox.settle();
      const peer = members.of(rpc.from);
      if (peer !== undefined) interests.heard(peer, seq, empty);
    },
    pull: (question, rpc) => {
      charge(rpc, LIST * (1 + sessions.size));
      return interests.answer(members.mustBe(rpc.from), question);
    },
    ask: (question, rpc) => {
      charge(rpc, LIST * (1 + sessions.size));
      return walker.answer(members.mustBe(rpc.from), question);
    },
    relay:
      relays &&
      ((request, rpc) => {
        charge(rpc, RELAY);
        return relays.receive(members.mustBe(rpc.from).nodeId, request, rpc.upload);
      }),
    receipt: (request, rpc) => {
      charge(rpc, RECEIPT);
      const peer = members.of(rpc.from);
      if (peer !== undefined) receipt(request, peer.nodeId);
    },
  };
}

/**
 * Returns the work units of a message. They are charged when it arrives, so the units of one turn
 * limit the number of messages that wait for the end of the tick.
 */
function pushWork(request: Uint8Array): number {
  return PUSH + (request.length >> PUSH_SHIFT) + (isSignedPush(request) ? SIGNATURE : 0);
}

// Work units of messages, in addition to those for their bytes (docs/wire-gossip.md). One unit is
// about 0.1 to 0.2 µs, measured like the units of core's session-context.ts.

/**
 * Units for a message, in addition to the 9 that core charges for its frame and its handler, and to
 * one unit for each 64 bytes. A message of 256 bytes then costs 17. Receiving, keeping and
 * delivering it takes 0.8 µs, and each of the few neighbors to which it is passed on 0.5 µs.
 */
const PUSH = 4;
const PUSH_SHIFT = 6;
/** Units for verifying a signature, which takes 130 µs in Node and up to 3 ms in a browser. */
const SIGNATURE = 512;
/**
 * Units for a control message. In addition, one unit for each 4 bytes, which makes 11 units for
 * each message id.
 */
const CONTROL = 16;
const CONTROL_SHIFT = 2;
/** Units for a message between views, which may cause answers and dials. */
const VIEW = 384;
/** Units for a message with a few numbers as JSON: `interest` or `terms`. */
const NUMBERS = 64;
/**
 * Units for a request for topics or nodes; the same number is added for each topic of this node.
 */
const LIST = 64;
/** Units for a relayed message, including the verification of its signature if it has one. */
const RELAY = 512;
const RECEIPT = 8;
