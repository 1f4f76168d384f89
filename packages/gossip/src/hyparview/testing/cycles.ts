// A cycle engine like PeerSim's: thousands of partial views in one process exchange messages in
// rounds, without codecs.

import type { Random } from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';
import { partsOf, shuffle } from '../../plumtree/testing/overlay.ts';
import type { DownCause, PartialViewInput, PartialViewMessage } from '../message.ts';
import { type PartialViewOptions, partialViewConfig } from '../options.ts';
import { PartialView } from '../partial-view.ts';

/** Options of the engine. */
export interface CyclesOptions {
  readonly nodes: number;
  readonly seed: number;
  readonly options?: PartialViewOptions | undefined;
  /**
   * Number of ids in each node's address book, drawn from all nodes that ever existed, including
   * dead ones. A node that lacks peers gets 16 of these ids ten times per cycle, and up to 16 times
   * after each failure that is seen. Default 0.
   */
  readonly book?: number | undefined;
  /**
   * The time at which the death of a node is noticed if no neighbor saw it, and the nodes that
   * notice it. Default `write`.
   * - `write`: by a node that writes to it, at once, as if the dead node's machine refused the
   *   connection.
   * - `later`: by a node that wrote to it, when the next cycle begins.
   * - `keep-alive`: by all its neighbors, when the next cycle begins, as if each link were tested
   *   (a black hole under a transport that pings).
   */
  readonly notice?: 'write' | 'later' | 'keep-alive' | undefined;
  /** Milliseconds between two joins in `build`. Default 100. */
  readonly joinInterval?: number | undefined;
  /**
   * Called for messages to the id of an attacker, which is not one of the nodes. Returns the
   * attacker's answer, if any.
   */
  readonly foreign?:
    | ((node: number, id: string, message: PartialViewMessage) => PartialViewMessage | undefined)
    | undefined;
  /** Called when a node gets or loses a neighbor. */
  readonly up?: ((node: number, peer: number) => void) | undefined;
  readonly down?: ((node: number, peer: number, cause: DownCause) => void) | undefined;
}

/**
 * A message under way. Its sender may be an attacker. An undefined message informs the receiver
 * that the sender is lost.
 */
interface Sent {
  readonly from: string;
  readonly to: number;
  readonly message: PartialViewMessage | undefined;
}

/** The engine: all views, the messages between them, and the time. */
export class Cycles {
  readonly random: Random;
  readonly #setup: CyclesOptions;
  /** Returns the fault that happens to a message; undefined if it arrives. */
  fault: ((random: Random) => 'lose' | 'repeat' | 'delay' | undefined) | undefined;
  readonly #interval: number;
  readonly #views: PartialView[] = [];
  readonly #ids: string[] = [];
  readonly #indices = new Map<string, number>();
  readonly #alive: boolean[] = [];
  /** Messages of the next round. */
  #sent: Sent[] = [];
  #silent: [node: number, peer: number][] = [];
  /** The side of each node in a partition. Only nodes of the same side reach each other. */
  #sides: number[] | undefined;
  now = 0;

  constructor(setup: CyclesOptions) {
    this.#setup = setup;
    this.#interval = setup.options?.shuffleInterval ?? 60_000;
    this.random = seededRandom(setup.seed);
  }

  get size(): number {
    return this.#views.length;
  }

  view(node: number): PartialView {
    return this.#views[node]!;
  }

  id(node: number): string {
    return this.#ids[node]!;
  }

  indexOf(id: string): number {
    return this.#indices.get(id)!;
  }

  isAlive(node: number): boolean {
    return this.#alive[node]!;
  }

