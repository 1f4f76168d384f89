// The overlay for large topics: HyParView keeps a few links per node among thousands of nodes, and
// Plumtree spreads messages along these links.

import type { TransportError } from '@trunkline/transport-core';
import type { PartialViewInput } from '../hyparview/interface.ts';
import type { PartialViewMessage } from '../hyparview/message.ts';
import { type PartialViewOptions, partialViewConfig } from '../hyparview/options.ts';
import { PartialView } from '../hyparview/partial-view.ts';
import { contentDigest } from '../messages/content-digest.ts';
import type { MessageId } from '../messages/message-id.ts';
import type { Control, Push } from '../plumtree/message.ts';
import {
  type PlumtreeOptions,
  type PlumtreeOptionsInput,
  plumtreeOptions,
} from '../plumtree/options.ts';
import { Plumtree } from '../plumtree/plumtree.ts';
import { type Body, isFor } from './body.ts';
import type {
  Overlay,
  OverlayFactory,
  OverlayHost,
  OverlaySetup,
  OwnMessage,
  Screening,
} from './overlay.ts';
import { StallDetector } from './stall-detector.ts';

/** Options of HyParView, and those of Plumtree as `tree`. */
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
  const { active } = partialViewConfig(view);
  const options = plumtreeOptions(tree);
  return {
    name: 'partialView',
    holds: true,
    relays: false,
    receipts: active,
    create: (setup) => new TreeOverlay(setup, view, options),
  };
}

class TreeOverlay implements Overlay {
  readonly name = 'partialView';
  readonly wanted: number;
  readonly passesOn = true;
  readonly #self: string;
  readonly #host: OverlayHost;
  readonly #view: PartialView;
  #isBusy = false;
  readonly #tree: Plumtree<Body>;
  readonly #stallDetector: StallDetector;
  #joined = false;
  /** The time of the current input, because the callbacks of the view don't pass one. */
  #now: number;

