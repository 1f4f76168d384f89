// The connected peers of gossip: it owns, for each peer, the set of its topics and its queue of
// messages. When the topics of a peer become known, it calls the sessions of these topics. It also
// reports peers that connect and disconnect, and dials nodes. Owned by GossipDriver. Also tested
// through whole nodes, and in list-limits.test.ts.

import type { PeerEvent, PeerInfo, Peers } from '@trunkline/peers';
import { dropOldest, PeerLimits, RateLimit } from '@trunkline/peers/internal';
import { type Remote, type Transport, TransportError } from '@trunkline/transport-core';
import { inMs, stackless } from '@trunkline/transport-core/backend';
import type { PartialViewMessage } from '../hyparview/message.ts';
import { sameName } from '../messages/message-id.ts';
import type { GossipConfig } from '../options.ts';
import type { Body } from '../overlay/overlay.ts';
import type { Control, Push } from '../plumtree/message.ts';
import type { gossipProtocol, TopicKey } from '../protocol.ts';
import type { GossipSnapshot } from '../snapshots.ts';
import { notSent } from '../topics/errors.ts';
import type { TopicMembers, TopicTerms } from '../topics/topic-context.ts';
import type { TopicSession } from '../topics/topic-session.ts';
import type { Unsent } from '../types.ts';
import { encodeControl, encodePush } from '../wire/frame.ts';
import { addressesFor, viewSize } from './addresses.ts';
import { CurrentConnection } from './current-connection.ts';
import { PeerOutbox } from './peer-outbox.ts';

/** The state and connections of a node that the parts of gossip's driver share. */
export interface DriverParts {
  /** This node's id. */
  readonly self: string;
  readonly mount: Transport<typeof gossipProtocol>;
  readonly peers: Peers<any>;
  readonly members: ConnectedMembers;
  /** This node's topics, by their keys in hex. */
  readonly sessions: ReadonlyMap<string, TopicSession>;
  /** Called when a part may have to be woken earlier. */
  soon(): void;
}

/** A connected peer. */
export interface ConnectedMember {
  readonly nodeId: string;
  readonly instance: string;
  readonly connection: CurrentConnection;
  /** True if this node dialed the peer, unless it did so because others on a topic named it. */
  readonly isChosen: boolean;
  /** True if the connection proves the id of the peer. */
  readonly proven: boolean;
  readonly outbox: PeerOutbox;
  /** The keys, in hex, of this node's topics that the peer is on; set by `told`. */
  topics: ReadonlySet<string>;
  readonly limits: ReturnType<typeof memberLimits>;
}

/** The reason for a dial: a request of the user or of gossip, or a name that a member gave. */
type DialCause = 'user' | 'gossip' | 'named';

interface Dial {
  readonly late: AbortController;
  readonly done: Promise<void>;
  /** True if members of a topic named the node. */
  isNamed: boolean;
}

/** Creates the limits of a peer; those of a proven id outlive its connections. */
export function memberLimits() {
  return {
    /** Limits the addresses that are taken from the messages of the peer. */
    addresses: new RateLimit(ADDRESSES, ADDRESS_INTERVAL),
    /** The number of the list of topics that was last sent to the peer. */
    listed: 0,
    /** The answers to the peer that contain no new list of topics. */
    lists: new Ration(),
    /**
     * Limits how often the list of the peer is pulled: reading one takes 10 µs for each topic of
     * this node.
     */
    pulls: new RateLimit(PULLS, PULL_INTERVAL),
    /** The answers to the peer that name nodes on topics. */
    nodes: new Ration(),
  };
}

/** The driver, as its connected peers inform it. */
interface MembersDriver extends DriverParts {
  /** Called when a peer has connected, after the current code has run. */
  connected(member: ConnectedMember): void;
  /** Called when a peer that could not take a message can take messages again. */
  writable(nodeId: string): void;
  /** Called when a peer is gone; it may be followed by `connected` for the same node. */
  disconnected(nodeId: string, cause: TransportError): void;
}

