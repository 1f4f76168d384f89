// The saved form of a trust metric, and its validation, which does not rely on the content of the
// file.

/** A trust metric as plain data, for JSON. It contains no absolute times. */
export interface TrustDocument {
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

/** Length of an interval in milliseconds: one minute, Tendermint's default. */
export const INTERVAL = 60_000;
/** Number of intervals in the window: 14 days, Tendermint's default. */
export const MOST_INTERVALS = (14 * 24 * 60 * 60_000) / INTERVAL;
/** Maximum number of good, or bad, events counted in an interval; further ones change nothing. */
export const MOST_EVENTS = Number.MAX_SAFE_INTEGER;

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
