// Hands messages that peers send on a topic to that topic.

import type { Peers } from '@trunkline/peers';
import type { Clock, Handlers, Remote } from '@trunkline/transport-core';
import { charge, ownContext } from '@trunkline/transport-core/internal';
import type { gossipProtocol } from '../protocol.ts';
import type { RelayDriver } from '../relay/factory.ts';
import type { TopicTerms } from '../topics/differences.ts';
import type { TopicSession } from '../topics/topic-session.ts';
import {
  decodeControl,
  decodePush,
  encodeReceipt,
  type Envelope,
  isSignedPush,
} from '../wire/frame.ts';
import type { Interests } from './interests.ts';
import type { ConnectedMember, ConnectedMembers } from './members.ts';
import type { Walker } from './walker.ts';

export interface TopicInboxInit {
  readonly clock: Pick<Clock, 'now' | 'defer'>;
  readonly peers: Pick<Peers, 'learn'>;
  /** Reports that a peer misbehaved. */
  readonly report: (nodeId: string) => void;
  readonly members: Pick<ConnectedMembers, 'of' | 'acknowledge'>;
  readonly interests: Pick<Interests, 'remind'>;
  /** This node's topics, by their keys in hex. */
  readonly sessions: ReadonlyMap<string, TopicSession>;
}

/** The call that carries a message. */
interface Call {
  readonly from: Remote;
}

/** A received message between partial views. */
interface View {
  readonly topic: string;
  readonly message: unknown;
  readonly addresses?: unknown;
  readonly life?: number | undefined;
}

export class TopicInbox {
  readonly #init: TopicInboxInit;
  readonly #arrivals: Arrivals<ConnectedMember, Call>;
  /** The time at the start of this tick; undefined until it is asked for. */
  #tick: number | undefined = undefined;
  /** The session of the last message; the next message is usually for the same one. */
  #last: TopicSession | undefined = undefined;
  /** The origin of the last message, whichever peer sent it. */
  #origin: string | undefined = undefined;

  constructor(init: TopicInboxInit) {
    this.#init = init;
    this.#arrivals = new Arrivals(init.clock, (request, peer, call) =>
      this.#take(request, peer, call),
    );
  }

  pushed(request: Uint8Array, call: Call): void {
    const peer = this.#init.members.of(call.from);
    if (peer !== undefined) this.#arrivals.add(request, peer, call);
  }

  /** Processes the messages pushed so far, because something else arrived after them. */
  settle(): void {
    this.#arrivals.flush();
  }

  #take(request: Uint8Array, peer: ConnectedMember, call: Call): void {
    const envelope = decodePush(request);
    if (envelope === undefined) return this.#init.report(peer.nodeId);
    if (envelope.id.origin !== this.#origin) charge(call, OTHER_ORIGIN);
    this.#origin = envelope.id.origin;
    const session = this.#sessionOf(envelope.topic);
    if (session?.isMember !== true) this.#misled(peer.nodeId, envelope);
    else session.pushed(peer.nodeId, envelope, this.#now());
  }

  /** Processes a peer's terms on a topic: its overlay and its message size limit. */
  told(
    {
      topic,
      overlay,
      limit,
      life,
    }: TopicTerms & { readonly topic: string; readonly life?: number | undefined },
    from: Remote,
  ): void {
    this.settle();
    const peer = this.#init.members.of(from);
    const session = this.#init.sessions.get(topic);
    if (peer === undefined || session === undefined) return;
    if (life !== undefined) session.outlived(peer.nodeId, life);
    const terms = { overlay, limit };
    session.compare(this.#now(), { type: 'announced', peer: peer.nodeId, terms });
  }

  #misled(from: string, { topic, id, isAsked }: Envelope): void {
    this.#init.interests.remind(from);
    if (isAsked && from === id.origin)
      this.#init.members.acknowledge(from, encodeReceipt({ topic, id, verdict: 'not-on-topic' }));
  }

  #sessionOf(topic: string): TopicSession | undefined {
    if (this.#last?.key.hex !== topic || this.#last.isOver)
      this.#last = this.#init.sessions.get(topic);
    return this.#last;
  }

  controlled(request: Uint8Array, from: Remote): void {
    this.settle();
    const { sessions } = this.#init;
    const peer = this.#init.members.of(from);
    const decoded = decodeControl(request);
    if (peer === undefined) return;
    if (decoded === undefined) return this.#init.report(peer.nodeId);
    const input = { type: 'received', from: peer.nodeId, message: decoded.control } as const;
    sessions.get(decoded.topic)?.feed(this.#now(), input);
  }

  viewed({ topic, message, addresses, life }: View, from: Remote): void {
    this.settle();
    const { peers, sessions } = this.#init;
    const peer = this.#init.members.of(from);
    const session = sessions.get(topic);
    if (peer === undefined || session?.isMember !== true) return;
    const now = this.#now();
    if (life !== undefined) session.outlived(peer.nodeId, life);
    peer.messageAddresses.heard(addresses, peer.nodeId, peers, now);
    session.feed(now, { type: 'viewed', from: peer.nodeId, message });
  }

  /**
   * The time of this tick. Reading the clock for each message would cost as much as decoding it.
   */
  #now(): number {
    if (this.#tick === undefined) {
      this.#tick = this.#init.clock.now();
      this.#init.clock.defer(this.#tickOver);
    }
    return this.#tick;
  }

  readonly #tickOver = (): void => {
    this.#tick = undefined;
  };
}

