// The trust that each peer has earned, by node id. The trust is kept while a peer is away, and
// across restarts.

import { isNodeId } from '@trunkline/transport-core/backend';
import { readTrustDocument, type TrustDocument, TrustMetric } from './trust-metric.ts';

/** Options of {@link TrustBook}. */
export interface TrustBookOptions {
  readonly now: number;
  /**
   * Maximum number of peers, default 4,096. One more removes the peer that has been away longest.
   */
  readonly most?: number | undefined;
  /**
   * The document that `save` returned, as it was read from a file. All its peers start as away. The
   * constructor never throws because of the document: an invalid document is ignored, and an
   * invalid entry is dropped. If the document has more than `most` entries, the last ones are used.
   * If a peer occurs twice, the first entry counts.
   */
  readonly saved?: unknown;
}

/**
 * A trust book as plain data, for JSON, starting with the peer that has been away longest. It
 * contains no absolute times.
 */
export interface TrustBookDocument {
  readonly version: 1;
  readonly peers: readonly ({ readonly nodeId: string } & TrustDocument)[];
}

/**
 * Keeps a trust metric for each peer. Time counts for a peer only in spans during which the peer
 * was seen to be alive (`looked`), so a peer that is silent, frozen or away neither gains nor loses
 * trust by waiting. An unknown peer has a perfect record, as in Tendermint; callers must decide how
 * much that is worth.
 */
export class TrustBook {
  readonly #most: number;
  /** Connected peers, the longest connected first. */
  readonly #present = new Map<string, TrustMetric>();
  /** Peers that are away, the longest away first. */
  readonly #absent = new Map<string, TrustMetric>();

  constructor(options: TrustBookOptions) {
    this.#most = options.most ?? 4_096;
    this.#restore(peersOf(options.saved), options.now);
  }

  /** The number of known peers. */
  get size(): number {
    return this.#present.size + this.#absent.size;
  }

  /** Records that the peer connected. */
  connected(nodeId: string, now: number): void {
    if (this.#present.has(nodeId)) return;
    const metric = this.#absent.get(nodeId) ?? newMetric(now);
    this.#absent.delete(nodeId);
    this.#present.set(nodeId, metric);
    this.#bound();
  }

  /** Records that the peer disconnected. */
  gone(nodeId: string): void {
    const metric = this.#present.get(nodeId);
    if (metric === undefined) return;
    this.#present.delete(nodeId);
    this.#absent.set(nodeId, metric);
  }

  /**
   * Records one event for a peer, which is good if the peer sent data and bad if its pong was late,
   * and counts the last `span` milliseconds for the peer.
   */
  looked(nodeId: string, now: number, span: number, behavior: 'good' | 'bad'): void {
    const metric = this.#present.get(nodeId);
    if (metric === undefined) return;
    metric.resume(now - span);
    metric[behavior](now);
    metric.pause(now);
  }

  /** Records `n` good events. */
  good(nodeId: string, now: number, n = 1): void {
    this.#tell(nodeId, now, (metric) => metric.good(now, n));
  }

  /**
   * Records `n` bad events. The peer may be away, for example if another node answered when the
   * peer was dialed.
   */
  bad(nodeId: string, now: number, n = 1): void {
    this.#tell(nodeId, now, (metric) => metric.bad(now, n));
  }

  /** Returns the trust value in percent, 0 to 100; 100 for an unknown peer. */
  score(nodeId: string, now: number): number {
    return (this.#present.get(nodeId) ?? this.#absent.get(nodeId))?.score(now) ?? 100;
  }

  /**
   * Takes over the connected peers of `other` and the events of their current intervals. If no time
   * has passed in `other`, these are all events that it recorded.
   */
  merge(other: TrustBook, now: number): void {
    for (const { nodeId, good, bad } of other.save(now).peers) {
      this.good(nodeId, now, good);
      this.bad(nodeId, now, bad);
    }
    for (const nodeId of other.#present.keys()) this.connected(nodeId, now);
  }

  save(now: number): TrustBookDocument {
    const peers = [...this.#absent, ...this.#present].map(([nodeId, metric]) => ({
      nodeId,
      ...metric.save(now),
    }));
    return { version: 1, peers };
  }

  #restore(saved: readonly unknown[], now: number): void {
    for (const value of saved.slice(Math.max(0, saved.length - this.#most))) {
      const document = readTrustDocument(value);
      if (document === undefined) continue;
      const { nodeId } = value as { nodeId?: unknown };
      if (typeof nodeId === 'string' && isNodeId(nodeId) && !this.#absent.has(nodeId))
        this.#absent.set(nodeId, new TrustMetric(now, document));
    }
  }

  #tell(nodeId: string, now: number, event: (metric: TrustMetric) => void): void {
    const present = this.#present.get(nodeId);
    const metric = present ?? this.#absent.get(nodeId) ?? newMetric(now);
    event(metric);
    metric.pause(now);
    if (present !== undefined) return;
    this.#absent.delete(nodeId);
    this.#absent.set(nodeId, metric);
    this.#bound();
  }

  /**
   * Enforces `most`. If no peer is away, the peer that has been connected longest loses its record;
   * connected peers are few, so that happens only if `most` is too small.
   */
  #bound(): void {
    if (this.size <= this.#most) return;
    const from = this.#absent.size > 0 ? this.#absent : this.#present;
    for (const nodeId of from.keys()) return void from.delete(nodeId);
  }
}

function newMetric(now: number): TrustMetric {
  const metric = new TrustMetric(now);
  metric.pause(now);
  return metric;
}

function peersOf(saved: unknown): readonly unknown[] {
  if (typeof saved !== 'object' || saved === null) return [];
  const { version, peers } = saved as { version?: unknown; peers?: unknown };
  return version === 1 && Array.isArray(peers) ? peers : [];
}
