// Searches for other nodes of this node's topics with p2panda's random walk over the network, looks
// for other parts of a split network, and answers other nodes that search. Owned by GossipDriver,
// which wakes it. Also tested in ../discovery.test.ts and ../discovery-hostile.test.ts.

import { dropOldest, sample } from '@trunkline/peers/internal';
import type { Remote } from '@trunkline/transport-core';
import { stackless } from '@trunkline/transport-core/backend';
import { encodeQuestion, MOST_ASKED, readQuestion } from '../discovery/tags.ts';
import { jittered, pick } from '../hyparview/views.ts';
import type { DiscoveryConfig } from '../options.ts';
import type { GossipSnapshot } from '../snapshots.ts';
import type { TopicSession } from '../topics/topic-session.ts';
import type { ConnectedMember, DriverParts } from './members.ts';

/**
 * The urgency with which nodes are needed. `first`: on some topic, no other node is known; `more`:
 * the overlay could use more nodes; `none`: there are enough nodes.
 */
type Need = 'first' | 'more' | 'none';

/** One of the walkers, which take their steps independently. */
interface Walk {
  isUnderWay: boolean;
  /** The current pause in milliseconds; it grows while steps find nothing. */
  pause: number;
  /** Time of the next step. */
  next: number;
}

/**
 * A step of a walker. `visit`: connect to a node to learn which topics it is on; `ask`: ask a node
 * that shares a topic with this one for other nodes of that topic.
 */
interface Step {
  readonly type: 'visit' | 'ask';
  readonly nodeId: string;
}

/**
 * Each walker takes a step, pauses, and takes the next. The pause is one second after a step that
 * found a node. After any other step the pause grows by 1 to 5 s, up to `slowest`; every 60 to 180
 * s it starts again from zero (p2panda). If nodes are known on the topic and more would be welcome,
 * a single walker works at the slowest pace, except that it goes on after a second if it found a
 * node. All pauses vary by ± 10 %.
 *
 * A walker first visits nodes that others have named as members of the topic. Then it asks
 * connected members, each at most once a minute. Finally it visits any other node, but no node
 * twice in a round of 1,024. p2panda's walkers continue from the node they visited, except in 2 %
 * of the steps. Here each step may go to any node of the address book. The address book learns the
 * neighborhood of each visited node through the exchange of addresses, so no single node can
 * control the course of a walk.
 */
export class Walker {
  readonly #init: DriverParts;
  readonly #peers: DriverParts['peers'];
  readonly #options: DiscoveryConfig;
  readonly #walkers: readonly Walk[];
  /**
   * The connection that each walker has made to the node it is visiting. It is closed when the
   * walker moves on.
   */
  readonly #places = new Map<Walk, { readonly nodeId: string; readonly remote: Remote }>();
  #need: Need = 'none';
  readonly #counts = { found: 0, visited: 0, asked: 0, answered: 0, refused: 0 };
  /** Time at which the pauses start over. */
  #anew = 0;
  /** Nodes that are said to be on a topic, to be visited next. */
  readonly #leads = new Set<string>();
  /** The nodes visited in this round, and the time at which each member was last asked. */
  readonly #visited = new Set<string>();
  readonly #asked = new Map<string, number>();
  /** Time at which to look again whether topics want more neighbors. */
  #lookAt = 0;
  /** Time of the next probe, if no topic needs more nodes; Infinity if never. See `#probe`. */
  #probeAt = Number.POSITIVE_INFINITY;
  #isClosed = false;

  /**
   * @param options undefined if this node neither searches nor answers
   * @param isProbing true if the overlay of a topic knows only few of its nodes
   */
  constructor(init: DriverParts, options: DiscoveryConfig, isProbing: boolean) {
    this.#init = init;
    this.#peers = init.peers;
    this.#options = options;
    const walker = { isUnderWay: false, pause: 0, next: 0 };
    this.#walkers = Array.from({ length: options?.walkers ?? 0 }, () => ({ ...walker }));
    if (options !== undefined && isProbing) this.#probeAt = init.mount.clock.now() + PROBE_INTERVAL;
  }

