// The trust that each peer has earned, by node id: kept while it is away, and over a restart.

import { isNodeId } from '@trunkline/transport-core';
import { readTrustDocument, type TrustDocument } from './trust-document.ts';
import { TrustMetric } from './trust-metric.ts';

export interface TrustBookOptions {
  readonly now: number;
  /** At most so many peers, 4,096 where absent. One more, and the peer that is away longest is forgotten. */
  readonly most?: number | undefined;
  /**
   * What `save` gave, as it was read from a file: all of it as away. It never throws: what is no document gives nothing, and an entry that
   * is wrong is dropped by itself. Of more than there is room for, the last are read; of a peer that stands there twice, the first counts.
   */
  readonly saved?: unknown;
}

/** A trust book as plain data, for JSON: the peer that is away longest first. It holds no absolute times. */
export interface TrustBookDocument {
  readonly version: 1;
  readonly peers: readonly ({ readonly nodeId: string } & TrustDocument)[];
}

/**
 * The time of a peer passes only in spans for which it was seen to live (`looked`): one that is silent, frozen or away neither gains nor
 * loses by waiting. An unknown peer has a perfect record, as in Tendermint: what it is worth is for the reader to say.
 */
export class TrustBook {
  /** Entries of `saved` that were not taken. */
  readonly dropped: number;
  readonly #most: number;
  /** Peers that are there, the longest first. */
  readonly #present = new Map<string, TrustMetric>();
  /** Peers that are away, the longest first. */
  readonly #absent = new Map<string, TrustMetric>();

  constructor(options: TrustBookOptions) {
    this.#most = options.most ?? 4_096;
    this.dropped = this.#restore(peersOf(options.saved), options.now);
  }

  /** How many peers it knows. */
  get size(): number {
    return this.#present.size + this.#absent.size;
  }

  /** The peer is there. */
  connected(nodeId: string, now: number): void {
    if (this.#present.has(nodeId)) return;
    const metric = this.#absent.get(nodeId) ?? newMetric(now);
    this.#absent.delete(nodeId);
    this.#present.set(nodeId, metric);
    this.#bound();
  }

  /** The peer went. */
  gone(nodeId: string): void {
    const metric = this.#present.get(nodeId);
    if (metric === undefined) return;
    this.#present.delete(nodeId);
    this.#absent.set(nodeId, metric);
  }

  /** The peer was heard, or was late, in the `span` milliseconds that end now: an event, and so much of its time. */
  looked(nodeId: string, now: number, span: number, behaviour: 'good' | 'bad'): void {
    const metric = this.#present.get(nodeId);
    if (metric === undefined) return;
    metric.resume(now - span);
    metric[behaviour](now);
    metric.pause(now);
  }

  /** The peer did well, `n` times. */
  good(nodeId: string, now: number, n = 1): void {
    this.#tell(nodeId, now, (metric) => metric.good(now, n));
  }

  /** The peer did wrong, `n` times: also one that is away (it proved another id when dialled). */
  bad(nodeId: string, now: number, n = 1): void {
    this.#tell(nodeId, now, (metric) => metric.bad(now, n));
  }

  /** 0 to 1; 1 for a peer that it doesn't know. */
  value(nodeId: string, now: number): number {
    return this.#find(nodeId)?.value(now) ?? 1;
  }

  /** 0 to 100; 100 for a peer that it doesn't know. */
  score(nodeId: string, now: number): number {
    return this.#find(nodeId)?.score(now) ?? 100;
  }

  save(now: number): TrustBookDocument {
    const peers = [...this.#absent, ...this.#present].map(([nodeId, metric]) => ({ nodeId, ...metric.save(now) }));
    return { version: 1, peers };
  }

  #restore(saved: readonly unknown[], now: number): number {
    for (const value of saved.slice(Math.max(0, saved.length - this.#most))) {
      const document = readTrustDocument(value);
      if (document === undefined) continue;
      const { nodeId } = value as { nodeId?: unknown };
      if (typeof nodeId === 'string' && isNodeId(nodeId) && !this.#absent.has(nodeId)) this.#absent.set(nodeId, new TrustMetric(now, document));
    }
    return saved.length - this.#absent.size;
  }

  #find(nodeId: string): TrustMetric | undefined {
    return this.#present.get(nodeId) ?? this.#absent.get(nodeId);
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

  /** Where nobody is away, the one that is there longest begins anew: peers that are there are few, so this is a wrong `most`. */
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
