// Hands messages that peers send on a topic to that topic.

import type { Peers } from '@trunkline/peers';
import type { Clock, Remote } from '@trunkline/transport-core';
import { charge } from '@trunkline/transport-core/internal';
import type { TopicTerms } from '../topics/differences.ts';
import type { TopicSession } from '../topics/topic-session.ts';
import { decodeControl, decodePush, type Envelope } from '../wire/frame.ts';
import { encodeReceipt } from '../wire/relay-frames.ts';
import { Arrivals } from './arrivals.ts';
import type { ConnectedMember, ConnectedMembers } from './connected-members.ts';
import type { Interests } from './interests.ts';

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
 * The work units of a message of another origin than the last message, in addition to those in
 * handlers.ts, because a peer may forge an origin that this node does not know yet with each
 * message. They are charged at the end of the tick, when the message is decoded: reading the origin
 * as soon as a message arrives would cost a tenth of its time.
 */
const OTHER_ORIGIN = 24;
