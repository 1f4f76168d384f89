// The overlay for large topics: HyParView keeps a few links per node among thousands of nodes, and
// Plumtree spreads messages along these links. This machine owns both. It passes an overlay's
// inputs to HyParView and Plumtree, gives each of them the outputs of the other that concern it,
// and passes the remaining outputs on. TopicSession drives it. Also tested in
// ../partial-view.test.ts and ../publish-only.test.ts.

import { type Machine, OutputQueue, sample } from '@trunkline/peers/internal';
import type { Random, TransportError } from '@trunkline/transport-core';
import type { DownCause, PartialViewInput, PartialViewOutput } from '../hyparview/message.ts';
import {
  type PartialViewConfig,
  type PartialViewOptions,
  partialViewConfig,
} from '../hyparview/options.ts';
import { PartialView } from '../hyparview/partial-view.ts';
import { jittered } from '../hyparview/views.ts';
import type { PlumtreeOutput } from '../plumtree/message.ts';
import {
  type PlumtreeOptions,
  type PlumtreeOptionsInput,
  plumtreeOptions,
} from '../plumtree/options.ts';
import { Plumtree } from '../plumtree/plumtree.ts';
import {
  type Body,
  isFor,
  type Overlay,
  type OverlayFactory,
  type OverlayInput,
  type OverlayOutput,
  type OverlaySetup,
  type OwnMessage,
} from './overlay.ts';

/** The options of HyParView, and those of Plumtree as `tree`. */
export interface PartialViewOverlayOptions extends PartialViewOptions {
  readonly tree?: PlumtreeOptionsInput | undefined;
}

/**
 * Creates an overlay for topics of thousands of nodes. Each node keeps `active` links (default 5),
 * dialed as needed, and messages travel along a tree of these links that repairs itself. Throws a
 * TypeError for invalid options.
 */
export function partialView({
  tree = {},
  ...view
}: PartialViewOverlayOptions = {}): OverlayFactory {
  const config = partialViewConfig(view);
  const options = plumtreeOptions(tree);
  return {
    name: 'partialView',
    holds: true,
    relays: false,
    memory: {
      retention: options.idTime,
      originRetention: options.originTime,
      origins: options.origins,
      // Other nodes may have more room, and may pass on messages for which this node has none.
      flood: Math.max(options.origins, DEFAULTS.origins),
      gaps: options.gaps,
    },
    receipts: config.active,
    create: (setup) => new TreeOverlay(setup, config, options),
  };
}

/** The partial view of one topic at one node, and its tree. */
export class TreeOverlay implements Overlay {
  readonly wanted: number;
  readonly passesOn = true;
  readonly #outputs = new OutputQueue<OverlayOutput>();
  readonly #view: PartialView | SubscriberView;
  /** Peers that only publish. They are neighbors in the tree, but not in the view. */
  readonly #sources = new Set<string>();
  readonly #tree: Plumtree<Body>;
  readonly #stallDetector: StallDetector;
  /** True once the view was given the input `join`, which comes with the first peer. */
  #joined = false;

