// Times and sizes as people write them on a command line.

import { UsageError } from './exit-codes.ts';

/** Returns milliseconds for '500ms', '5s', '2m', '1h', or a number of seconds. */
export function parseTime(text: string, option: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
  const time = match === null ? Number.NaN : Number(match[1]) * UNITS[match[2] ?? 's']!;
  if (time > 0) return time;
  throw new UsageError(`${option}: expected a time such as 500ms, 5s or 2m, got '${text}'`);
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Returns an integer of at least `least` and at most `most`. */
export function parseCount(
  text: string,
  option: string,
  least = 1,
  most = Number.MAX_SAFE_INTEGER,
): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count >= least && count <= most) return count;
  const bounds =
    most < Number.MAX_SAFE_INTEGER ? `from ${least} to ${most}` : `of at least ${least}`;
  throw new UsageError(`${option}: expected an integer ${bounds}, got '${text}'`);
}