export class ConnectedMembers implements TopicMembers {
  /** The connected peers by node id. */
  readonly all = new Map<string, ConnectedMember>();
  readonly #config: GossipConfig;
  readonly #driver: MembersDriver;
  /**
   * The peers that only assert their ids, by transport instance. An instance is not a secret, so a
   * connection without a proven id must not speak for a peer that has proved its id.
   */
  readonly #byInstance = new Map<string, ConnectedMember>();
  /**
   * The last sender and its connection: all messages in one chunk come from the same peer, so the
   * peer is looked up only once. `#last` is undefined after a peer has connected or disconnected.
   */
  #last: ConnectedMember | undefined = undefined;
  #lastRemote: Remote | undefined = undefined;
  #events: AsyncIterableIterator<PeerEvent<unknown>> | undefined = undefined;
  /**
   * The peers that have not announced their topics yet, the oldest first: for each, the time until
   * which callers wait for them, and these callers.
   */
  readonly #unknown = new Map<
    ConnectedMember,
    { readonly patience: number; readonly askers: (() => void)[] }
  >();
  /** Ids of peers that once took too long, at most `SLOW`. They are not waited for again. */
  readonly #slow = new Set<string>();
  /**
   * The transport instance of each node that is or was connected, by node id. The node whose
   * connection is the oldest is forgotten first.
   */
  readonly #instances = new Map<string, string>();
  readonly #limits = new PeerLimits(memberLimits);
  /**
   * The dials under way, each with its own controller: a shared signal would collect a listener for
   * each dial.
   */
  readonly #dials = new Map<string, Dial>();
  #isClosed = false;

  constructor(config: GossipConfig, driver: MembersDriver) {
    this.#config = config;
    this.#driver = driver;
  }

  /** Starts with the peers that are connected already, then follows the events of peers. */
  start(): void {
    this.#sync();
    this.#events = this.#driver.peers.events();
    void this.#follow(this.#events);
  }