  living(): number[] {
    return [...this.#alive.keys()].filter((node) => this.#alive[node]);
  }

  /**
   * Adds all nodes, which join one after the other through the first, and then runs `cycles`
   * cycles.
   */
  build(cycles = 50): this {
    for (let node = 0; node < this.#setup.nodes; node++) this.join(node === 0 ? undefined : 0);
    for (let cycle = 0; cycle < cycles; cycle++) this.cycle();
    return this;
  }

  /**
   * Adds a node, which joins through `contact`, and returns its index. If `again` is given, the
   * dead node with that index comes back instead.
   */
  join(contact: number | undefined, again?: number): number {
    const node = again ?? this.size;
    const self = this.#ids[node] ?? `n${node}`;
    this.#ids[node] = self;
    this.#indices.set(self, node);
    this.#alive[node] = true;
    this.now += this.#setup.joinInterval ?? 100;
    const config = partialViewConfig(this.#setup.options);
    const { random, now } = this;
    const isDistrusted = () => false;
    this.#views[node] = new PartialView({ self, random, now, isDistrusted, config });
    this.#tell(node, { type: 'join', contacts: contact === undefined ? [] : [this.id(contact)] });
    this.settle();
    return node;
  }

  /**
   * Runs one shuffle interval: each node shuffles once on average, and performs all other work that
   * is due.
   */
  cycle(): void {
    const noticed = this.#silent;
    this.#silent = [];
    for (const [node, peer] of noticed) this.#lost(node, peer);
    if (this.#setup.notice === 'keep-alive')
      this.#loseUnreachable(shuffle(this.living(), this.random));
    this.settle();
    const start = this.now;
    for (let step = 1; step <= STEPS; step++) {
      this.now = Math.max(this.now, start + (this.#interval * step) / STEPS);
      this.#feed();
      for (const node of this.living())
        if (this.#views[node]!.wakeAt <= this.now) this.#tell(node, { type: 'wake' });
      this.settle();
    }
  }

  /**
   * Kills nodes. With `seen`, their neighbors see the links close; otherwise they notice it
   * according to the option `notice`.
   */
  fail(nodes: readonly number[], seen: boolean): void {
    for (const node of nodes) this.#alive[node] = false;
    if (!seen) return;
    this.#loseUnreachable(shuffle(this.living(), this.random));
    this.settle();
    for (let i = 0; i < FEEDS && this.#feed(); i++) this.settle();
  }

  /** Makes a node leave the overlay and end. */
  leave(node: number): void {
    this.#tell(node, { type: 'leave' });
    this.settle();
    this.#alive[node] = false;
  }

  /** Breaks the link between two nodes. If they are neighbors, both are informed. */
  lose(node: number, peer: number): void {
    if (this.#views[node]!.isNeighbor(this.id(peer))) this.#lost(node, peer);
    if (this.#views[peer]!.isNeighbor(this.id(node))) this.#lost(peer, node);
    this.settle();
  }

  /** Gives a node `count` entries of its address book. */
  consult(node: number, count: number): void {
    const book = this.#setup.book ?? 0;
    const nodes = Array.from({ length: count }, () =>
      this.#entry(node, Math.floor(this.random() * book)),
    );
    this.#tell(node, { type: 'found', nodes, isChosen: true });
  }

  /**
   * Returns a random share of the living nodes. It always contains the first node, through which
   * all joined.
   */
  draw(share: number): number[] {
    const living = this.living();
    const others = living.filter((node) => node > 0);
    const drawn = [...(this.isAlive(0) ? [0] : []), ...shuffle(others, this.random)];
    return drawn.slice(0, Math.round(share * living.length));
  }

  /**
   * Splits the network: nodes of different sides can't reach each other, and links between them
   * fail at once. Undefined removes the split.
   */
  part(side: ((node: number) => number) | undefined): void {
    this.#sides = side === undefined ? undefined : this.#views.map((_, node) => side(node));
    this.#loseUnreachable(this.living());
    this.settle();
  }

  /** Delivers messages until none is under way. */
  settle(): void {
    for (let round = 0; this.#sent.length > 0; round++) {
      if (round > MOST_ROUNDS) throw new Error(`still busy after ${MOST_ROUNDS} rounds`);
      this.now += ROUND;
      const sent = this.#sent;
      this.#sent = [];
      for (const each of sent) this.#deliver(each);
    }
  }

  /** Returns the living neighbors of each living node, as positions among the living. */
  links(): number[][] {
    const living = this.living();
    const places = new Map(living.map((node, place) => [this.id(node), place]));
    return living.map((node) =>
      this.view(node)
        .active()
        .flatMap((peer) => places.get(peer) ?? []),
    );
  }

  /**
   * Returns the sizes of the connected parts, the largest first. Only links known at both ends
   * count.
   */
  parts(): number[] {
    const links = this.links();
    const mutual = links.flatMap((peers, node) =>
      peers.filter((peer) => links[peer]!.includes(node)).map((peer) => [node, peer] as const),
    );
    return partsOf(links.length, mutual)
      .map(({ length }) => length)
      .sort((a, b) => b - a);
  }

  /** Returns the share of nodes that have `degree` links, each known at both ends. */
  fullSymmetric(degree: number): number {
    const links = this.links();
    const isFull = (peers: readonly number[], node: number) =>
      peers.length === degree && peers.every((peer) => links[peer]!.includes(node));
    return links.filter(isFull).length / links.length;
  }

  /** Returns the links that only one end knows, as [the end that knows it, the other end]. */
  oneSided(): [node: number, peer: number][] {
    return this.living().flatMap((node) => {
      const peers = this.view(node)
        .active()
        .map((peer) => this.indexOf(peer));
      const isOneSided = (peer: number) =>
        !this.isAlive(peer) || !this.view(peer).isNeighbor(this.id(node));
      return peers.filter(isOneSided).map((peer): [number, number] => [node, peer]);
    });
  }

  /** Makes a node write to another one, and notice if that one is dead. */
  write(from: number, to: number): void {
    if (this.#alive[from] && !this.#alive[to]) this.#fate(from, to);
  }

  /** Delivers a message from an attacker, which is not one of the nodes. */
  inject(from: string, node: number, message: PartialViewMessage): void {
    if (this.#alive[node]) this.#tell(node, { type: 'received', from, message });
  }

  /** Gives a view an input, and carries out its outputs. */
  #tell(node: number, input: PartialViewInput): void {
    const view = this.#views[node]!;
    const { up, down } = this.#setup;
    view.handle(this.now, input);
    for (let output = view.poll(); output !== undefined; output = view.poll()) {
      if (output.type === 'send-view') this.#send(node, output.to, output.message);
      else if (output.type === 'neighbor-up') up?.(node, this.#indices.get(output.peer) ?? -1);
      else down?.(node, this.#indices.get(output.peer) ?? -1, output.cause);
    }
  }

  #send(node: number, id: string, message: PartialViewMessage): void {
    const to = this.#indices.get(id);
    if (to === undefined) {
      const answer = this.#setup.foreign?.(node, id, message);
      if (answer !== undefined) this.#sent.push({ from: id, to: node, message: answer });
      return;
    }
    if (!this.#alive[node]) return;
    const fault = this.fault?.(this.random);
    if (fault === 'lose') return;
    const sent = { from: this.id(node), to, message };
    // A delayed message overtakes other messages of this round, or is overtaken by them.
    const place = fault === 'delay' ? Math.floor(this.random() * (this.#sent.length + 1)) : -1;
    if (place >= 0) this.#sent.splice(place, 0, sent);
    else this.#sent.push(sent);
    if (fault === 'repeat') this.#sent.push(sent);
  }

  #deliver({ from, to, message }: Sent): void {
    const sender = this.#indices.get(from);
    if (sender === undefined) return this.inject(from, to, message!);
    if (message === undefined) return this.#lost(to, sender);
    if (!this.#reaches(sender, to)) return this.#fate(sender, to);
    this.#tell(to, { type: 'received', from, message });
  }

  /** Handles a message to a node that can't be reached. */
  #fate(from: number, to: number): void {
    if ((this.#setup.notice ?? 'write') === 'write')
      this.#sent.push({ from: this.id(to), to: from, message: undefined });
    else this.#silent.push([from, to]);
  }

  /** Informs nodes of the loss of their neighbors that are dead or on another side. */
  #loseUnreachable(nodes: readonly number[]): void {
    for (const node of nodes) {
      for (const peer of this.#views[node]!.active()) {
        const other = this.#indices.get(peer);
        if (other !== undefined && !this.#reaches(node, other)) this.#lost(node, other);
      }
    }
  }

  #lost(node: number, peer: number): void {
    if (this.#alive[node])
      this.#tell(node, { type: 'lost', peer: this.#ids[peer]!, error: undefined });
  }

  #reaches(from: number, to: number): boolean {
    return this.#alive[to]! && (this.#sides === undefined || this.#sides[from] === this.#sides[to]);
  }

  /**
   * Gives each node that lacks peers some entries of its address book. Returns true if there was
   * such a node.
   */
  #feed(): boolean {
    const book = this.#setup.book ?? 0;
    if (book === 0) return false;
    const hungry = this.living().filter((node) => this.#views[node]!.isHungry);
    for (const node of hungry) this.consult(node, FEED);
    return hungry.length > 0;
  }

  /** Returns the entry at a position of a node's address book; it is always the same. */
  #entry(node: number, place: number): string {
    const mixed = Math.imul(Math.imul(node + 1, 0x9e37_79b1) ^ (place + 1), 0x85eb_ca6b);
    return this.id(((mixed ^ (mixed >>> 15)) >>> 0) % this.size);
  }
}

/** Milliseconds per round. */
const ROUND = 10;
/** Number of times per cycle that timers are checked. */
const STEPS = 10;
const MOST_ROUNDS = 10_000;
/**
 * Number of entries given at once to a node that lacks peers, and maximum number of times that this
 * happens after a failure.
 */
const FEED = 16;
const FEEDS = 16;