  constructor(
    { self, random, now, host, latest }: OverlaySetup,
    view: PartialViewOptions,
    options: PlumtreeOptions,
  ) {
    this.wanted = partialViewConfig(view).active;
    this.#self = self;
    this.#now = now;
    this.#stallDetector = new StallDetector(random);
    this.#view = new PartialView({
      self,
      random,
      now,
      options: view,
    });
    this.#host = host;
    this.#tree = new Plumtree<Body>({
      self,
      options,
      digest: ({ payload }) => contentDigest(payload),
      isSigned: ({ signature }) => signature !== undefined,
      latest,
      host: {
        trySend: (to, push) => host.trySend(to, push),
        send: (to, control) => host.control(to, control),
        deliver: (push, { key, from, hops }) => host.deliver(push, key, from, hops),
        grafted: (peer) => host.grafted(peer),
        pruned: (peer) => host.pruned(peer),
        gave: (peer) => {
          this.#view.handle(this.#now, { type: 'gave', peer });
          this.#stallDetector.heard(peer, this.#now);
        },
        duplicate: (id, from) => host.duplicate(id, from),
        dropped: (id, from, reason) => host.dropped(id, from, reason),
        misbehaved: (peer, what) => {
          host.misbehaved(peer, what, what !== 'conflict' && what !== 'impostor');
          // The peer takes messages and passes nothing on. A node that relied on it alone would
          // hear nothing.
          if (what === 'mute') this.#tell(this.#now, { type: 'dismiss', peer });
        },
      },
    });
  }

  peerUp(peer: string, isChosen: boolean, now: number): void {
    this.#now = now;
    if (!this.#joined) this.#tell(now, { type: 'join', contacts: [] });
    this.#joined = true;
    this.#tell(now, { type: 'known', nodes: [peer], isChosen });
  }

  peerDown(peer: string, error: TransportError | undefined, now: number): void {
    this.#now = now;
    // If a link that the view doesn't use ends, that says nothing about its node.
    if (error === undefined || this.#view.isNeighbor(peer))
      this.#tell(now, { type: 'lost', peer, error });
  }

  unreachable(peer: string, error: TransportError, now: number): void {
    this.#now = now;
    this.#tell(now, { type: 'lost', peer, error });
  }

  publish({ id, body }: OwnMessage, now: number, receipts: number): readonly string[] {
    this.#now = now;
    this.#tree.publish({ id, payload: body, size: body.payload.length }, now);
    const peers = this.#view.active().filter((peer) => isFor(body, peer));
    if (receipts === 0) return peers;
    const asked = peers.filter((peer) => this.#tree.isEager(peer));
    for (const peer of peers)
      if (asked.length < receipts && !asked.includes(peer) && this.#tree.push(peer, id))
        asked.push(peer);
    return asked;
  }

  /**
   * Returns true if the neighbor gets the message or a notice of it. A new neighbor gets notice of
   * all cached messages in any case; one that is to confirm the message is pushed the message
   * itself.
   */
  offer(peer: string, { id, body }: OwnMessage, now: number): boolean {
    this.#now = now;
    if (!this.#view.isNeighbor(peer) || !isFor(body, peer)) return false;
    return body.receipt !== true || this.#tree.push(peer, id);
  }

  replace(id: MessageId, { id: newId, body }: OwnMessage, now: number): void {
    this.#now = now;
    this.#tree.withdraw(id);
    this.#tree.publish({ id: newId, payload: body, size: body.payload.length }, now);
  }

  screen(from: string, id: MessageId, now: number, isSigned: boolean): Screening {
    if (!this.#view.isNeighbor(from)) {
      this.#now = now;
      this.#tell(now, { type: 'stranger', peer: from });
      return 'stranger';
    }
    const verdict = id.origin === this.#self ? 'seen' : this.#tree.screen(id, now, isSigned, from);
    return verdict === 'new' || verdict === 'unsigned' ? verdict : 'known';
  }

  has(id: MessageId, now: number): boolean {
    return id.origin === this.#self || this.#tree.isKnown(id, now);
  }

  lifeOf(nodeId: string): number | undefined {
    return this.#tree.lifeOf(nodeId);
  }

  /**
   * Does nothing: other nodes may still bring messages of the older life, so only its number tells.
   */
  begun(): void {}

  arrived(from: string, id: MessageId, now: number): void {
    this.#tree.arrived(from, id, now);
  }

  held(id: MessageId): void {
    this.#tree.hold(id);
  }

  refused(id: MessageId): void {
    this.#tree.refuse(id);
  }

  pushed(from: string, push: Push<Body>, now: number): void {
    this.#now = now;
    this.#tree.received(from, push, now);
  }

  controlled(from: string, control: Control, now: number): void {
    this.#now = now;
    if (this.#view.isNeighbor(from)) this.#tree.received(from, control, now);
    else this.#tell(now, { type: 'stranger', peer: from });
  }

  viewed(from: string, message: unknown, now: number): void {
    this.#now = now;
    this.#tell(now, { type: 'received', from, message: message as PartialViewMessage });
  }

  writable(peer: string, now: number): void {
    this.#now = now;
    this.#tree.writable(peer, now);
  }

  wake(now: number): void {
    this.#now = now;
    if (now >= this.#view.wakeAt) this.#tell(now, { type: 'wake' });
    if (now >= this.#tree.due) this.#tree.wake(now);
    if (this.#stallDetector.isLong(now, this.#view.isPressed(now)))
      this.#tell(now, { type: 'seek' });
  }

  get due(): number {
    return Math.min(this.#view.wakeAt, this.#tree.due, this.#stallDetector.due);
  }

  unsent(peer: string): { readonly messages: number; readonly bytes: number } {
    return this.#tree.unsent(peer);
  }

  leave(now: number): void {
    this.#now = now;
    this.#tell(now, { type: 'leave' });
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

  /** Gives the view an input, and carries out its outputs. */
  #tell(now: number, input: PartialViewInput): void {
    this.#view.handle(now, input);
    if (this.#isBusy) return;
    this.#isBusy = true;
    for (let output = this.#view.poll(); output !== undefined; output = this.#view.poll()) {
      if (output.type === 'send') this.#host.view(output.to, { ...output.message });
      else if (output.type === 'up') {
        this.#tree.neighborUp(output.peer, now);
        this.#host.neighborUp(output.peer);
      } else {
        this.#tree.neighborDown(output.peer);
        this.#stallDetector.gone(output.peer, now);
        this.#host.neighborDown(output.peer, output.cause, output.error);
      }
    }
    this.#isBusy = false;
  }
}
