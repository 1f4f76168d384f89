// What is saved of a trust metric, and the reading of it: no word of a file is believed.

/** A trust metric as plain data, for JSON. It holds no absolute times. */
export interface TrustDocument {
  /** Whole intervals that were recorded, at most MOST_INTERVALS. */
  readonly intervals: number;
  /** Their trust values, 0 to 1, the newest first: one for the last interval, one for the two before it, one for the four before those … */
  readonly history: readonly number[];
  /** Events of the interval that runs. */
  readonly good: number;
  readonly bad: number;
  /** Milliseconds of the interval that runs which are over. */
  readonly elapsed: number;
}

/** Milliseconds of an interval: one minute, Tendermint's default. */
export const INTERVAL = 60_000;
/** Intervals of the window: 14 days, Tendermint's default. */
export const MOST_INTERVALS = (14 * 24 * 60 * 60_000) / INTERVAL;
/** At most so many events of a kind are counted in an interval; more change nothing. */
export const MOST_EVENTS = Number.MAX_SAFE_INTEGER;

/** Slots that the history of so many intervals takes: ⌊log2⌋ + 1. */
export function slotsOf(intervals: number): number {
  return 32 - Math.clz32(intervals);
}

/** Reads what `save` gave; undefined for anything else. */
export function readTrustDocument(value: unknown): TrustDocument | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { intervals, history, good, bad, elapsed } = value as Partial<Record<keyof TrustDocument, unknown>>;
  if (!isNumber(intervals, MOST_INTERVALS) || !Number.isInteger(intervals)) return undefined;
  if (!Array.isArray(history) || history.length !== slotsOf(intervals)) return undefined;
  // Copied first: `every` passes over holes.
  const values: unknown[] = [...history];
  if (!values.every((item) => isNumber(item, 1))) return undefined;
  if (!isNumber(good, MOST_EVENTS) || !isNumber(bad, MOST_EVENTS) || !isNumber(elapsed, INTERVAL)) return undefined;
  return { intervals, history: values, good, bad, elapsed };
}

function isNumber(value: unknown, most: number): value is number {
  return typeof value === 'number' && value >= 0 && value <= most;
}
