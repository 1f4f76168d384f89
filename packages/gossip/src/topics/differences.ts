// Differences between this node and its peers in the settings of a topic. Both ends report each
// difference once per connection, and again if it changes. A difference does not affect the trust
// in a peer. Owned by TopicSession; the driver calls `announced`. Also tested in
// ../differences.test.ts.

import { TransportError } from '@trunkline/transport-core';
import { type Body, isFor } from '../overlay/overlay.ts';
import type { GossipEvent, PublishFailure } from '../types.ts';
import { notSent } from './errors.ts';
import type { TopicContext, TopicTerms } from './topic-context.ts';

type Setting = Extract<GossipEvent, { readonly type: 'differs' }>['what'];

/** The terms of one peer, which are those of this node until the peer announces or shows others. */
interface Known {
  /** Time at which this node's terms were last announced to the peer. */
  toldAt: number;
  limit: number;
  overlay: string;
  /** The failure of messages to a peer with another overlay, once there was one. */
  failure?: PublishFailure | undefined;
}

/** The known settings of the peers on one topic. */
export class Differences {
  /** This node's terms. */
  readonly terms: TopicTerms;
  readonly #topic: TopicContext;
  /**
   * Connected peers that announced or showed their terms, or to which this node's terms were
   * announced.
   */
  readonly #known = new Map<string, Known>();

  constructor(topic: TopicContext) {
    this.#topic = topic;
    this.terms = { overlay: topic.node.overlay.name, limit: topic.limit };
  }

  /** True if any peer is known to have a lower limit or another overlay. */
  get isAny(): boolean {
    const { limit, overlay } = this.terms;
    for (const known of this.#known.values())
      if (known.limit < limit || known.overlay !== overlay) return true;
    return false;
  }

  /**
   * Returns the maximum size, in bytes, of a message that the peer accepts; Infinity unless the
   * peer's limit is known to be lower than this node's.
   */
  limitOf(nodeId: string): number {
    const { limit } = this.#known.get(nodeId) ?? this.terms;
    return limit < this.terms.limit ? limit : Number.POSITIVE_INFINITY;
  }

  isApart(nodeId: string): boolean {
    return (this.#known.get(nodeId) ?? this.terms).overlay !== this.terms.overlay;
  }

  /**
   * Adds to `failed` the recipients of a message that use another overlay, and the recipients that
   * don't accept messages of that size.
   * @param handed the peers that the message was handed to, none of which uses another overlay
   */
  addFailures(failed: PublishFailure[], handed: readonly string[], body: Body): void {
    const size = body.payload.length;
    // A peer with another overlay need not be interested: it may only publish.
    for (const nodeId of this.#topic.interested) {
      if (!this.isApart(nodeId) || !isFor(body, nodeId)) continue;
      const known = this.#of(nodeId);
      failed.push((known.failure ??= this.#failure(nodeId, known.overlay)));
    }
    for (const nodeId of handed) {
      const limit = this.limitOf(nodeId);
      if (size > limit && failed.every((failure) => failure.nodeId !== nodeId))
        failed.push({ nodeId, error: notSent('too-large', nodeId, size, limit) });
    }
  }

  /** Announces this node's terms to a peer, unless that happened less than 10 s ago. */
  introduce(peer: string, now: number): void {
    const known = this.#of(peer);
    if (now - known.toldAt < AGAIN) return;
    known.toldAt = now;
    const { node, key } = this.#topic;
    node.members.terms(peer, key, this.terms, this.#topic.lifeOf(peer));
  }

  /** Called when a peer has announced its terms. */
  announced(peer: string, { overlay, limit }: TopicTerms, now: number): void {
    const ours = this.terms.limit;
    const known = this.#of(peer);
    if (limit !== known.limit && limit !== ours) this.differed(peer, 'limit', ours, limit);
    known.limit = limit;
    this.showed(peer, overlay, now);
    // The peer may not know this node's limit.
    if (limit !== ours) this.introduce(peer, now);
  }

  /** Called when a peer has sent a message that exists only in this overlay. */
  showed(peer: string, overlay: string, now: number): void {
    const ours = this.terms.overlay;
    const known = this.#of(peer);
    if (overlay === known.overlay) return;
    known.overlay = overlay;
    known.failure = undefined;
    const { node, key } = this.#topic;
    if (overlay === ours) {
      if (node.members.isOn(peer, key.hex) === true) this.#topic.enter(peer, now);
      return node.dueBy(this.#topic.due);
    }
    this.differed(peer, 'overlay', ours, overlay);
    // A peer with another overlay can't be a neighbor, as if it were not on the topic.
    this.#topic.feed(now, { type: 'peer-down', peer, error: undefined });
    this.introduce(peer, now);
  }

  /**
   * Called when a peer left the topic or disconnected. Calls that note something about it must not
   * follow before it is back, because nothing would remove the entry.
   */
  gone(peer: string): void {
    this.#known.delete(peer);
  }

  #failure(nodeId: string, overlay: string): PublishFailure {
    const text = `node ${nodeId} uses the overlay ${overlay} on topic ${this.#topic.key.name}, but this node uses ${this.terms.overlay}, so no message gets through; give all nodes of a topic the same overlay`;
    const details = { target: nodeId, sent: false };
    return { nodeId, error: new TransportError('failed_precondition', text, details) };
  }

  /** Reports a difference. */
  differed(nodeId: string, what: Setting, ours: string | number, theirs: string | number): void {
    const { node, key } = this.#topic;
    node.events.tell({ type: 'differs', topic: key.name, nodeId, what, ours, theirs });
  }

  #of(nodeId: string): Known {
    let known = this.#known.get(nodeId);
    if (known === undefined)
      this.#known.set(nodeId, (known = { ...this.terms, toldAt: Number.NEGATIVE_INFINITY }));
    return known;
  }
}

/** Milliseconds after which the terms may be announced to a peer again. */
const AGAIN = 10_000;
