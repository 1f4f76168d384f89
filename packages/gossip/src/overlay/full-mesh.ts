// Everybody sends to everybody: for small topologies that are connected in full, or, over more hops than one, in part.

import { integer, type OptionsInput, optionsSchema, parseOptions, type TransportError, withDefault } from '@trunkline/transport-core';
import { contentDigest } from '../messages/content-digest.ts';
import { type MessageId, messageKey } from '../messages/message-id.ts';
import { SeenMessages } from '../messages/seen-messages.ts';
import type { Push } from '../plumtree/message.ts';
import { type Body, isFor } from './body.ts';
import type { Overlay, OverlayFactory, OverlayHost, OverlaySetup, OwnMessage, Screening } from './overlay.ts';

const schema = optionsSchema({
  /**
   * Links that a message may pass, 1 to 16. Default 1: it is not passed on, and who is not connected to its publisher does not get it. With more
   * every node passes a message that is new to it on to those of its own peers that are on the topic (FISCO-BCOS's chain of multicasts); then
   * any node can say that a message is of another.
   */
  hops: withDefault(integer(1, 16), 1),
});

/** Options of a full mesh. */
export type FullMeshOptions = OptionsInput<typeof schema>;

/**
 * A message goes to every connected peer on the topic, directly. What a slow peer has no room for is queued for it, and dropped beyond that, with
 * a count. For up to some dozens of nodes. Wrong options are a TypeError.
 */
export function fullMesh(options: FullMeshOptions = {}): OverlayFactory {
  const { hops } = parseOptions(schema, options, 'fullMesh');
  return { name: 'fullMesh', holds: false, relays: true, receipts: Number.POSITIVE_INFINITY, create: (setup) => new FullMesh(setup, hops) };
}

export class FullMesh implements Overlay {
  readonly name = 'fullMesh';
  readonly wanted: number;
  readonly passesOn: boolean;
  readonly #self: string;
  readonly #host: OverlayHost;
  readonly #neighbors = new Set<string>();
  readonly #seen: SeenMessages;
  /** Links that a message may pass. */
  readonly #hops: number;

  constructor({ self, host, latest }: OverlaySetup, hops = 1) {
    this.#self = self;
    this.#host = host;
    this.#seen = new SeenMessages({ ...MEMORY, latest });
    this.#hops = hops;
    this.passesOn = hops > 1;
    // Where messages are passed on, who is connected to anybody gets them.
    this.wanted = hops === 1 ? Number.POSITIVE_INFINITY : 1;
  }

  peerUp(peer: string): void {
    if (peer === this.#self || this.#neighbors.has(peer)) return;
    this.#neighbors.add(peer);
    this.#host.neighborUp(peer);
  }

  peerDown(peer: string, error: TransportError | undefined): void {
    if (this.#neighbors.delete(peer)) this.#host.neighborDown(peer, error === undefined ? 'left' : 'lost', error);
  }

  unreachable(): void {}

  publish({ id, body }: OwnMessage): readonly string[] {
    const push: Push<Body> = { kind: 'push', id, hops: 1, payload: body, size: body.payload.length };
    const peers: string[] = [];
    for (const peer of this.#neighbors) if (isFor(body, peer)) peers.push(peer);
    if (this.#host.relay(push, peers)) return peers;
    const handed: string[] = [];
    for (const peer of peers) if (this.#host.send(peer, push)) handed.push(peer);
    return handed;
  }

  offer(peer: string, { id, body }: OwnMessage): boolean {
    if (!this.#neighbors.has(peer) || !isFor(body, peer)) return false;
    return this.#host.send(peer, { kind: 'push', id, hops: 1, payload: body, size: body.payload.length });
  }

  replace(): void {}

  screen(from: string, id: MessageId, now: number, isSigned: boolean): Screening {
    if (id.origin === this.#self || (id.origin !== from && this.#hops === 1)) return 'forged';
    const verdict = this.#seen.look(id, now, isSigned, from);
    if (verdict === 'new' || verdict === 'unsigned') return verdict;
    return verdict === 'seen' ? 'known' : 'old';
  }

  has(id: MessageId, now: number): boolean {
    return this.#seen.lookUp(id, now) === 'seen';
  }

  lifeOf(nodeId: string): number | undefined {
    return this.#seen.lifeOf(nodeId);
  }

  begun(id: MessageId, isSigned: boolean): void {
    this.#seen.begin(id, isSigned);
  }

  pushed(from: string, push: Push<Body>, now: number): void {
    const { id, payload } = push;
    const verdict = this.#seen.note(id, now, contentDigest(payload.payload), payload.signature !== undefined, from);
    if (verdict === 'new') {
      // What its publisher sends has passed one link, whatever it says.
      const hops = id.origin === from ? 1 : push.hops;
      if (hops < this.#hops) this.#passOn(from, { ...push, hops: hops + 1 });
      return this.#host.deliver(push, messageKey(id), from, hops);
    }
    // Who passed it on may have been deceived.
    if (verdict === 'conflict') this.#host.misbehaved(from, 'conflict', id.origin === from);
    if (verdict === 'seen' || verdict === 'conflict') return this.#host.duplicate(id, from);
    this.#host.dropped(id, from, verdict === 'flood' ? 'full' : verdict);
    // A relay passes on what it has not read.
    if (verdict === 'flood' && this.passesOn) this.#host.misbehaved(from, 'origin-flood', true);
  }

  controlled(from: string): void {
    this.#host.speaks(from, 'partialView');
  }

  viewed(from: string): void {
    this.#host.speaks(from, 'partialView');
  }

  arrived(): void {}

  held(): void {}

  refused(): void {}

  writable(): void {}

  wake(now: number): void {
    if (now >= this.due) this.#seen.expire(now);
  }

  get due(): number {
    return this.#seen.due + GRAIN;
  }

  /** What has no room waits elsewhere. */
  unsent(): { readonly messages: number; readonly bytes: number } {
    return NOTHING;
  }

  leave(): void {
    const neighbors = [...this.#neighbors];
    this.#neighbors.clear();
    for (const peer of neighbors) this.#host.neighborDown(peer, 'closed');
  }

  neighbors(): readonly string[] {
    return [...this.#neighbors];
  }

  snapshot(): unknown {
    return { ...this.#seen.size };
  }

  #passOn(from: string, push: Push<Body>): void {
    for (const peer of this.#neighbors) {
      if (peer !== from && peer !== push.id.origin && isFor(push.payload, peer)) this.#host.send(peer, push);
    }
  }
}

const NOTHING = { messages: 0, bytes: 0 };
/** What is kept to tell duplicates: as Plumtree keeps it (plumtree/options.ts), but for the origins, who are neighbours here. */
const MEMORY = { retention: 90_000, originRetention: 600_000, origins: 16_384, gaps: 1_024, digests: 16_384 };
/** What is to be forgotten is looked for once a second. */
const GRAIN = 1_000;
