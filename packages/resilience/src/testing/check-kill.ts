// The conditions that hold when one of three servers dies.

import type { ExecutionContext } from 'ava';
import type { KillResult } from './kill-scenario.ts';

/**
 * @param slack number of milliseconds by which the 99th percentile may be worse two seconds later.
 */
export function checkKill(
  t: ExecutionContext,
  where: string,
  { calls, failedReads, pendingReads, doubled, unsentFailures, before, after }: KillResult,
  slack: number,
): void {
  t.deepEqual(failedReads, [], where);
  t.is(pendingReads, 0, where);
  t.deepEqual(doubled, [], where);
  t.is(unsentFailures, 0, where);
  t.true(calls > 5_000, `${where}: ${calls} calls`);
  t.true(after <= before + slack, `${where}: p99 was ${before} ms, and is ${after} ms`);
}
