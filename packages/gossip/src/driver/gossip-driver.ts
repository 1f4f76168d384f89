// Connects the topics to a transport and its peers: it hands incoming messages to the topics, sends
// what they send, and wakes them with a single timer. It owns the sessions and all other parts of
// the driver. Tested through whole nodes: ../gossip.test.ts, ../close.test.ts, ../work.test.ts and
// others.

import {
  type Clock,
  type Codec,
  type Handlers,
  type Random,
  type Remote,
  type Server,
  serve,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';
import { systemWall } from '@trunkline/transport-core/backend';
import {
  charge,
  DeadlineTimer,
  EventHub,
  messageLimit,
  ownContext,
  type Reporter,
  serviceOf,
  unsentOf,
} from '@trunkline/transport-core/internal';
import type { GossipConfig } from '../options.ts';
import type { Body, OverlayFactory } from '../overlay/overlay.ts';
import type { Push } from '../plumtree/message.ts';
import { gossipProtocol, MOST_TOPICS, type TopicKey } from '../protocol.ts';
import { Signatures } from '../signatures/signatures.ts';
import type { GossipSnapshot } from '../snapshots.ts';
import type { TopicConfig } from '../topics/options.ts';
import type { TopicContext, TopicNode } from '../topics/topic-context.ts';
import { TopicSession } from '../topics/topic-session.ts';
import type { GossipEvent } from '../types.ts';
import {
  decodeControl,
  decodePush,
  decodeReceipt,
  type Envelope,
  encodeReceipt,
  FRAME_AROUND,
  isSignedPush,
} from '../wire/frame.ts';
import { learnAddresses } from './addresses.ts';
import { Arrivals } from './arrivals.ts';
import { Interests } from './interests.ts';
import { Lives } from './lives.ts';
import { type ConnectedMember, ConnectedMembers, type DriverParts } from './members.ts';
import type { Relays } from './relay-driver.ts';
import { Walker } from './walker.ts';

export class GossipDriver implements TopicNode, DriverParts {
  readonly self: string;
  readonly peers: GossipConfig['peers'];
  readonly clock: Clock;
  readonly random: Random;
  readonly overlay: OverlayFactory;
  readonly signatures: Signatures;
  readonly events = new EventHub<GossipEvent>((missed) => ({ type: 'lagged', missed }));
  readonly reporter: Reporter;
  readonly sessions = new Map<string, TopicSession>();
  readonly longest: number;
  readonly #config: GossipConfig;
  readonly members: ConnectedMembers;
  readonly #timer: DeadlineTimer;
  /** Set by `start`, like the parts that follow; `members` reports nothing before that. */
  mount!: Transport<typeof gossipProtocol>;
  #interests: Interests | undefined = undefined;
  #walker: Walker | undefined = undefined;
  /** Relays long messages; undefined if this node relays nothing. */
  #relays: Relays | undefined = undefined;
  #servers: readonly Server[] = [];
  isStarted = false;
  #isStarting = false;
  #closing: Promise<{ readonly unsent: readonly UnsentMessages[] }> | undefined = undefined;
  readonly #lives: Lives;
  /** The session of the last message; the next message is usually for the same one. */
  #last: TopicSession | undefined = undefined;
  /** The origin of the last message, whichever peer sent it. */
  #origin: string | undefined = undefined;
  /** True if the overlays will be told of distrusted peers at the end of this tick. */
  #isRevising = false;

  constructor(config: GossipConfig) {
    const { transport, peers, overlay } = config;
    this.#config = config;
    this.self = peers.nodeId;
    this.peers = peers;
    this.clock = transport.clock;
    this.random = transport.random;
    this.overlay = overlay;
    this.reporter = serviceOf(transport, 'createGossip').reporter;
    this.longest = Math.max(1, messageLimit(transport) - FRAME_AROUND);
    this.signatures = new Signatures(this.self, config.signatures);
    this.#lives = new Lives({
      wall: config.wall ?? systemWall,
      store: config.store,
      onFailed: (error) => {
        for (const session of this.sessions.values()) session.failed(error);
      },
    });
    this.#timer = new DeadlineTimer(
      this.clock,
      (now) => this.#wake(now),
      // Nothing to do after this process has slept: gossip blames no peer for silence, and messages
      // that arrived meanwhile are read first.
      () => {},
    );
    this.members = new ConnectedMembers(config, this);
  }

  // Life cycle.

  get isKept(): boolean {
    return this.overlay.name !== 'fullMesh' || this.#config.relay !== undefined;
  }

  get isClosed(): boolean {
    return this.#closing !== undefined;
  }

  /**
   * Starts gossip, at once if there is no store. With a store, it first loads the number of this
   * node's life.
   */
  async start(): Promise<void> {
    if (this.isStarted || this.#isStarting || this.isClosed) {
      const text = `gossip.start: it ${this.isClosed ? 'is closed' : 'has started'}`;
      throw new TransportError('failed_precondition', text);
    }
    this.#isStarting = true;
    try {
      if (this.#config.store !== undefined) await this.#lives.load();
    } finally {
      this.#isStarting = false;
    }
    if (this.isClosed)
      throw new TransportError('shutdown', 'gossip.start: it was closed before its store answered');
    this.#run();
  }

  #run(): void {
    const { transport, relay, discovery } = this.#config;
    const mount = transport.mount(gossipProtocol);
    this.mount = mount;
    this.#interests = new Interests(this);
    if (this.overlay.relays) this.#relays = relay?.createDriver(this);
    this.#walker = new Walker(this, discovery, this.overlay.holds);
    this.isStarted = true;
    this.membershipChanged();
    const { push, ...others } = this.#handlers(this.#interests, this.#walker, this.#relays);
    // `Arrivals` enters the context for all messages that arrive together.
    this.#servers = [serve(mount, ownContext.mark({ push })), serve(mount, others)];
    this.members.start();
    for (const session of this.sessions.values()) session.join();
    this.soon();
  }

  close(grace: number): Promise<{ readonly unsent: readonly UnsentMessages[] }> {
    return (this.#closing ??= this.#close(grace));
  }

  /**
   * First no more is published, then what is queued leaves, then all topics are left, which tells
   * neighbors and peers; only then the parts end that these messages need.
   */
  async #close(grace: number): Promise<{ readonly unsent: readonly UnsentMessages[] }> {
    const wasRunning = this.isStarted;
    for (const session of this.sessions.values()) session.publisher.end(CLOSED);
    const unsent = wasRunning ? await this.#flush(grace) : [];
    const sessions = [...this.sessions.values()];
    this.sessions.clear();
    for (const session of sessions) session.end(CLOSED);
    this.membershipChanged();
    this.#interests?.flush();
    this.isStarted = false;
    this.#relays?.close();
    this.#timer.stop();
    this.#walker?.close();
    this.members.close();
    this.events.end();
    await Promise.all(this.#servers.map((server) => server.stop({ grace: 0 })));
    if (wasRunning) await this.mount.close();
    return { unsent };
  }

  /**
   * Resolves when nothing is queued any more, or after `grace` milliseconds. Returns what is still
   * queued.
   */
  async #flush(grace: number): Promise<readonly UnsentMessages[]> {
    for (const due = this.clock.now() + grace; ; ) {
      const unsent = this.#unsent();
      const left = due - this.clock.now();
      if (unsent.length === 0 || left <= 0) return unsent;
      await this.clock.sleep(Math.min(left, LOOK));
    }
  }

  /** Returns what is queued for each peer, in its connection and in the layers above. */
  #unsent(): UnsentMessages[] {
    const unsent: UnsentMessages[] = [];
    for (const { nodeId, outbox } of this.members.all.values()) {
      const remote = this.members.remoteOf(nodeId);
      if (remote === undefined) continue;
      const amounts = [unsentOf(this.mount, remote), outbox.waiting];
      if (this.#relays !== undefined) amounts.push(this.#relays.unsent(nodeId));
      for (const { overlay } of this.sessions.values())
        if (overlay !== undefined) amounts.push(overlay.unsent(nodeId));
      const messages = amounts.reduce((sum, amount) => sum + amount.messages, 0);
      const bytes = amounts.reduce((sum, amount) => sum + amount.bytes, 0);
      if (messages > 0) unsent.push({ nodeId, messages, bytes });
    }
    return unsent;
  }

  // Messages of peers.

  /**
   * The handlers of gossip's protocol. Each charges the peer for the work that its message causes,
   * finds the member behind the connection, and hands the message to the part that processes it.
   */
  #handlers(
    interests: Interests,
    walker: Walker,
    relays: Relays | undefined,
  ): Handlers<typeof gossipProtocol> {
    const { members, sessions } = this;
    const arrivals = new Arrivals<ConnectedMember, Call>(this.clock, (request, peer, call, now) =>
      this.#pushed(request, peer, call, now),
    );
    // Charges for a message other than a push, and processes the messages pushed before it.
    // Returns the peer that sent it.
    const next = (call: Call, units: number) => {
      charge(call, units);
      arrivals.flush();
      return members.of(call.from);
    };
    return {
      push: (request, rpc) => {
        charge(rpc, pushWork(request));
        const peer = members.of(rpc.from);
        if (peer !== undefined) arrivals.add(request, peer, rpc);
      },
      control: (request, rpc) => {
        const peer = next(rpc, CONTROL + (request.length >> CONTROL_SHIFT));
        const decoded = decodeControl(request);
        if (peer === undefined) return;
        if (decoded === undefined) return this.misbehaved(peer.nodeId);
        const input = { type: 'received', from: peer.nodeId, message: decoded.control } as const;
        sessions.get(decoded.topic)?.feed(this.clock.now(), input);
      },
      view: ({ topic, message, addresses, life }, rpc) => {
        const peer = next(rpc, VIEW);
        const session = sessions.get(topic);
        if (peer === undefined || session === undefined) return;
        const now = this.clock.now();
        if (life !== undefined) session.outlived(peer.nodeId, life);
        if (session.isMember)
          learnAddresses(addresses, peer.nodeId, this.peers, peer.limits.addresses, now);
        session.feed(now, { type: 'viewed', from: peer.nodeId, message });
      },
      terms: ({ topic, life, ...terms }, rpc) => {
        const peer = next(rpc, NUMBERS);
        const session = sessions.get(topic);
        if (peer === undefined || session === undefined) return;
        if (life !== undefined) session.outlived(peer.nodeId, life);
        session.differences.announced(peer.nodeId, terms, this.clock.now());
      },
      interest: ({ seq, empty }, rpc) => {
        const peer = next(rpc, NUMBERS);
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
        if (receipt === undefined) return this.misbehaved(from);
        const { topic, id, verdict } = receipt;
        if (verdict === undefined) relays?.confirmed(receipt, from);
        else sessions.get(topic)?.publisher.receipt(id, from, verdict);
      },
    };
  }

  #pushed(request: Uint8Array, peer: ConnectedMember, call: Call, now: number): void {
    const envelope = decodePush(request);
    if (envelope === undefined) return this.misbehaved(peer.nodeId);
    if (envelope.id.origin !== this.#origin) charge(call, OTHER_ORIGIN);
    this.#origin = envelope.id.origin;
    if (this.#last?.key.hex !== envelope.topic || this.#last.isOver)
      this.#last = this.sessions.get(envelope.topic);
    if (this.#last?.isMember !== true) this.#misled(peer.nodeId, envelope);
    else this.#last.pushed(peer.nodeId, envelope, now);
  }

  /** Handles a message on a topic that this node is not on, or only publishes on. */
  #misled(from: string, { topic, id, isAsked }: Envelope): void {
    this.#interests!.remind(from);
    if (isAsked && from === id.origin)
      this.members.acknowledge(from, encodeReceipt({ topic, id, verdict: 'not-on-topic' }));
  }

  // Topics.

  /** Opens a topic that is not open yet. */
  open(key: TopicKey, codec: Codec<unknown, any>, config: TopicConfig): TopicSession {
    if (this.sessions.size >= MOST_TOPICS) {
      const text = `gossip.topic: this node is already on ${MOST_TOPICS} topics`;
      throw new TransportError('resource_exhausted', text);
    }
    const session = new TopicSession(key, codec, config, this);
    this.sessions.set(key.hex, session);
    this.membershipChanged();
    if (this.isStarted) session.join();
    this.soon();
    return session;
  }

  unused(given: TopicContext): void {
    const topic = given.key.hex;
    const session = this.sessions.get(topic);
    if (session === undefined || session !== given) return;
    this.sessions.delete(topic);
    // Joining the topic again begins another life, even if it happens at once.
    this.#lives.used(session.life.epoch);
    session.end(CLOSED);
    this.membershipChanged();
  }

  epoch(): number {
    return this.#lives.next();
  }

  outlived(life: number, from: string): number | undefined {
    return this.#lives.above(life, this.isProven(from));
  }

  latestLife(): number {
    return this.signatures.areRequired ? Number.POSITIVE_INFINITY : this.#lives.latest;
  }

  isProven(nodeId: string): boolean {
    return this.peers.get(nodeId)?.proven ?? false;
  }

  membershipChanged(): void {
    this.#interests?.changed();
  }

  // Peers.

  connected(member: ConnectedMember): void {
    this.#interests!.connected(member, this.clock.now());
    this.soon();
  }

  writable(nodeId: string): void {
    const now = this.clock.now();
    for (const session of this.sessions.values())
      session.feed(now, { type: 'writable', peer: nodeId });
    this.soon();
  }

  disconnected(nodeId: string, cause: TransportError): void {
    const now = this.clock.now();
    this.#interests!.gone(nodeId);
    for (const session of this.sessions.values()) session.peerDown(nodeId, cause, now);
    this.#relays?.gone(nodeId);
  }

  neighbor(nodeId: string, topic: string, isOne: boolean): void {
    if (this.overlay.holds) this.members.all.get(nodeId)?.connection.keep(topic, isOne);
  }

  isDistrusted(nodeId: string): boolean {
    return this.peers.scoreOf(nodeId) === 0;
  }

  misbehaved(nodeId: string): void {
    this.peers.report(nodeId, 'bad');
    if (this.#isRevising || !this.isDistrusted(nodeId)) return;
    this.#isRevising = true;
    // Deferred, so that the overlays look for another neighbor after the current message, and once
    // for all bad messages of a tick.
    this.clock.defer(() => {
      this.#isRevising = false;
      const now = this.clock.now();
      for (const session of this.sessions.values()) session.feed(now, { type: 'distrusted' });
    });
  }

  cut(nodeId: string, why: string): void {
    this.peers.report(nodeId, 'bad', ABUSE);
    // The ban is deferred, so that the overlay handles the end of the connection after the current
    // message, not while processing it.
    this.clock.defer(() => this.peers.ban(nodeId, BAN, why));
  }

  // Sending.

  relay(topic: TopicKey, push: Push<Body>, to: readonly string[]): boolean {
    return this.#relays?.send(topic, push, to) ?? false;
  }

  // Time.

  dueBy(time: number): void {
    if (this.isStarted) this.#timer.by(time);
  }

  soon(): void {
    this.dueBy(this.isStarted ? this.#due() : Number.POSITIVE_INFINITY);
  }

  #due(): number {
    let due = this.#relays?.due ?? Number.POSITIVE_INFINITY;
    for (const machine of [this.#interests!, this.#walker!, this.members])
      due = Math.min(due, machine.due);
    for (const session of this.sessions.values()) due = Math.min(due, session.due);
    return due;
  }

  #wake(now: number): number {
    this.#interests!.wake(now);
    this.#walker!.wake(now);
    this.members.wake(now);
    this.#relays?.wake(now);
    for (const session of [...this.sessions.values()]) if (now >= session.due) session.wake(now);
    return this.#due();
  }

  snapshot(): GossipSnapshot {
    return {
      nodeId: this.self,
      topics: [...this.sessions.values()].map((session) => session.snapshot()),
      peers: this.members.snapshot(),
      ...(this.#walker === undefined ? {} : { discovery: this.#walker.snapshot() }),
      ...(this.#relays === undefined ? {} : { relay: this.#relays.snapshot() }),
    };
  }
}

/** The call that carries a message. */
interface Call {
  readonly from: Remote;
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

/**
 * Number of bad reports that an offense is worth if it leads to a disconnect; the same as in peers
 * (`VIOLATION`).
 */
const ABUSE = 10;
/**
 * Duration of the ban of such a peer, in milliseconds. The publishers that it named are remembered
 * for the same time.
 */
const BAN = 600_000;
const CLOSED = new TransportError('shutdown', 'the topic was closed on this node');

/** The messages that have not been sent to a peer. */
interface UnsentMessages {
  readonly nodeId: string;
  readonly messages: number;
  readonly bytes: number;
}

/**
 * Milliseconds between two checks of `#flush`, because connections don't report when the last
 * message has left.
 */
const LOOK = 5;
