// The trust that each peer has earned, by node id. The trust is kept while a peer is away, and
// across restarts.

import { isNodeId } from '@trunkline/transport-core/backend';

/** Options of {@link TrustBook}. */
interface TrustBookOptions {
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

/**
 * The trust metric of one peer. It needs no timers: each call first ends the intervals that are
 * over, so it doesn't matter how often it is called.
 */
export class TrustMetric {
  #intervals = 0;
  /**
   * "Fading memories": slot k stands for 2^k intervals, slot 0 for the newest. At the end of an
   * interval each slot takes in a share of 2^−k of its younger neighbor, so that 15 numbers cover
   * 14 days.
   */
  #history: number[] = [];
  #good = 0;
  #bad = 0;
  /**
   * Time at which the current interval began; while paused, the milliseconds of it that have
   * passed.
   */
  #began: number;
  #paused = false;

  /**
   * @param saved the result of `save` or `readTrustDocument`. The metric continues from there,
   * paused until it is resumed or an event is recorded.
   */
  constructor(now: number, saved?: TrustDocument) {
    this.#began = now;
    if (saved === undefined) return;
    this.#intervals = saved.intervals;
    this.#history = [...saved.history];
    this.#good = saved.good;
    this.#bad = saved.bad;
    this.#began = saved.elapsed;
    this.#paused = true;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Records `n` good events, and resumes. */
  good(now: number, n = 1): void {
    this.resume(now);
    this.#advance(now);
    this.#good = Math.min(MOST_EVENTS, this.#good + n);
  }

  /** Records `n` bad events, and resumes. */
  bad(now: number, n = 1): void {
    this.resume(now);
    this.#advance(now);
    this.#bad = Math.min(MOST_EVENTS, this.#bad + n);
  }

  /**
   * Stops time until the metric is resumed, so that a peer that is away neither gains nor loses.
   */
  pause(now: number): void {
    if (this.#paused) return;
    this.#advance(now);
    this.#began = Math.max(0, now - this.#began);
    this.#paused = true;
  }

  /**
   * Lets time continue from the point in the interval at which it was paused. (Tendermint begins a
   * new interval, so that a peer can undo a bad event by disconnecting right after it.)
   */
  resume(now: number): void {
    if (!this.#paused) return;
    this.#began = now - this.#began;
    this.#paused = false;
  }

  /** Returns the trust value, 0 to 1. */
  value(now: number): number {
    this.#advance(now);
    return this.#value();
  }

  /** Returns the trust value in whole percent, 0 to 100, rounded down. */
  score(now: number): number {
    return Math.floor(this.value(now) * 100 + ROUNDING);
  }

  save(now: number): TrustDocument {
    this.#advance(now);
    const elapsed = this.#paused ? this.#began : Math.max(0, now - this.#began);
    return {
      intervals: this.#intervals,
      history: [...this.#history],
      good: this.#good,
      bad: this.#bad,
      elapsed,
    };
  }

  #value(): number {
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

  /**
   * Ends the intervals that are over. The first of them contains the events. The others have none,
   * so trust recovers.
   */
  #advance(now: number): void {
    if (this.#paused || now - this.#began < INTERVAL) return;
    const over = Math.floor((now - this.#began) / INTERVAL);
    this.#began += over * INTERVAL;
    this.#endInterval();
    this.#good = this.#bad = 0;
    for (let i = Math.min(over - 1, HEALED); i > 0; i--) this.#endInterval();
    if (over - 1 <= HEALED) return;
    this.#intervals = Math.min(MOST_INTERVALS, this.#intervals + over - 1 - HEALED);
    this.#history = new Array<number>(slotsOf(this.#intervals)).fill(1);
  }

  #endInterval(): void {
    const value = this.#value();
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
/**
 * Number of intervals without an event (a day and a half) after which earlier values no longer
 * matter: the slots up to 7 differ from 1 by less than 10^−6, and all older slots together weigh
 * 0.8^255. Therefore even a pause of years takes no more than this many steps.
 */
const HEALED = 2_048;
/** Compensates for rounding errors: 100 · 0.29 is 28.999999999999996. */
const ROUNDING = 1e-9;
