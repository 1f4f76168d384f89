// Takes the messages of peers, and hands those on a topic to that topic.

import type { Clock, Handlers, Remote } from '@trunkline/transport-core';
import { charge, ownContext } from '@trunkline/transport-core/internal';
import type { gossipProtocol } from '../protocol.ts';
import type { RelayDriver } from '../relay/factory.ts';
import type { TopicSession } from '../topics/topic-session.ts';
import {
  decodeControl,
  decodePush,
  decodeReceipt,
  type Envelope,
  encodeReceipt,
  isSignedPush,
} from '../wire/frame.ts';
import type { Interests } from './interests.ts';
import type { ConnectedMember, DriverParts } from './members.ts';
import { learnAddresses } from './view-messages.ts';
import type { Walker } from './walker.ts';

interface TopicInboxInit extends DriverParts {
  readonly interests: Interests;
  readonly walker: Walker;
  /** Relays long messages; undefined if this node relays nothing. */
  readonly relays: RelayDriver | undefined;
  /** Reports that a peer misbehaved. */
  readonly report: (nodeId: string) => void;
}

/** The call that carries a message. */
interface Call {
  readonly from: Remote;
}

/**
 * The handlers of gossip's protocol. Each charges the peer for the work that its message causes,
 * finds the member behind the connection, and hands the message to the part that processes it.
 */
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
    this.#arrivals = new Arrivals(init.mount.clock, (request, peer, call) =>
      this.#pushed(request, peer, call),
    );
  }

  handlers(): Handlers<typeof gossipProtocol> {
    const { members, interests, walker, relays, sessions, peers, report } = this.#init;
    return {
      push: (request, rpc) => {
        charge(rpc, pushWork(request));
        const peer = members.of(rpc.from);
        if (peer !== undefined) this.#arrivals.add(request, peer, rpc);
      },
      control: (request, rpc) => {
        charge(rpc, CONTROL + (request.length >> CONTROL_SHIFT));
        const peer = this.#next(rpc.from);
        const decoded = decodeControl(request);
        if (peer === undefined) return;
        if (decoded === undefined) return report(peer.nodeId);
        const input = { type: 'received', from: peer.nodeId, message: decoded.control } as const;
        sessions.get(decoded.topic)?.feed(this.#now(), input);
      },
      view: ({ topic, message, addresses, life }, rpc) => {
        charge(rpc, VIEW);
        const peer = this.#next(rpc.from);
        const session = sessions.get(topic);
        if (peer === undefined || session?.isMember !== true) return;
        const now = this.#now();
        if (life !== undefined) session.outlived(peer.nodeId, life);
        learnAddresses(addresses, peer.nodeId, peers, peer.limits.addresses, now);
        session.feed(now, { type: 'viewed', from: peer.nodeId, message });
      },
      terms: ({ topic, life, ...terms }, rpc) => {
        charge(rpc, NUMBERS);
        const peer = this.#next(rpc.from);
        const session = sessions.get(topic);
        if (peer === undefined || session === undefined) return;
        if (life !== undefined) session.outlived(peer.nodeId, life);
        session.differences.announced(peer.nodeId, terms, this.#now());
      },
      interest: ({ seq, empty }, rpc) => {
        charge(rpc, NUMBERS);
        const peer = this.#next(rpc.from);
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
        const from = members.of(rpc.from)?.nodeId;
        if (from === undefined) return;
        const receipt = decodeReceipt(request);
        if (receipt === undefined) return report(from);
        const { topic, id, verdict } = receipt;
        if (verdict === undefined) relays?.confirmed(receipt, from);
        else sessions.get(topic)?.publisher.receipt(id, from, verdict);
      },
    };
  }

  #pushed(request: Uint8Array, peer: ConnectedMember, call: Call): void {
    const envelope = decodePush(request);
    if (envelope === undefined) return this.#init.report(peer.nodeId);
    if (envelope.id.origin !== this.#origin) charge(call, OTHER_ORIGIN);
    this.#origin = envelope.id.origin;
    const session = this.#sessionOf(envelope.topic);
    if (session?.isMember !== true) this.#misled(peer.nodeId, envelope);
    else session.pushed(peer.nodeId, envelope, this.#now());
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

  /**
   * Processes the messages pushed so far, because something else arrived after them. Returns the
   * peer that sent it.
   */
  #next(from: Remote): ConnectedMember | undefined {
    this.#arrivals.flush();
    return this.#init.members.of(from);
  }

  /**
   * The time of this tick. Reading the clock for each message would cost as much as decoding it.
   */
  #now(): number {
    if (this.#tick === undefined) {
      const { clock } = this.#init.mount;
      this.#tick = clock.now();
      clock.defer(this.#tickOver);
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
