// The overlay for small topics: every node sends to every peer. Messages travel one hop in fully
// connected topologies, and several hops in partly connected topologies. This machine owns the
// neighbors. It processes the inputs of an overlay, and its outputs send messages. TopicSession
// drives it. Tested in ../hops.test.ts and by most tests of whole nodes.

import { OutputQueue } from '@trunkline/peers/internal';
import type { TransportError } from '@trunkline/transport-core';
import {
  type OptionsInput,
  option,
  optionsSchema,
  parseOptions,
} from '@trunkline/transport-core/backend';
import type { DownCause } from '../hyparview/message.ts';
import type { Push } from '../plumtree/message.ts';
import {
  type Body,
  isFor,
  type Overlay,
  type OverlayFactory,
  type OverlayInput,
  type OverlayOutput,
  type OwnMessage,
} from './overlay.ts';

const schema = optionsSchema({
  /**
   * Maximum number of links that a message travels, 1 to 16. Default 1: a message is not passed on,
   * so only nodes that are connected to its publisher get it. With more hops, every node passes
   * each message that is new to it on to its own peers on the topic (FISCO-BCOS's chain of
   * multicasts). In that case, any node can claim that a message comes from another node.
   */
  hops: option.withDefault(option.integer(1, 16), 1),
});

/** Options of a full mesh. */
export type FullMeshOptions = OptionsInput<typeof schema>;

/**
 * Creates an overlay that sends each message directly to every connected peer on the topic. It is
 * meant for up to a few dozen nodes. Messages for a slow peer are queued; when its queue is full,
 * they are dropped, and counted as `dropped` in the topic's snapshot. Throws a TypeError for
 * invalid options.
 */
export function fullMesh(options: FullMeshOptions = {}): OverlayFactory {
  const { hops } = parseOptions(schema, options, 'fullMesh');
  return {
    name: 'fullMesh',
    holds: false,
    relays: true,
    memory: MEMORY,
    receipts: Number.POSITIVE_INFINITY,
    create: () => new FullMesh(hops),
  };
}

/** The full mesh of one topic at one node. It keeps no state per message. */
class FullMesh implements Overlay {
  readonly wanted: number;
  readonly passesOn: boolean;
  readonly wakeAt = Number.POSITIVE_INFINITY;
  readonly #outputs = new OutputQueue<OverlayOutput>();
  readonly #neighbors = new Set<string>();
  /** Maximum number of links that a message travels. */
  readonly #hops: number;

  constructor(hops: number) {
    this.#hops = hops;
    this.passesOn = hops > 1;
    // If messages are passed on, one neighbor is enough to get them all.
    this.wanted = hops === 1 ? Number.POSITIVE_INFINITY : 1;
  }

  /** Inputs that are not listed concern overlays with few neighbors, or with a tree. */
  handle(_now: number, input: OverlayInput): void {
    switch (input.type) {
      case 'received':
      case 'viewed':
        if (input.type === 'received' && input.message.kind === 'push')
          this.#passOn(input.from, input.message);
        else this.#outputs.add({ type: 'showed', peer: input.from, overlay: 'partialView' });
        return;
      case 'publish': {
        const to: string[] = [];
        for (const peer of this.#neighbors) if (isFor(input.message.payload, peer)) to.push(peer);
        return this.#hand(input.message, to, true);
      }
      case 'offer':
        if (this.#neighbors.has(input.peer) && isFor(input.message.payload, input.peer))
          this.#hand(input.message, [input.peer], false);
        return;
      case 'peer-up':
        if (this.#neighbors.has(input.peer)) return;
        this.#neighbors.add(input.peer);
        return this.#outputs.add({ type: 'neighbor-up', peer: input.peer });
      case 'peer-down':
        return this.#peerDown(input.peer, input.error === undefined ? 'left' : 'lost', input.error);
      case 'leave':
        for (const peer of this.neighbors()) this.#peerDown(peer, 'closed', undefined);
        return;
    }
  }

  poll(): OverlayOutput | undefined {
    return this.#outputs.poll();
  }

  /** Always true: Incoming checks that a message that isn't passed on comes from its publisher. */
  takesFrom(): boolean {
    return true;
  }

  /** Always zero: messages without room wait in the send queues of the driver, not here. */
  unsent(): { readonly messages: number; readonly bytes: number } {
    return { messages: 0, bytes: 0 };
  }

  neighbors(): readonly string[] {
    return [...this.#neighbors];
  }

  snapshot(): unknown {
    return {};
  }

  #peerDown(peer: string, cause: DownCause, error: TransportError | undefined): void {
    if (this.#neighbors.delete(peer))
      this.#outputs.add({ type: 'neighbor-down', peer, cause, error });
  }

  #hand(push: OwnMessage, to: readonly string[], mayRelay: boolean): void {
    this.#outputs.add({ type: 'send', push, to, mayRelay });
    this.#outputs.add({ type: 'handed', to });
  }

  /** Passes a message of another node on, unless it has traveled `hops` links. */
  #passOn(from: string, received: Push<Body>): void {
    const { id, hops, payload } = received;
    if (hops >= this.#hops) return;
    const push = { ...received, hops: hops + 1 };
    const to: string[] = [];
    for (const peer of this.#neighbors)
      if (peer !== from && peer !== id.origin && isFor(payload, peer)) to.push(peer);
    this.#outputs.add({ type: 'send', push, to, mayRelay: false });
  }
}

/**
 * Limits of the memory that detects duplicates. Times and origins are as in Plumtree
 * (plumtree/options.ts), but gaps are fewer.
 */
const MEMORY = {
  retention: 90_000,
  originRetention: 600_000,
  origins: 16_384,
  gaps: 1_024,
};