/**
 * The work units of a message of another origin than the last message, in addition to those that
 * its handler charges, because a peer may forge an origin that this node does not know yet with
 * each message. They are charged at the end of the tick, when the message is decoded: reading the
 * origin as soon as a message arrives would cost a tenth of its time.
 */
const OTHER_ORIGIN = 24;

// The handlers of gossip's protocol: each charges the peer for the work that its message causes,
// finds the member behind the connection, and hands the message to the part that processes it.

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

// Collects the messages of a tick in order, so that all messages of a chunk are read before the
// first is processed. The code for reading and the code for delivering each fill about a
// processor's cache; if they alternate, each evicts the other. Doing one after the other takes 0.88
// times as long.

/** Consecutive messages from one peer, and the first of their calls. */
interface Run<P, C> {
  readonly peer: P;
  readonly call: C;
  readonly requests: Uint8Array[];
}

export class Arrivals<P, C> {
  readonly #clock: Pick<Clock, 'defer'>;
  readonly #take: (request: Uint8Array, peer: P, call: C) => void;
  #runs: Run<P, C>[] = [];
  #last: Run<P, C> | undefined = undefined;
  #isDeferred = false;
  /** Runs work in the context of the program that created gossip. */
  readonly #inContext = ownContext.capture();

  /** @param take is called with each message at the end of the tick; it must not throw */
  constructor(clock: Pick<Clock, 'defer'>, take: (request: Uint8Array, peer: P, call: C) => void) {
    this.#clock = clock;
    this.#take = take;
  }

  add(request: Uint8Array, peer: P, call: C): void {
    if (this.#last?.peer === peer) this.#last.requests.push(request);
    else this.#runs.push((this.#last = { peer, call, requests: [request] }));
    if (this.#isDeferred) return;
    this.#isDeferred = true;
    this.#clock.defer(this.#tickOver);
  }

  /** Hands over the collected messages now, because something else arrived after them. */
  flush(): void {
    if (this.#last === undefined) return;
    const runs = this.#runs;
    this.#runs = [];
    this.#last = undefined;
    this.#inContext(() => {
      for (const { peer, call, requests } of runs)
        for (let i = 0; i < requests.length; i++) this.#take(requests[i]!, peer, call);
    });
  }

  readonly #tickOver = (): void => {
    this.#isDeferred = false;
    this.flush();
  };
}