  /**
   * Time at which to call `wake`, which checks every two seconds for topics that want more
   * neighbors.
   */
  get due(): number {
    return Math.min(this.#walkDue, this.#probeDue);
  }

  get #walkDue(): number {
    const isBusy = this.#init.sessions.size + this.#places.size > 0;
    if (this.#options === undefined || !isBusy) return Number.POSITIVE_INFINITY;
    const waiting = this.#active.filter(({ isUnderWay }) => !isUnderWay);
    return Math.min(this.#lookAt, ...waiting.map(({ next }) => next));
  }

  get #probeDue(): number {
    const isDone = this.#need === 'none' && this.#init.sessions.size > 0;
    return isDone ? this.#probeAt : Number.POSITIVE_INFINITY;
  }

  wake(now: number): void {
    if (now >= this.#walkDue) this.#search(now);
    if (now >= this.#probeDue) this.#probe(now);
  }

  #search(now: number): void {
    this.#lookAt = now + LOOK;
    this.#setNeed(now);
    if (this.#need === 'first' && now >= this.#anew) this.#beginAnew(now);
    const steps = this.#active.flatMap((walker) => {
      if (walker.isUnderWay || now < walker.next) return [];
      const step = this.#nextStep(now);
      walker.isUnderWay = step !== undefined;
      if (step !== undefined) return { walker, step };
      this.#pause(walker, false, now);
      return [];
    });
    for (const { walker, step } of steps) void this.#take(walker, step);
    if (this.#need === 'none') for (const walker of this.#places.keys()) this.#leave(walker);
  }

  /**
   * Dials a random node of the address book, because both parts of a split network may have full
   * views. The dialed node reports its topics, and the sessions of those topics are informed about
   * the node. So if the network has split, a partial view knows nodes of the other part when it
   * asks a node outside its views for a link (`Merges`). Nodes that are on no topic of this node
   * are not remembered here.
   */
  #probe(now: number): void {
    this.#probeAt = now + jittered(PROBE_INTERVAL, this.#init.mount.random);
    // The address book, not this class, records whether the node can be reached.
    for (const nodeId of this.#peers.known(1))
      this.#init.members.dial(nodeId, PROBE, 'gossip').catch(() => {});
  }

  close(): void {
    this.#isClosed = true;
    for (const walker of this.#places.keys()) this.#leave(walker);
  }

  snapshot(): NonNullable<GossipSnapshot['discovery']> {
    return { need: this.#need, ...this.#counts };
  }

  // Searching.

  /** The topics that want more neighbors; a neighbor whose score is 0 does not count. */
  get #hungry(): readonly TopicSession[] {
    return [...this.#init.sessions.values()].filter(({ overlay }) => {
      const trusted = overlay?.neighbors().filter((nodeId) => this.#peers.scoreOf(nodeId) > 0);
      return trusted !== undefined && trusted.length < overlay!.wanted;
    });
  }

  get #needed(): Need {
    const found = this.#hungry.map(({ key }) => this.#init.members.interested(key.hex));
    if (found.length === 0) return 'none';
    return found.every((nodeIds) => nodeIds.length > 0) ? 'more' : 'first';
  }

  #setNeed(now: number): void {
    const need = this.#needed;
    if (need === this.#need) return;
    this.#need = need;
    const { random } = this.#init.mount;
    if (need === 'first') this.#beginAnew(now);
    for (const walker of this.#walkers)
      walker.next =
        now + (need === 'first' ? PACE * random() : jittered(this.#options!.slowest, random));
    if (need === 'none') this.#leads.clear();
  }

  /** The walkers that are active, given the current need. */
  get #active(): readonly Walk[] {
    if (this.#need === 'first') return this.#walkers;
    return this.#walkers.slice(0, this.#need === 'more' ? 1 : 0);
  }

  /** Makes all pauses start again from zero. */
  #beginAnew(now: number): void {
    this.#anew = now + this.#between(60_000, 180_000);
    for (const walker of this.#walkers) walker.pause = 0;
  }

  /** Decides when a walker takes its next step, after one that found a new node or did not. */
  #pause(walker: Walk, found: boolean, now: number): void {
    const { slowest } = this.#options!;
    walker.pause = found ? PACE : Math.min(slowest, walker.pause + this.#between(1_000, 5_000));
    const pause = found || this.#need === 'first' ? walker.pause : slowest;
    walker.next = now + jittered(pause, this.#init.mount.random);
  }

  #between(least: number, most: number): number {
    return least + (most - least) * this.#init.mount.random();
  }

  /** Returns the next step of a walker; undefined if there is no node to visit or to ask. */
  #nextStep(now: number): Step | undefined {
    for (const nodeId of this.#leads) {
      this.#leads.delete(nodeId);
      if (this.#peers.get(nodeId) === undefined) return this.#stepTo(nodeId);
    }
    const { members, mount } = this.#init;
    const known = this.#hungry.flatMap(({ key }) => members.interested(key.hex));
    const member = pick(
      [...new Set(known)],
      mount.random,
      (nodeId) => now >= (this.#asked.get(nodeId) ?? Number.NEGATIVE_INFINITY) + ASK_AGAIN,
    );
    if (member !== undefined) {
      this.#asked.delete(member);
      this.#asked.set(member, now);
      dropOldest(this.#asked, MEMORY);
      return { type: 'ask', nodeId: member };
    }
    const stranger = this.#peers
      .known(DRAWN)
      .find((nodeId) => this.#peers.mayDial(nodeId) && !this.#visited.has(nodeId));
    if (stranger !== undefined) return this.#stepTo(stranger);
    // All nodes have been visited: the next step begins a new round.
    this.#visited.clear();
    return undefined;
  }

  #stepTo(nodeId: string): Step {
    this.#visited.add(nodeId);
    dropOldest(this.#visited, MEMORY);
    return { type: 'visit', nodeId };
  }

  /** Takes a step. First the walker leaves the node of its last one. */
  async #take(walker: Walk, { type, nodeId }: Step): Promise<void> {
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
    const now = this.#init.mount.clock.now();
    isFound = this.#follow(named, now) || isFound;
    if (isFound) this.#counts.found++;
    walker.isUnderWay = false;
    this.#pause(walker, isFound, now);
    this.#init.soon();
  }

  /** Adds nodes to be visited next. Returns true if any of them is new. */
  #follow(nodeIds: readonly string[], now: number): boolean {
    let isAnyNew = false;
    for (const nodeId of nodeIds) {
      if (this.#leads.size >= LEADS || this.#leads.has(nodeId)) continue;
      if (!this.#visited.has(nodeId)) isAnyNew = true;
      this.#leads.add(nodeId);
    }
    if (isAnyNew)
      for (const walker of this.#active) walker.next = Math.min(walker.next, now + PACE);
    return isAnyNew;
  }

  /**
   * Connects to a node, which then reports its topics. A node that shares no topic with this one is
   * asked nothing.
   */
  async #visit(walker: Walk, nodeId: string): Promise<boolean> {
    const [wanted] = this.#hungry;
    if (wanted === undefined) return false;
    this.#counts.visited++;
    const wasHere = this.#peers.get(nodeId) !== undefined;
    await this.#init.members.reach(nodeId, wanted.key.hex, VISIT, 'gossip');
    const remote = this.#peers.get(nodeId)?.remote;
    if (remote?.direction === 'out' && !wasHere) this.#places.set(walker, { nodeId, remote });
    if (this.#isClosed) this.#leave(walker);
    return this.#hungry.some(({ key }) => this.#init.members.isOn(nodeId, key.hex));
  }

  /**
   * Leaves the node that a walker is visiting. The connection made for the visit is closed, unless
   * the visited node is on a topic of this node or is persistent.
   */
  #leave(walker: Walk): void {
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
    const shared = this.#hungry.filter(({ key }) => this.#init.members.isOn(nodeId, key.hex));
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
   * second. It answers about topics that the asking peer is on, too. A peer with a proven id need
   * not be on the topic, because it may only publish; without the proof, the question may be a
   * recorded one. Throws `invalid_argument` if the question is malformed.
   */
  answer({ nodeId, limits }: ConnectedMember, bytes: Uint8Array): { addresses: unknown[] } {
    const { self, sessions, mount } = this.#init;
    const { random, clock } = mount;
    if (this.#options === undefined) return { addresses: [] };
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
/** Shortest pause between two steps of a walker, in milliseconds. */
const PACE = 1_000;
/** Milliseconds until the same node may be asked again. */
const ASK_AGAIN = 60_000;
/** Maximum number of nodes remembered as visited, and as asked. */
const MEMORY = 1_024;
/** Maximum number of nodes in the queue for a visit. */
const LEADS = 64;