  constructor(setup: OverlaySetup, config: PartialViewConfig, options: PlumtreeOptions) {
    const { random, isSource, isDistrusted } = setup;
    this.wanted = config.active;
    this.#stallDetector = new StallDetector(random);
    this.#view = isSource
      ? new SubscriberView(this.wanted, random, isDistrusted)
      : new PartialView({ ...setup, config });
    this.#tree = new Plumtree<Body>({
      ...setup,
      options: isSource ? { ...options, noticeDelay: SOURCE_NOTICE_DELAY } : options,
    });
  }

  handle(now: number, input: OverlayInput): void {
    switch (input.type) {
      case 'received':
        if (input.message.kind === 'attach') this.#attach(input.from, now);
        else if (input.message.kind === 'push' || this.takesFrom(input.from, input.from))
          this.#tree.handle(now, input);
        else this.#view.handle(now, { type: 'reject', peer: input.from });
        break;
      case 'arrived':
      case 'held':
      case 'released':
      case 'dropped':
        return this.#tree.handle(now, input);
      case 'repeated':
      case 'no-room':
      case 'writable':
        this.#tree.handle(now, input);
        break;
      case 'publish':
        this.#publish(input.message, input.receipts, now);
        break;
      case 'offer':
        this.#offer(input.peer, input.message, now);
        break;
      case 'replace':
        this.#tree.withdraw(input.id);
        this.#spread(input.by, now);
        break;
      case 'peer-up':
        if (!this.#joined) this.#view.handle(now, { type: 'join', contacts: [] });
        this.#joined = true;
        this.#view.handle(now, { type: 'found', nodes: [input.peer], isChosen: input.isChosen });
        break;
      case 'peer-down':
        if (input.error !== undefined) this.#detach(input.peer, now);
        // The end of a link that the view doesn't use gives no information about the node at the
        // other end. A view of subscribers has only connected ones.
        if (
          input.error === undefined ||
          this.#view instanceof SubscriberView ||
          this.#view.isNeighbor(input.peer)
        )
          this.#view.handle(now, { type: 'lost', peer: input.peer, error: input.error });
        break;
      case 'viewed':
        this.#view.handle(now, { type: 'received', from: input.from, message: input.message });
        break;
      case 'lost':
      case 'reject':
      case 'distrusted':
      case 'leave':
        this.#view.handle(now, input);
        break;
      case 'wake':
        return this.#wake(now);
    }
    this.#settle(now);
  }

  poll(): OverlayOutput | undefined {
    return this.#outputs.poll() ?? this.#tree.pollOwed();
  }

  get wakeAt(): number {
    return Math.min(this.#view.wakeAt, this.#tree.wakeAt, this.#stallDetector.due);
  }

  takesFrom(peer: string, origin: string): boolean {
    return this.#view.isNeighbor(peer) || (this.#sources.has(peer) && origin === peer);
  }

  unsent(peer: string): { readonly messages: number; readonly bytes: number } {
    return this.#tree.unsent(peer);
  }

  neighbors(): readonly string[] {
    return this.#view.active();
  }

  snapshot(): unknown {
    return {
      active: this.#view.active(),
      passive: this.#view.passive(),
      tree: this.#tree.snapshot(),
      counters: { ...this.#tree.counters },
    };
  }

  /**
   * Called when a peer has announced that it only publishes: it becomes a neighbor in the tree
   * only, and is no neighbor in the view any more.
   */
  #attach(peer: string, now: number): void {
    if (this.#view.isNeighbor(peer)) {
      this.#view.handle(now, { type: 'lost', peer, error: undefined });
      this.#settle(now);
    }
    this.#sources.add(peer);
    this.#tree.handle(now, { type: 'neighbor-up', peer, isSource: true });
  }

  /** Called when a peer is gone or becomes a neighbor in the view: it no longer only publishes. */
  #detach(peer: string, now: number): void {
    if (this.#sources.delete(peer)) this.#tree.handle(now, { type: 'neighbor-down', peer });
  }

  /**
   * Spreads a message. With `receipts`, pushes it to further neighbors if the tree has pushed it to
   * too few, and names only those that got a push.
   */
  #publish(message: OwnMessage, receipts: number, now: number): void {
    this.#spread(message, now);
    const to = this.#view.active().filter((peer) => isFor(message.payload, peer));
    if (receipts === 0) return this.#handed(to, now);
    const asked = to.filter((peer) => this.#tree.isEager(peer));
    for (const peer of to) {
      if (asked.length >= receipts) break;
      if (!asked.includes(peer) && this.#tree.serve(peer, message, false, now)) asked.push(peer);
    }
    this.#handed(asked, now);
  }

  /**
   * Sends a neighbor the message or a notice of it. A new neighbor gets notices of all cached
   * messages anyway. It gets the message itself if it is to confirm it, or if the message is not
   * cached, because it was evicted or published over an earlier overlay.
   */
  #offer(peer: string, message: OwnMessage, now: number): void {
    const { payload } = message;
    if (!this.#view.isNeighbor(peer) || !isFor(payload, peer)) return;
    if (this.#tree.serve(peer, message, payload.receipt !== true, now)) this.#handed([peer], now);
  }

  #handed(to: readonly string[], now: number): void {
    this.#settle(now);
    this.#outputs.add({ type: 'handed', to });
  }

  #spread(push: OwnMessage, now: number): void {
    this.#tree.handle(now, { type: 'publish', push });
    this.#settle(now);
  }

  #wake(now: number): void {
    for (const part of [this.#view, this.#tree]) {
      if (now < part.wakeAt) continue;
      part.handle(now, { type: 'wake' });
      this.#settle(now);
    }
    if (this.#stallDetector.isLong(now, this.#view.isPressed(now))) {
      this.#view.handle(now, { type: 'seek' });
      this.#settle(now);
    }
  }

  /**
   * Takes the outputs of the view and the tree: each gets the outputs of the other that concern it.
   */
  #settle(now: number): void {
    for (;;) {
      for (let told = this.#tree.poll(); told !== undefined; told = this.#tree.poll())
        this.#onTree(told, now);
      const output = this.#view.poll();
      if (output === undefined) return;
      this.#onView(output, now);
    }
  }

  #onTree(output: PlumtreeOutput<Body>, now: number): void {
    if (output.type === 'gave') {
      // The output may have waited while its peer left the view.
      if (this.#sources.has(output.peer) || !this.#view.isNeighbor(output.peer)) return;
      this.#view.handle(now, output);
      this.#stallDetector.heard(output.peer, now);
    } else {
      this.#outputs.add(output);
      // The peer takes messages and passes nothing on. A node with only such neighbors would
      // receive nothing.
      if (output.type === 'misbehaved' && output.what === 'mute')
        this.#view.handle(now, { type: 'dismiss', peer: output.peer });
    }
  }

  #onView(output: PartialViewOutput, now: number): void {
    if (output.type !== 'send-view') {
      if (output.type === 'neighbor-up') this.#detach(output.peer, now);
      else this.#stallDetector.gone(output.peer, now);
      this.#tree.handle(now, output);
    }
    this.#outputs.add(output);
  }
}

