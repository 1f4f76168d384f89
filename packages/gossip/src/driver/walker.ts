// Searches for other nodes of this node's topics by executing the steps of the topic walk, looks
// for other parts of a split network, and answers other nodes that search.

import { sample } from '@trunkline/peers/internal';
import type { Remote } from '@trunkline/transport-core';
import { stackless } from '@trunkline/transport-core/backend';
import { encodeQuestion, MOST_ASKED, readQuestion } from '../discovery/tags.ts';
import { type DiscoveryConfig, type Need, type Step, TopicWalk } from '../discovery/topic-walk.ts';
import { jittered } from '../hyparview/views.ts';
import type { GossipSnapshot } from '../snapshots.ts';
import type { TopicSession } from '../topics/topic-session.ts';
import type { ConnectedMember, DriverParts } from './members.ts';

export class Walker {
  readonly #init: DriverParts;
  readonly #peers: DriverParts['peers'];
  readonly #walk: TopicWalk | undefined;
  /**
   * The connection that each walker has made to the node it is visiting. It is closed when the
   * walker moves on.
   */
  readonly #places = new Map<number, { readonly nodeId: string; readonly remote: Remote }>();
  readonly #counts = { visited: 0, asked: 0, answered: 0, refused: 0 };
  #lookAt = 0;
  readonly #isProbing: boolean;
  /** Time of the next probe, if no topic needs more nodes; see `#probe`. */
  #probeAt: number;
  #isClosed = false;

  /**
   * @param options undefined if this node neither searches nor answers
   * @param isProbing true if the overlay of a topic knows only few of its nodes
   */
  constructor(init: DriverParts, options: DiscoveryConfig, isProbing: boolean) {
    const { mount, peers } = init;
    this.#init = init;
    this.#peers = peers;
    this.#isProbing = isProbing;
    this.#probeAt = mount.clock.now() + PROBE_INTERVAL;
    if (options === undefined) return;
    this.#walk = new TopicWalk({
      random: mount.random,
      ...options,
      members: () => [
        ...new Set([...this.#hungry()].flatMap(({ key }) => init.members.interested(key.hex))),
      ],
      isConnected: (nodeId) => peers.get(nodeId) !== undefined,
      draw: (isFit) => peers.known(DRAWN).find((nodeId) => peers.mayDial(nodeId) && isFit(nodeId)),
    });
  }

