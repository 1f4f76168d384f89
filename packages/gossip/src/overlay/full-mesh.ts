// Everybody sends to everybody: for small topologies that are connected in full. Nobody relays.

import type { TransportError } from '@trunkline/transport-core';
import { contentDigest } from '../messages/content-digest.ts';
import type { MessageId } from '../messages/message-id.ts';
import { SeenMessages } from '../messages/seen-messages.ts';
import type { Push } from '../plumtree/message.ts';
import { type Body, isFor } from './body.ts';
import type { Overlay, OverlayFactory, OverlayHost, OverlaySetup, OwnMessage, Screening } from './overlay.ts';

/**
 * A message goes to every connected peer on the topic, directly, and is not passed on: who is not connected to its publisher does not get it.
 * What a slow peer has no room for is queued for it, and dropped beyond that, with a count. For up to some dozens of nodes.
 */
export function fullMesh(): OverlayFactory {
  return { name: 'fullMesh', holds: false, create: (setup) => new FullMesh(setup) };
}

export class FullMesh implements Overlay {
  readonly name = 'fullMesh';
  readonly #self: string;
  readonly #host: OverlayHost;
  readonly #neighbors = new Set<string>();
  readonly #seen = new SeenMessages(MEMORY);

  constructor({ self, host }: OverlaySetup) {
    this.#self = self;
    this.#host = host;
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

  publish(message: OwnMessage): readonly string[] {
    const handed: string[] = [];
    for (const peer of this.#neighbors) if (this.offer(peer, message)) handed.push(peer);
    return handed;
  }

  offer(peer: string, { id, body }: OwnMessage): boolean {
    if (!this.#neighbors.has(peer) || !isFor(body, peer)) return false;
    if (this.#host.send(peer, { kind: 'push', id, hops: 1, payload: body, size: body.payload.length })) return true;
    this.#host.dropped(id, peer, 'no-room');
    return false;
  }

  screen(from: string, id: MessageId, now: number): Screening {
    if (id.origin !== from) return 'forged';
    return this.#seen.look(id, now) === 'new' ? 'new' : 'known';
  }

  pushed(from: string, push: Push<Body>, now: number): void {
    const { id, payload } = push;
    const verdict = this.#seen.note(id, now, contentDigest(payload.payload));
    if (verdict === 'new') return this.#host.deliver(push, { id, origin: id.origin, from, hops: 1 });
    if (verdict === 'conflict') this.#host.misbehaved(from, 'conflict', true);
    if (verdict === 'seen' || verdict === 'conflict') this.#host.duplicate(id, from);
    else this.#host.dropped(id, from, verdict);
  }

  controlled(from: string): void {
    this.#host.misbehaved(from, 'malformed', true);
  }

  viewed(from: string): void {
    this.#host.misbehaved(from, 'malformed', true);
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
}

/** What is kept to tell duplicates: as Plumtree keeps it (plumtree/options.ts), but for the origins, who are neighbours here. */
const MEMORY = { retention: 90_000, originRetention: 600_000, origins: 16_384, gaps: 1_024, digests: 16_384 };
/** What is to be forgotten is looked for once a second. */
const GRAIN = 1_000;
