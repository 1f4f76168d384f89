// The calls by method, for one node or for all nodes together.

import { bucketPercentile } from '../../state/bucket-percentile.ts';
import type { NodeCallStatistics, NodeState } from '../../state/node-state.ts';
import type { NetworkState } from '../network-state.ts';
import { own } from './own.ts';

/** The calls of one method on one side, between two moments. */
export interface CallRow {
  /** Side and method: 'server greeter/greet'. */
  readonly key: string;
  readonly method: string;
  readonly side: 'client' | 'server';
  /** The number of nodes that have the method. */
  readonly nodes: number;
  /** Ended calls a second. */
  readonly rate: number;
  /**
   * The upper bound of the bucket that contains the percentile, in milliseconds; NaN without calls.
   */
  readonly p50: number;
  readonly p99: number;
  /** Failed calls a second, without those that their caller canceled. */
  readonly errorRate: number;
  /** Calls a second that their caller canceled. */
  readonly cancelRate: number;
  readonly active: number;
  /** Ended calls since the start. */
  readonly total: number;
  /** Ended calls since the start, by code. */
  readonly codes: Readonly<Record<string, number>>;
  /** Ended calls by duration between the two moments; `bounds` are in seconds. */
  readonly counts: readonly number[];
  readonly bounds: readonly number[];
}

/**
 * Returns a row for each method.
 * @param node the name of a node; undefined for the sums over all nodes
 * @param before an earlier moment; without it, the rates are 0 and the latencies cover the time
 * since the start
 */
export function callRows(
  network: NetworkState,
  before: NetworkState | undefined,
  node: string | undefined,
  all = false,
): CallRow[] {
  const rows = new Map<string, Sum>();
  for (const [name, { state }] of Object.entries(network.nodes)) {
    if (state === undefined || (node !== undefined && name !== node)) continue;
    const earlier = own(before?.nodes, name)?.state;
    const seconds = earlier === undefined ? 0 : (state.at - earlier.at) / 1_000;
    for (const [key, calls] of Object.entries(state.calls)) {
      if (!all && calls.method.startsWith('trunkline.')) continue;
      const sum = rows.get(key) ?? newSum(calls);
      rows.set(key, sum);
      add(sum, calls, own(earlier?.calls, key), seconds);
    }
  }
  return [...rows].map(([key, { bounds, counts, ...rest }]) => ({
    ...{ key, ...rest, counts, bounds },
    p50: 1_000 * bucketPercentile(counts, bounds, 0.5),
    p99: 1_000 * bucketPercentile(counts, bounds, 0.99),
  }));
}

/** Returns the ended calls a second of a node's state since an earlier one. */
export function callRate(state: NodeState, earlier: NodeState | undefined): number {
  if (earlier === undefined || state.at <= earlier.at) return 0;
  const count = ({ totals }: NodeState) => totals.made + totals.served;
  return Math.max(0, count(state) - count(earlier)) / ((state.at - earlier.at) / 1_000);
}

interface Sum {
  method: string;
  side: 'client' | 'server';
  nodes: number;
  rate: number;
  errorRate: number;
  cancelRate: number;
  active: number;
  total: number;
  codes: Record<string, number>;
  counts: number[];
  bounds: readonly number[];
}

function newSum({ method, side, bounds }: NodeCallStatistics): Sum {
  const counts = new Array<number>(bounds.length + 1).fill(0);
  return {
    ...{ method, side, bounds, counts, codes: {} },
    ...{ nodes: 0, rate: 0, errorRate: 0, cancelRate: 0, active: 0, total: 0 },
  };
}

function add(
  sum: Sum,
  calls: NodeCallStatistics,
  before: NodeCallStatistics | undefined,
  seconds: number,
): void {
  sum.nodes++;
  sum.active += calls.active;
  let ended = 0;
  for (const [i, count] of calls.counts.entries()) {
    const since = Math.max(0, count - (before?.counts[i] ?? 0));
    if (i < sum.counts.length) sum.counts[i]! += since;
    ended += since;
    sum.total += count;
  }
  let failed = 0;
  let cancelled = 0;
  for (const [code, count = 0] of Object.entries(calls.codes)) {
    sum.codes[code] = (own(sum.codes, code) ?? 0) + count;
    const earlier = own(before?.codes as Readonly<Record<string, number>> | undefined, code) ?? 0;
    const since = Math.max(0, count - earlier);
    if (code === 'cancelled') cancelled += since;
    else if (code !== 'ok') failed += since;
  }
  if (seconds <= 0) return;
  sum.rate += ended / seconds;
  sum.errorRate += failed / seconds;
  sum.cancelRate += cancelled / seconds;
}