const DEFAULTS = plumtreeOptions();
/**
 * The `noticeDelay` of a node that only publishes. Its messages usually come along the tree first;
 * a node that asks for a message too early would be the one that gets all further messages.
 */
const SOURCE_NOTICE_DELAY = 1_000;

// Detects that no neighbor sends messages any more although messages arrived before. Either the
// topic is quiet, or all neighbors keep the messages to themselves.

/**
 * A silence counts as long when it has lasted 10 s, or four times the mean pause between messages
 * if that is more, up to 16 minutes. If no neighbor that sent messages is left, half a second is
 * enough. `isLong` then returns true once, and again after intervals that double each time, until a
 * neighbor sends a message or a notice. While all links may belong to one attacker (`isPressed`),
 * the interval stays at 10 s. Each time TreeOverlay gives the view the input `seek`.
 */
export class StallDetector {
  /** Time at which to call `isLong`; Infinity until the first message. */
  due = Number.POSITIVE_INFINITY;
  readonly #random: Random;
  /** Neighbors that sent messages or notices. */
  readonly #givers = new Set<string>();
  /** Time of the last message or notice, mean pause between them, and silence that is long. */
  #last = Number.NaN;
  #mean = 0;
  #pause = SHORTEST;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Called when a neighbor has sent a message, or given notice of a message. */
  heard(peer: string, now: number): void {
    this.#givers.add(peer);
    if (!Number.isNaN(this.#last)) this.#mean += (now - this.#last - this.#mean) / FADE;
    this.#last = now;
    this.#pause = Math.min(MOST, Math.max(SHORTEST, 4 * this.#mean));
    this.due = now + this.#pause;
  }

  /** Called when the peer is no longer a neighbor. */
  gone(peer: string, now: number): void {
    if (this.#givers.delete(peer) && this.#givers.size === 0)
      this.due = Math.min(this.due, now + jittered(AT_ONCE, this.#random));
  }

  /** Returns true once if the silence is long now. */
  isLong(now: number, isPressed: boolean): boolean {
    if (now < this.due) return false;
    this.due = now + jittered(isPressed ? SHORTEST : this.#pause, this.#random);
    this.#pause = Math.min(MOST, 2 * this.#pause);
    return true;
  }
}

/** Bounds of the silence that counts as long, in milliseconds. */
const SHORTEST = 10_000;
const MOST = 16 * 60_000;
/** Inverse weight of the latest pause in the moving average: the pause has a weight of 1/16. */
const FADE = 16;
/** Milliseconds of silence that are enough if no neighbor is left that sent messages. */
const AT_ONCE = 500;

// The view of a node that only publishes on a topic: it knows the connected subscribers, and a few
// of them are its neighbors. It sends no messages, because the subscribers keep no links to it. It
// takes the place of PartialView, and ignores the inputs that it does not need.

export class SubscriberView implements Machine<PartialViewInput, PartialViewOutput> {
  readonly wakeAt = Number.POSITIVE_INFINITY;
  readonly #most: number;
  readonly #random: Random;
  readonly #isDistrusted: (peer: string) => boolean;
  readonly #outputs = new OutputQueue<PartialViewOutput>();
  readonly #subscribers = new Set<string>();
  readonly #neighbors = new Set<string>();

  /**
   * @param most the maximum number of neighbors
   * @param isDistrusted returns true for the subscribers to choose last
   */
  constructor(most: number, random: Random, isDistrusted: (peer: string) => boolean) {
    this.#isDistrusted = isDistrusted;
    this.#most = most;
    this.#random = random;
  }

  handle(_now: number, input: PartialViewInput): void {
    switch (input.type) {
      case 'found':
        for (const peer of input.nodes) this.#subscribers.add(peer);
        return this.#fill();
      case 'received':
        // The subscriber has another overlay since this node attached to it.
        if (Object(input.message).type === 'disconnect') this.#remove(input.from, 'disconnected');
        return;
      case 'lost':
        this.#subscribers.delete(input.peer);
        return this.#remove(input.peer, input.error === undefined ? 'left' : 'lost', input.error);
      case 'distrusted':
        return this.#replace();
      case 'dismiss':
        this.#subscribers.delete(input.peer);
        return this.#remove(input.peer, 'evicted');
      case 'leave':
        this.#subscribers.clear();
        for (const peer of this.active()) this.#remove(peer, 'closed');
        return;
    }
  }

  poll(): PartialViewOutput | undefined {
    return this.#outputs.poll();
  }

  active(): string[] {
    return [...this.#neighbors];
  }

  /** The connected subscribers that are no neighbors. */
  passive(): string[] {
    return [...this.#subscribers].filter((peer) => !this.#neighbors.has(peer));
  }

  isNeighbor(peer: string): boolean {
    return this.#neighbors.has(peer);
  }

  /** Always false: no subscriber asks this node for a link. */
  isPressed(): boolean {
    return false;
  }

  #fill(): void {
    const others = sample(this.passive(), Number.POSITIVE_INFINITY, this.#random);
    const rank = (peer: string) => Number(this.#isDistrusted(peer));
    others.sort((one, other) => rank(one) - rank(other));
    for (const peer of others.slice(0, this.#most - this.#neighbors.size)) {
      this.#neighbors.add(peer);
      this.#outputs.add({ type: 'neighbor-up', peer });
    }
  }

  /** Replaces a distrusted neighbor if a trusted subscriber is left. */
  #replace(): void {
    const distrusted = this.active().find(this.#isDistrusted);
    if (distrusted === undefined || this.passive().every(this.#isDistrusted)) return;
    this.#remove(distrusted, 'evicted');
  }

  /** Removes a neighbor. While it is a subscriber, it may become a neighbor again at once. */
  #remove(peer: string, cause: DownCause, error?: TransportError): void {
    if (!this.#neighbors.delete(peer)) return;
    this.#outputs.add({ type: 'neighbor-down', peer, cause, error });
    this.#fill();
  }
}
