// Differences between this node and its peers in the settings of a topic. Each difference is
// reported once at both ends, and no peer is blamed for it.

import { TransportError } from '@trunkline/transport-core';
import { type Body, isFor } from '../overlay/body.ts';
import type { GossipEvent, PublishFailure } from '../types.ts';
import { notSent } from './errors.ts';

/** Settings that all nodes of a topic should share. */
export interface TopicTerms {
  /** Name of the overlay. */
  readonly overlay: string;
  /** Bytes of the longest message that the node takes. */
  readonly limit: number;
}

type Difference = Pick<
  Extract<GossipEvent, { readonly type: 'differs' }>,
  'what' | 'ours' | 'theirs'
>;

/** This node's terms, and the functions that are called. */
export interface DifferencesHost extends TopicTerms {
  readonly topic: string;
  now(): number;
  /** Tells this node's terms to a peer. */
  tell(nodeId: string): void;
  /** Reports a difference. */
  differs(nodeId: string, difference: Difference): void;
  /** Called when messages can no longer be exchanged with a peer (`isSo`), or can be again. */
  apart(nodeId: string, isSo: boolean): void;
}

interface Known {
  /** When the peer was last told this node's terms. */
  toldAt: number;
  limit: number | undefined;
  overlay: string | undefined;
}

/** The known differences on one topic. */
export class Differences {
  readonly #host: DifferencesHost;
  /** Connected peers that announced their terms or were told this node's. */
  readonly #known = new Map<string, Known>();
  /** Limits of the peers with a lower limit, and errors for the peers with another overlay. */
  readonly #limits = new Map<string, number>();
  readonly #apart = new Map<string, TransportError>();

  constructor(host: DifferencesHost) {
    this.#host = host;
  }

  /** Tells a peer this node's terms, unless it was told less than 10 s ago. */
  tell(nodeId: string): void {
    const now = this.#host.now();
    const known = this.#of(nodeId);
    if (now - known.toldAt < AGAIN) return;
    known.toldAt = now;
    this.#host.tell(nodeId);
  }

  /** A peer announced its terms. */
  heard(nodeId: string, { overlay, limit }: TopicTerms): void {
    const host = this.#host;
    const known = this.#of(nodeId);
    if (limit !== (known.limit ?? host.limit)) {
      if (limit !== host.limit)
        host.differs(nodeId, { what: 'limit', ours: host.limit, theirs: limit });
      if (limit < host.limit) this.#limits.set(nodeId, limit);
      else this.#limits.delete(nodeId);
    }
    known.limit = limit;
    this.speaks(nodeId, overlay);
    // The peer may not know this node's limit.
    if (limit !== host.limit) this.tell(nodeId);
  }

  /** A peer has shown which overlay it uses. */
  speaks(nodeId: string, overlay: string): void {
    const host = this.#host;
    const known = this.#of(nodeId);
    const before = known.overlay ?? host.overlay;
    known.overlay = overlay;
    if (overlay === before) return;
    if (overlay === host.overlay) {
      this.#apart.delete(nodeId);
      return host.apart(nodeId, false);
    }
    const text = `node ${nodeId} uses the overlay ${overlay} on topic ${host.topic}, but this node uses ${host.overlay}, so no message gets through; give all nodes of a topic the same overlay`;
    this.#apart.set(
      nodeId,
      new TransportError('failed_precondition', text, { target: nodeId, sent: false }),
    );
    host.differs(nodeId, { what: 'overlay', ours: host.overlay, theirs: overlay });
    host.apart(nodeId, true);
    this.tell(nodeId);
  }

  gone(nodeId: string): void {
    this.#known.delete(nodeId);
    this.#limits.delete(nodeId);
    this.#apart.delete(nodeId);
  }

  /** True if any peer is known to have a lower limit or another overlay. */
  get isAny(): boolean {
    return this.#limits.size + this.#apart.size > 0;
  }

  /**
   * Bytes of the longest message that the peer takes; Infinity if its limit is not known to be
   * lower than this node's.
   */
  limitOf(nodeId: string): number {
    return this.#limits.size === 0
      ? Number.POSITIVE_INFINITY
      : (this.#limits.get(nodeId) ?? Number.POSITIVE_INFINITY);
  }

  isApart(nodeId: string): boolean {
    return this.#apart.size > 0 && this.#apart.has(nodeId);
  }

  /** Peers on the topic that use another overlay, each with the error that says so. */
  get apart(): ReadonlyMap<string, TransportError> {
    return this.#apart;
  }

  /**
   * Adds the peers that a message to all can't reach, and those that don't take messages of its
   * size, to `failed`.
   * @param handed the peers that the message was handed to
   */
  addFailures(failed: PublishFailure[], handed: readonly string[], body: Body): void {
    if (!this.isAny) return;
    const size = body.payload.length;
    for (const [nodeId, error] of this.#apart)
      if (isFor(body, nodeId)) failed.push({ nodeId, error });
    for (const nodeId of handed) {
      const limit = this.limitOf(nodeId);
      if (size > limit && failed.every((failure) => failure.nodeId !== nodeId))
        failed.push({ nodeId, error: notSent('too-large', nodeId, size, limit) });
    }
  }

  #of(nodeId: string): Known {
    let known = this.#known.get(nodeId);
    if (known === undefined)
      this.#known.set(
        nodeId,
        (known = { toldAt: Number.NEGATIVE_INFINITY, limit: undefined, overlay: undefined }),
      );
    return known;
  }
}

/** Milliseconds after which a peer may be told again. */
const AGAIN = 10_000;
