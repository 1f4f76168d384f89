// The trust that each peer has earned, by node id. The trust is kept while a peer is away, and
// across restarts. Tested in trust-book.test.ts and trust-metric.test.ts.

import { isNodeId } from '@trunkline/transport-core/backend';

/**
 * A trust book as plain data, for JSON, starting with the peer that has been away longest. It
 * contains no absolute times.
 */
export interface TrustBookDocument {
  readonly version: 1;
  readonly peers: readonly ({ readonly nodeId: string } & TrustDocument)[];
}

/**
 * Keeps a trust metric for each peer. Time counts for a peer only in spans in which the peer sent
 * data or owed a pong (`looked`), so a peer that is silent or away neither gains nor loses trust by
 * waiting. An unknown peer has a perfect record, as in Tendermint; callers must decide how much
 * that is worth.
 */
export class TrustBook {
  readonly #most: number;
  /** Connected peers, the longest connected first. */
  readonly #present = new Map<string, TrustMetric>();
  /** Peers that are away, in the order in which they left or an event was last recorded. */
  readonly #absent = new Map<string, TrustMetric>();

  /**
   * @param saved the document that `save` returned, as it was read from a file. All its peers start
   * as away. The constructor never throws because of the document: an invalid document is ignored,
   * and an invalid entry is dropped. If the document has more than `most` entries, the last ones
   * are used. If a peer occurs twice, the first entry counts.
   * @param most the maximum number of peers. One more removes the peer that has been away longest.
   */
  constructor(saved?: unknown, most = 4_096) {
    this.#most = most;
    this.#restore(peersOf(saved));
  }

  /** The number of known peers. */
  get size(): number {
    return this.#present.size + this.#absent.size;
  }

