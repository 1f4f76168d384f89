// Calls an instance of the ledger 2,000 times a second, and records what becomes of each call.

import { type Transport, TransportError } from '@trunkline/transport-core';
import type { ledger } from './ledger.ts';

/** The result of a run. Times are in milliseconds. */
export interface LoadResult {
  readonly calls: number;
  readonly perSecond: number;
  /** Messages of reads that failed. */
  readonly failedReads: readonly string[];
  /** Messages of appends that failed although no instance can have seen them. */
  readonly unsentAppends: readonly string[];
  readonly failedAppends: number;
  /** The 99th percentile of the time of a call, before the event and from 2 s after it. */
  readonly before: number;
  readonly after: number;
  /** The longest time of a call. */
  readonly longest: number;
}

/**
 * Runs for 1.5 s, then calls `event`, and runs for another 3.5 s. Half of the calls are reads.
 *
 * @param call makes one call, and repeats it as it sees fit.
 */
export async function load(
  transport: Transport<typeof ledger>,
  call: (method: 'read' | 'append', id: number) => Promise<unknown>,
  event: () => void,
): Promise<LoadResult> {
  const { clock } = transport;
  const began = clock.now();
  const now = () => clock.now() - began;
  const times: { readonly at: number; readonly took: number }[] = [];
  const failed = { read: [] as string[], append: [] as string[], unsent: [] as string[] };
  const follow = async (method: 'read' | 'append', id: number) => {
    const at = now();
    try {
      await call(method, id);
      times.push({ at, took: now() - at });
    } catch (error) {
      failed[method].push(String(error));
      if (method === 'append' && error instanceof TransportError && error.sent === false)
        failed.unsent.push(String(error));
    }
  };
  const pending: Promise<void>[] = [];
  let happened = Number.POSITIVE_INFINITY;
  for (let id = 0; now() < happened + 3_500; ) {
    // As many calls as are due by now.
    for (; id < now() * 2; id++) pending.push(follow(id % 2 === 0 ? 'read' : 'append', id));
    if (happened === Number.POSITIVE_INFINITY && now() > 1_500) {
      event();
      happened = now();
    }
    await clock.sleep(2);
  }
  const seconds = now() / 1_000;
  await Promise.all(pending);
  const within = (from: number, to: number) =>
    percentile(
      times.filter(({ at }) => at >= from && at < to).map(({ took }) => took),
      0.99,
    );
  return {
    calls: pending.length,
    perSecond: pending.length / seconds,
    failedReads: failed.read,
    unsentAppends: failed.unsent,
    failedAppends: failed.append.length,
    // The first calls wait for their connection, so they do not count.
    before: within(happened - 500, happened),
    after: within(happened + 2_000, Number.POSITIVE_INFINITY),
    longest: Math.max(...times.map(({ took }) => took)),
  };
}

function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}