  close(): void {
    this.#isClosed = true;
    for (const { late } of this.#dials.values()) late.abort(CLOSED);
    void this.#events?.return?.();
    for (const member of [...this.all.values()]) this.#remove(member, CLOSED);
  }

  /**
   * Returns the peer behind a connection; undefined if it belongs to no peer. A message may arrive
   * before the event about its sender has been read.
   */
  of(from: Remote): ConnectedMember | undefined {
    return from === this.#lastRemote && this.#last !== undefined ? this.#last : this.#find(from);
  }

  /** Like `of`, but throws if the connection belongs to no peer. */
  mustBe(from: Remote): ConnectedMember {
    const member = this.of(from);
    if (member !== undefined) return member;
    throw stackless(
      'failed_precondition',
      'only peers may send topics and messages, and this connection is not one of a peer',
    );
  }

  /** Returns the connection to a peer; undefined if there is none. */
  remoteOf(nodeId: string): Remote | undefined {
    return this.all.get(nodeId)?.connection.current;
  }

  // Topics of peers.

  pending(): readonly string[] {
    if (this.#unknown.size === 0) return NOBODY;
    return Array.from(this.#unknown.keys(), ({ nodeId }) => nodeId);
  }

  isChosen(nodeId: string): boolean {
    return this.all.get(nodeId)?.isChosen ?? false;
  }

  interested(topic: string): string[] {
    const interested: string[] = [];
    for (const { nodeId, topics } of this.all.values())
      if (topics.has(topic)) interested.push(nodeId);
    return interested;
  }

  isOn(nodeId: string, topic: string): boolean | undefined {
    const member = this.all.get(nodeId);
    return member !== undefined && !this.#unknown.has(member)
      ? member.topics.has(topic)
      : undefined;
  }

  /** See `TopicMembers`. A dial that is under way already may take longer than `timeout`. */
  async reach(
    nodeId: string,
    topic: string,
    timeout: number,
    cause: DialCause = 'user',
  ): Promise<boolean> {
    await this.dial(nodeId, timeout, cause);
    const member = this.#get(nodeId);
    if (member === undefined) throw noLongerHere(nodeId);
    const unknown = this.#unknown.get(member);
    await (unknown && new Promise<void>((resolve) => unknown.askers.push(resolve)));
    return member.topics.has(topic);
  }

  /**
   * Records which of this node's topics a peer is on, and informs their sessions. If the peer's
   * list could not be pulled, `topics` are those on the last list that was pulled.
   */
  told(member: ConnectedMember, topics: ReadonlySet<string>): void {
    const { sessions } = this.#driver;
    const { nodeId } = member;
    if (this.all.get(nodeId) !== member) return;
    const now = this.#config.transport.clock.now();
    const before = member.topics;
    member.topics = topics;
    for (const topic of before)
      if (!topics.has(topic)) sessions.get(topic)?.peerDown(nodeId, undefined, now);
    for (const topic of topics) if (!before.has(topic)) sessions.get(topic)?.peerUp(nodeId, now);
    this.#known(member);
  }

  /** Called when the topics of a peer are known, or are no longer waited for. */
  #known(member: ConnectedMember): void {
    const unknown = this.#unknown.get(member);
    this.#unknown.delete(member);
    for (const { publisher } of this.#driver.sessions.values()) publisher.known(member.nodeId);
    for (const resolve of unknown?.askers ?? []) resolve();
  }

  // Dials.

  /**
   * Connects to a node. Resolves when it is connected. If the user did not request the dial, banned
   * nodes are not dialed, and in a fixed topology only listed nodes are (`failed_precondition`).
   * There is one dial for each node; later callers share it, with the timeout of the first. At most
   * 64 dials run at once; one more rejects with `resource_exhausted`.
   */
  dial(nodeId: string, timeout: number, cause: DialCause): Promise<void> {
    if (this.#get(nodeId) !== undefined) return Promise.resolve();
    if (cause !== 'user' && !this.#driver.peers.mayDial(nodeId)) {
      const text = `node ${nodeId} is not dialed: it is banned, or the topology is fixed and does not list it`;
      return Promise.reject(notReached('failed_precondition', nodeId, text));
    }
    let dial = this.#dials.get(nodeId);
    if (dial === undefined) {
      if (this.#dials.size >= DIALS) {
        const text = `${DIALS} nodes are already being dialed`;
        return Promise.reject(notReached('resource_exhausted', nodeId, text));
      }
      const late = new AbortController();
      const done = this.#dial(nodeId, timeout, late).finally(() => this.#dials.delete(nodeId));
      dial = { late, done, isNamed: false };
      this.#dials.set(nodeId, dial);
    }
    dial.isNamed ||= cause === 'named';
    return dial.done;
  }

  async #dial(nodeId: string, timeout: number, late: AbortController): Promise<void> {
    const { transport } = this.#config;
    const timer = transport.clock.setTimeout(() => {
      const text = `node ${nodeId} could not be reached within ${inMs(timeout)}`;
      late.abort(notReached('deadline_exceeded', nodeId, text));
    }, timeout);
    try {
      if (this.#isClosed) throw CLOSED;
      await transport.dial(`node:${nodeId}`, { signal: late.signal });
      // Registers the peer while `#dials` still says whether its dial was named.
      if (this.#get(nodeId) === undefined) throw noLongerHere(nodeId);
    } catch (error) {
      throw late.signal.aborted ? late.signal.reason : error;
    } finally {
      transport.clock.clearTimeout(timer);
    }
  }

  // Sending.

  push(to: string, topic: TopicKey, push: Push<Body>, lost?: () => void): Unsent | undefined {
    const outbox = this.all.get(to)?.outbox;
    if (outbox === undefined) return 'no-room';
    const request = encodePush(topic.bytes, push);
    return outbox.put('push', request, request.length, lost);
  }

  tryPush(to: string, topic: TopicKey, push: Push<Body>): Unsent | undefined {
    const outbox = this.all.get(to)?.outbox;
    if (outbox === undefined) return 'no-room';
    const request = encodePush(topic.bytes, push);
    return outbox.put('push', request, request.length, undefined, true);
  }

  control(to: string, topic: TopicKey, control: Control): boolean {
    const outbox = this.all.get(to)?.outbox;
    const request = encodeControl(topic.bytes, control);
    return outbox !== undefined && outbox.put('control', request, request.length) === undefined;
  }

  terms(to: string, topic: TopicKey, terms: TopicTerms, life: number | undefined): void {
    this.all.get(to)?.outbox.put('terms', { topic: topic.hex, ...terms, life }, TERMS_BYTES);
  }

  acknowledge(to: string, request: Uint8Array): void {
    this.all.get(to)?.outbox.put('receipt', request, request.length);
  }

  /**
   * See `TopicNode`. The session learns as `unreachable` that a dial failed, or that a connected
   * peer's queue refused the message. It is not informed if a queued message is lost later.
   */
  view(to: string, session: TopicSession, message: PartialViewMessage): void {
    const addresses = addressesFor(message, this.#driver.peers);
    const request = { topic: session.key.hex, message, addresses, life: session.lifeOf(to) };
    const size = viewSize(addresses);
    const failed = (error: TransportError) => {
      if (!session.isOver) session.unreachable(to, error, session.node.clock.now());
    };
    const outbox = this.#get(to)?.outbox;
    if (outbox !== undefined) {
      const unsent = outbox.put('view', request, size);
      if (unsent !== undefined) failed(notSent(unsent, to, size));
      return;
    }
    // A farewell message is not worth a dial.
    if (session.isOver) return;
    this.dial(to, DIAL, 'named').then(() => {
      if (!session.isOver) this.#get(to)?.outbox.put('view', request, size);
    }, failed);
  }

  // Time.

  /** Time at which `wake` has something to do: all wait equally long, so the oldest is first. */
  get due(): number {
    return this.#unknown.values().next().value?.patience ?? Number.POSITIVE_INFINITY;
  }

  /** Stops waiting for peers that took too long to announce their topics. */
  wake(now: number): void {
    for (const [member, { patience }] of this.#unknown) {
      if (now < patience) return;
      this.#slow.add(member.nodeId);
      if (this.#slow.size > SLOW) this.#slow.clear();
      this.#known(member);
    }
  }

  snapshot(): GossipSnapshot['peers'] {
    return [...this.all.values()].map(({ nodeId, topics, outbox }) => ({
      nodeId,
      topics: topics.size,
      waiting: outbox.waiting,
      dropped: outbox.dropped,
    }));
  }

  // Peers that connect and disconnect.

  #find(remote: Remote): ConnectedMember | undefined {
    const known = this.#lookUp(remote);
    if (known?.instance === remote.instance) {
      this.#lastRemote = remote;
      this.#last = known;
      return known;
    }
    this.#sync();
    return this.#lookUp(remote);
  }

  #lookUp({ nodeId, instance }: Remote): ConnectedMember | undefined {
    return nodeId === undefined ? this.#byInstance.get(instance) : this.all.get(nodeId);
  }

  /** Returns the peer with that id if it is connected now. */
  #get(nodeId: string): ConnectedMember | undefined {
    const known = this.all.get(nodeId);
    if (known !== undefined) return known;
    const peer = this.#driver.peers.get(nodeId);
    return peer === undefined ? undefined : this.#add(peer);
  }

  async #follow(events: AsyncIterableIterator<PeerEvent<unknown>>): Promise<void> {
    for await (const event of events) {
      if (event.type === 'up') this.#get(event.peer.nodeId);
      else if (event.type === 'down') this.#down(event.nodeId, event.cause);
      else if (event.type === 'lagged') this.#sync();
    }
    for (const member of [...this.all.values()]) this.#remove(member, CLOSED);
  }

  /**
   * Processes a disconnect. By this time, the peer may have reconnected and may already be
   * registered again.
   */
  #down(nodeId: string, cause: TransportError): void {
    const member = this.all.get(nodeId);
    if (member === undefined) return;
    const peer = this.#driver.peers.get(nodeId);
    const { instance, connection } = member;
    if (peer !== undefined && peer.instance === instance && !connection.remote.closed) return;
    this.#remove(member, cause);
    if (peer !== undefined) this.#add(peer);
  }

  /** Registers and removes peers until they agree with those of `peers`. */
  #sync(): void {
    const peers = new Map(this.#driver.peers.list().map((peer) => [peer.nodeId, peer]));
    for (const member of [...this.all.values()]) {
      if (peers.get(member.nodeId)?.instance !== member.instance)
        this.#remove(member, new TransportError('unavailable', `node ${member.nodeId} is gone`));
    }
    for (const peer of peers.values()) if (!this.all.has(peer.nodeId)) this.#add(peer);
  }

  #add(peer: PeerInfo): ConnectedMember {
    const { transport, peers, outbound } = this.#config;
    const { clock } = transport;
    const { instance, proven, remote } = peer;
    const nodeId = sameName(peer.nodeId);
    const before = this.#instances.get(nodeId);
    if (before !== undefined && before !== instance)
      for (const session of this.#driver.sessions.values()) session.life.restarted(nodeId);
    this.#instances.delete(nodeId);
    this.#instances.set(nodeId, instance);
    dropOldest(this.#instances, INSTANCES);
    const connection = new CurrentConnection(transport, peers, peer);
    const writable = () => this.#driver.writable(nodeId);
    const member: ConnectedMember = {
      nodeId,
      instance,
      connection,
      isChosen: remote.direction === 'out' && this.#dials.get(nodeId)?.isNamed !== true,
      proven,
      outbox: new PeerOutbox(this.#driver.mount, connection, outbound, writable),
      topics: NONE,
      limits: this.#limits.of(nodeId, clock.now()),
    };
    this.#last = undefined;
    this.all.set(nodeId, member);
    if (!proven) this.#byInstance.set(instance, member);
    if (!this.#slow.has(nodeId))
      this.#unknown.set(member, { patience: clock.now() + PATIENCE, askers: [] });
    clock.defer(() => {
      if (this.all.get(nodeId) === member) this.#driver.connected(member);
    });
    return member;
  }

  #remove(member: ConnectedMember, cause: TransportError): void {
    const { nodeId, instance, proven, connection, outbox } = member;
    if (this.all.get(nodeId) !== member) return;
    this.#last = undefined;
    this.all.delete(nodeId);
    if (this.#byInstance.get(instance) === member) this.#byInstance.delete(instance);
    outbox.close();
    connection.close();
    this.#limits.gone(nodeId, proven, this.#config.transport.clock.now());
    member.topics = NONE;
    this.#driver.disconnected(nodeId, cause);
    this.#known(member);
  }
}

/** Returns the error for a node that was dialed, and disconnected at once. */
function noLongerHere(nodeId: string): TransportError {
  return notReached('unavailable', nodeId, `node ${nodeId} is no longer connected`);
}

function notReached(code: TransportError['code'], target: string, text: string): TransportError {
  return new TransportError(code, text, { target, sent: false });
}

/** Maximum number of concurrent dials. */
const DIALS = 64;
const CLOSED = new TransportError('shutdown', 'gossip, its peers or its transport were closed');
const NONE: ReadonlySet<string> = new Set();
/**
 * Maximum number of nodes whose transport instance is remembered, to distinguish a restart from a
 * reconnect.
 */
const INSTANCES = 4_096;
/** Time limit of a dial for an overlay, in milliseconds. */
const DIAL = 10_000;
/** Number of bytes counted, in the queue to a peer, for a message with a topic's terms. */
const TERMS_BYTES = 128;
/**
 * Number of pulls of one peer's list that may happen at once, and milliseconds until one more is
 * allowed. Changes beyond that limit are pulled with the next beat.
 */
const PULLS = 64;
const PULL_INTERVAL = 250;

/**
 * Number of addresses accepted from one peer at once, and milliseconds until one more is accepted.
 * An honest peer sends a few dozen addresses per minute, a bootstrap node sends more.
 */
const ADDRESSES = 256;
const ADDRESS_INTERVAL = 250;
const NOBODY: readonly string[] = [];
/**
 * Time limit, in milliseconds, for a new peer to report its topics while a caller waits for them.
 */
const PATIENCE = 1_000;
/** Maximum number of nodes remembered as slow. Beyond it, all are forgotten. */
const SLOW = 1_024;

// Limits how many answers a peer gets. A peer that exceeds the limit gets no answer; a peer that
// keeps asking is reported.

/** The answers that one peer may still get. */
export class Ration {
  readonly #rate = new RateLimit(BURST, INTERVAL);
  #refused = 0;

  /**
   * Takes an answer from the ration. Returns false if the peer must get no answer. Calls `abused`
   * if the peer must also be reported.
   */
  take(now: number, abused: () => void): boolean {
    if (this.#rate.tryTake(now)) return true;
    if (++this.#refused % ABUSE === 0) abused();
    return false;
  }
}

/** Number of answers available at once. */
const BURST = 10;
/** Milliseconds until one more answer is available. */
const INTERVAL = 1_000;
/**
 * Number of refusals after which a peer is reported. An honest node that was refused asks again
 * only once, some seconds later.
 */
const ABUSE = 100;