  /** Records that the peer connected. */
  connected(nodeId: string): void {
    if (this.#present.has(nodeId)) return;
    const metric = this.#absent.get(nodeId) ?? new TrustMetric();
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
   * Counts the last `span` milliseconds for a connected peer, and then one event, which is good if
   * the peer sent data and bad if its pong was late.
   */
  looked(nodeId: string, span: number, behavior: 'good' | 'bad'): void {
    const metric = this.#present.get(nodeId);
    metric?.pass(span);
    metric?.[behavior]();
  }

  /** Records `n` good events. */
  good(nodeId: string, n = 1): void {
    this.#tell(nodeId, 'good', n);
  }

  /**
   * Records `n` bad events. The peer may be away, for example if another node answered when the
   * peer was dialed.
   */
  bad(nodeId: string, n = 1): void {
    this.#tell(nodeId, 'bad', n);
  }

  /** Returns the trust value in percent, 0 to 100; 100 for an unknown peer. */
  score(nodeId: string): number {
    return (this.#present.get(nodeId) ?? this.#absent.get(nodeId))?.score() ?? 100;
  }

  /**
   * Takes over the connected peers of `other`, and the events of the current intervals of all its
   * peers. If no time has passed in `other`, these are all events that it recorded.
   */
  merge(other: TrustBook): void {
    for (const { nodeId, good, bad } of other.save().peers) {
      this.good(nodeId, good);
      this.bad(nodeId, bad);
    }
    for (const nodeId of other.#present.keys()) this.connected(nodeId);
  }

  save(): TrustBookDocument {
    const peers = [...this.#absent, ...this.#present].map(([nodeId, metric]) => ({
      nodeId,
      ...metric.save(),
    }));
    return { version: 1, peers };
  }

  #restore(saved: readonly unknown[]): void {
    for (const value of saved.slice(Math.max(0, saved.length - this.#most))) {
      const document = readTrustDocument(value);
      if (document === undefined) continue;
      const { nodeId } = value as { nodeId?: unknown };
      if (typeof nodeId === 'string' && isNodeId(nodeId) && !this.#absent.has(nodeId))
        this.#absent.set(nodeId, new TrustMetric(document));
    }
  }

  #tell(nodeId: string, behavior: 'good' | 'bad', n: number): void {
    const present = this.#present.get(nodeId);
    const metric = present ?? this.#absent.get(nodeId) ?? new TrustMetric();
    metric[behavior](n);
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

function peersOf(saved: unknown): readonly unknown[] {
  if (typeof saved !== 'object' || saved === null) return [];
  const { version, peers } = saved as { version?: unknown; peers?: unknown };
  return version === 1 && Array.isArray(peers) ? peers : [];
}

// Measures how far a peer has earned trust: Tendermint's metric (p2p/trust/metric.go, ADR 006),
// after TrustGuard (Srivatsa, Xiong, Liu, WWW 2005).
//
// value = 0.4 · P + 0.6 · H + D. P is the share of good events in the current interval, or 1 if
// there are no events. H is the history: the average of the values of past intervals, the i-th
// weighted by 0.8^i, or 1 if there are no past intervals. D penalizes a decline: P − H if that is
// negative, otherwise 0.

/** A trust metric as plain data, for JSON. It contains no absolute times. */
interface TrustDocument {
  /** The number of whole intervals recorded, at most MOST_INTERVALS. */
  readonly intervals: number;
  /**
   * The trust values of these intervals, 0 to 1, the newest first: one for the last interval, one
   * for the two before it, one for the four before those …
   */
  readonly history: readonly number[];
  /** Numbers of events in the current interval. */
  readonly good: number;
  readonly bad: number;
  /** Milliseconds that have passed in the current interval. */
  readonly elapsed: number;
}

/** The trust metric of one peer. It has no clock: `pass` says how much time counts. */
export class TrustMetric {
  #intervals: number;
  /**
   * "Fading memories": slot k stands for 2^k intervals, slot 0 for the newest. At the end of an
   * interval each slot takes in a share of 2^−k of its younger neighbor, so that 15 numbers cover
   * 14 days.
   */
  readonly #history: number[];
  #good: number;
  #bad: number;
  #elapsed: number;

  /** @param saved the result of `save` or `readTrustDocument`, from which the metric continues. */
  constructor(saved: TrustDocument = UNKNOWN) {
    this.#intervals = saved.intervals;
    this.#history = [...saved.history];
    this.#good = saved.good;
    this.#bad = saved.bad;
    this.#elapsed = saved.elapsed;
  }

  /** Records `n` good events. */
  good(n = 1): void {
    this.#good = Math.min(MOST_EVENTS, this.#good + n);
  }

  /** Records `n` bad events. */
  bad(n = 1): void {
    this.#bad = Math.min(MOST_EVENTS, this.#bad + n);
  }

  /**
   * Counts `time` milliseconds, and ends the intervals that are over. The first of them contains
   * the events. The others have none, so trust recovers. (Tendermint begins a new interval when a
   * peer returns, so that the peer can undo a bad event by disconnecting right after it.)
   */
  pass(time: number): void {
    this.#elapsed += time;
    for (; this.#elapsed >= INTERVAL; this.#elapsed -= INTERVAL) this.#endInterval();
  }

  /** Returns the trust value in whole percent, 0 to 100, rounded down. */
  score(): number {
    return Math.floor(this.value() * 100 + ROUNDING);
  }

  save(): TrustDocument {
    return {
      intervals: this.#intervals,
      history: [...this.#history],
      good: this.#good,
      bad: this.#bad,
      elapsed: this.#elapsed,
    };
  }

  /** Returns the trust value, 0 to 1. */
  value(): number {
    const events = this.#good + this.#bad;
    const present = events > 0 ? this.#good / events : 1;
    const past = this.#past();
    return Math.min(1, Math.max(0, 0.4 * present + 0.6 * past + Math.min(0, present - past)));
  }

  /**
   * Computes H. The weight of a slot is the sum of the weights of its intervals, a geometric
   * series.
   */
  #past(): number {
    let sum = 0;
    let weights = 0;
    for (const [slot, value] of this.#history.entries()) {
      const end = Math.min(this.#intervals, 2 ** (slot + 1) - 1);
      const weight = FADING ** (2 ** slot - 1) - FADING ** end;
      sum += weight * value;
      weights += weight;
    }
    return weights > 0 ? sum / weights : 1;
  }

  #endInterval(): void {
    const value = this.value();
    this.#good = this.#bad = 0;
    const history = this.#history;
    const oldest = history.at(-1);
    for (let slot = history.length - 1; slot > 0; slot--) {
      const span = 2 ** slot;
      history[slot] = (history[slot]! * (span - 1) + history[slot - 1]!) / span;
    }
    history[0] = value;
    this.#intervals = Math.min(MOST_INTERVALS, this.#intervals + 1);
    // A new slot begins with the value that its younger neighbor had until now.
    if (history.length < slotsOf(this.#intervals)) history.push(oldest!);
  }
}

/** Returns the number of history slots for this many intervals: ⌊log2⌋ + 1. */
export function slotsOf(intervals: number): number {
  return 32 - Math.clz32(intervals);
}

/** Validates a document that `save` returned. Returns undefined for anything else. */
export function readTrustDocument(value: unknown): TrustDocument | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { intervals, history, good, bad, elapsed } = value as Partial<
    Record<keyof TrustDocument, unknown>
  >;
  if (!isNumber(intervals, MOST_INTERVALS) || !Number.isInteger(intervals)) return undefined;
  if (!Array.isArray(history) || history.length !== slotsOf(intervals)) return undefined;
  // The copy fills holes, which `every` would skip.
  const values: unknown[] = [...history];
  if (!values.every((item) => isNumber(item, 1))) return undefined;
  if (!isNumber(good, MOST_EVENTS) || !isNumber(bad, MOST_EVENTS) || !isNumber(elapsed, INTERVAL))
    return undefined;
  return { intervals, history: values, good, bad, elapsed };
}

function isNumber(value: unknown, most: number): value is number {
  return typeof value === 'number' && value >= 0 && value <= most;
}

/** Length of an interval in milliseconds: one minute, Tendermint's default. */
const INTERVAL = 60_000;
/** Number of intervals in the window: 14 days, Tendermint's default. */
const MOST_INTERVALS = (14 * 24 * 60 * 60_000) / INTERVAL;
/** Maximum number of good, or bad, events counted in an interval; further ones change nothing. */
const MOST_EVENTS = Number.MAX_SAFE_INTEGER;
/**
 * The weight of an interval relative to the one after it: Tendermint's defaultHistoryDataWeight.
 */
const FADING = 0.8;
/** The record of an unknown peer. */
const UNKNOWN: TrustDocument = { intervals: 0, history: [], good: 0, bad: 0, elapsed: 0 };
/** Compensates for rounding errors: 100 · 0.29 is 28.999999999999996. */
const ROUNDING = 1e-9;