  /**
   * Time at which to call `wake`, which checks every two seconds for topics that want more
   * neighbors.
   */
  get due(): number {
    return Math.min(this.#walkDue, this.#probeDue);
  }

  get #walkDue(): number {
    if (this.#walk === undefined || (this.#init.sessions.size === 0 && this.#places.size === 0))
      return Number.POSITIVE_INFINITY;
    return Math.min(this.#lookAt, this.#walk.wakeAt);
  }

  get #probeDue(): number {
    const isDone = this.#walk?.need === 'none' && this.#init.sessions.size > 0;
    return isDone && this.#isProbing ? this.#probeAt : Number.POSITIVE_INFINITY;
  }

  wake(now: number): void {
    if (now >= this.#walkDue) this.#search(this.#walk!, now);
    if (now >= this.#probeDue) this.#probe(now);
  }

  #search(walk: TopicWalk, now: number): void {
    this.#lookAt = now + LOOK;
    walk.setNeed(this.#needed(), now);
    for (const step of walk.wake(now)) void this.#take(step);
    if (walk.need === 'none') for (const walker of [...this.#places.keys()]) this.#leave(walker);
  }

  /**
   * Dials a random node of the address book, because both parts of a split network may have full
   * views. The dialed node reports its topics, and the sessions of those topics are informed about
   * the node. So if the network has split, a partial view knows nodes of the other part when it
   * asks a node outside its views for a link. Nodes that are on no topic of this node are not
   * remembered.
   */
  #probe(now: number): void {
    this.#probeAt = now + jittered(PROBE_INTERVAL, this.#init.mount.random);
    // The address book, not this class, records whether the node can be reached.
    for (const nodeId of this.#peers.known(1))
      this.#init.members.dials.reach(nodeId, PROBE, 'gossip').catch(() => {});
  }

  close(): void {
    this.#isClosed = true;
    for (const walker of [...this.#places.keys()]) this.#leave(walker);
  }

  snapshot(): NonNullable<GossipSnapshot['discovery']> {
    const { need = 'none', found = 0 } = this.#walk ?? {};
    return { need, found, ...this.#counts };
  }

  // Searching.

  /** The topics that want more neighbors. A neighbor whose score is 0 should be replaced. */
  *#hungry(): IterableIterator<TopicSession> {
    for (const session of this.#init.sessions.values()) {
      const { overlay } = session;
      if (overlay === undefined) continue;
      const trusted = overlay.neighbors().filter((nodeId) => this.#peers.scoreOf(nodeId) > 0);
      if (trusted.length < overlay.wanted) yield session;
    }
  }

  #needed(): Need {
    let need: Need = 'none';
    for (const { key } of this.#hungry()) {
      if (this.#init.members.interested(key.hex).length === 0) return 'first';
      need = 'more';
    }
    return need;
  }

  async #take(step: Step): Promise<void> {
    const { type, walker, nodeId } = step;
    this.#leave(walker);
    let isFound = false;
    let named: readonly string[] = [];
    try {
      if (type === 'visit') isFound = await this.#visit(walker, nodeId);
      else named = await this.#ask(nodeId);
    } catch {
      // The node can't be reached or does not answer; others may.
    }
    if (this.#isClosed) return;
    this.#walk!.ended(walker, isFound, named, this.#init.mount.clock.now());
    this.#init.soon();
  }

  /**
   * Connects to a node, which then reports its topics. A node that shares no topic with this one is
   * asked nothing.
   */
  async #visit(walker: number, nodeId: string): Promise<boolean> {
    const [wanted] = this.#hungry();
    if (wanted === undefined) return false;
    this.#counts.visited++;
    const wasHere = this.#peers.get(nodeId) !== undefined;
    await this.#init.members.reach(nodeId, wanted.key.hex, VISIT, 'gossip');
    const remote = this.#peers.get(nodeId)?.remote;
    if (remote?.direction === 'out' && !wasHere) this.#places.set(walker, { nodeId, remote });
    if (this.#isClosed) this.#leave(walker);
    return [...this.#hungry()].some(({ key }) => this.#init.members.isOn(nodeId, key.hex));
  }

  /**
   * Leaves the node that a walker is visiting. The connection made for the visit is closed, unless
   * the visited node is on a topic of this node or is persistent.
   */
  #leave(walker: number): void {
    const place = this.#places.get(walker);
    this.#places.delete(walker);
    if (place === undefined || place.remote.closed) return;
    const { nodeId, remote } = place;
    const isOfUse =
      [...this.#init.sessions.keys()].some((topic) => this.#init.members.isOn(nodeId, topic)) ||
      this.#peers.get(nodeId)?.persistent;
    if (!isOfUse)
      void this.#init.mount
        .disconnect(remote, 'it was asked for nodes, and shares no topic with the other end')
        .catch(() => {});
  }

  /**
   * Asks a node for others, and returns those that it names. The node has proven that it is on a
   * topic for which nodes are wanted.
   */
  async #ask(nodeId: string): Promise<readonly string[]> {
    const { self, mount } = this.#init;
    const { random } = mount;
    const remote = this.#peers.get(nodeId)?.remote;
    const shared = [...this.#hungry()].filter(({ key }) =>
      this.#init.members.isOn(nodeId, key.hex),
    );
    if (remote === undefined || shared.length === 0) return [];
    this.#counts.asked++;
    const keys = sample(shared, MOST_ASKED, random).map(({ key }) => key.bytes);
    const question = encodeQuestion({ teller: self, hearer: nodeId }, keys, random);
    const { addresses } = await mount.send(remote, 'ask', question);
    return addresses.slice(0, MOST_ASKED).flatMap((entry) => {
      // Both may be anything; the address book checks them.
      const { nodeId: other, address } = Object(entry);
      const isWanted = this.#peers.get(other) === undefined && this.#peers.mayDial(other);
      return isWanted && this.#peers.learn(other, address, nodeId) ? [other] : [];
    });
  }

  // Answering.

  /**
   * Answers a question with nodes that this node knows on its topics, and limits the answers per
   * second. It only answers about topics that the asking peer is on, too. A peer with a proven id
   * need not be on the topic, because it may only publish; without the proof, the question may be a
   * recorded one.
   */
  answer({ nodeId, limits }: ConnectedMember, bytes: Uint8Array): { addresses: unknown[] } {
    const { self, sessions, mount } = this.#init;
    const { random, clock } = mount;
    if (this.#walk === undefined) return { addresses: [] };
    if (!limits.nodes.take(clock.now(), () => this.#peers.report(nodeId, 'bad'))) {
      this.#counts.refused++;
      return { addresses: [] };
    }
    const isAbout = readQuestion({ teller: nodeId, hearer: self }, bytes);
    if (isAbout === undefined) {
      this.#peers.report(nodeId, 'bad');
      throw stackless('invalid_argument', 'the request for nodes of topics is malformed');
    }
    const known = new Set<string>();
    for (const [topic, { key, overlay }] of sessions) {
      if (
        overlay === undefined ||
        (this.#init.members.isOn(nodeId, topic) !== true && !this.#peers.get(nodeId)?.proven) ||
        !isAbout(key.bytes)
      )
        continue;
      for (const other of [...overlay.neighbors(), ...this.#init.members.interested(topic)])
        known.add(other);
    }
    known.delete(nodeId);
    this.#counts.answered++;
    const addresses = [...known].flatMap((other) => {
      const address = this.#peers.addressOf(other);
      return address === undefined ? [] : { nodeId: other, address };
    });
    return { addresses: sample(addresses, MOST_ASKED, random) };
  }
}

/**
 * Milliseconds between two checks for topics that want more neighbors. A topic that was just opened
 * first finds the nodes that are already connected.
 */
const LOOK = 2_000;
/**
 * Number of nodes drawn from the address book to find one that was not visited yet; this is the
 * maximum that `peers.known` returns.
 */
const DRAWN = 250;
/** Time limit of a visit in milliseconds. */
const VISIT = 10_000;
/** Milliseconds between two probes, and the time limit of one. */
const PROBE_INTERVAL = 60_000;
const PROBE = 5_000;
