// The state of all workers, and the sums over them.

import { TransportError } from '@trunkline/transport-core';
import type { ManagedWorker } from './managed-worker.ts';
import type { TransportState } from './messages.ts';
import type { ClusterSnapshot, ClusterTotal, ClusterWorkerSnapshot } from './types.ts';

/** Asks all workers for their state. They must answer within `timeout` milliseconds. */
export async function takeSnapshot(
  workers: readonly ManagedWorker[],
  timeout: number,
  cluster: Pick<ClusterSnapshot, 'at' | 'kind' | 'state'>,
): Promise<ClusterSnapshot> {
  const taken = await Promise.all(workers.map((worker) => snapshotOf(worker, timeout, cluster.at)));
  return { ...cluster, workers: taken, total: totalOf(taken) };
}

async function snapshotOf(
  worker: ManagedWorker,
  timeout: number,
  now: number,
): Promise<ClusterWorkerSnapshot> {
  const { slot, restarts, hangs, state, started, handle } = worker;
  const { pid, threadId } = handle;
  const common = {
    slot,
    pid,
    ...(threadId !== undefined && { threadId }),
    state: state === 'exited' ? 'leaving' : state,
    age: now - started,
    restarts,
    hangs,
  } as const;
  if (state === 'starting') return common;
  try {
    const { connections, transport } = (await worker.ask('snapshot', timeout)) as TransportState;
    const answered = { ...common, connections, transport };
    if (!isSummable(answered)) throw malformed(worker);
    return answered;
  } catch (thrown) {
    const { code, message } = thrown instanceof TransportError ? thrown : malformed(worker);
    return { ...common, error: { code, message } };
  }
}

/** Returns true if all numbers of a worker's answer that are added up are numbers. */
function isSummable(worker: ClusterWorkerSnapshot): boolean {
  const { calls, bytes, errors, counters, ...others } = totalOf([worker]);
  return [others, calls, bytes, errors, counters].every((part) =>
    Object.values(part).every((value) => Number.isFinite(value)),
  );
}

function malformed({ name }: ManagedWorker): TransportError {
  return new TransportError('internal', `${name} has sent a malformed snapshot; restart it`);
}

function totalOf(workers: readonly ClusterWorkerSnapshot[]): ClusterTotal {
  const answered = workers.flatMap(({ connections = 0, transport }) =>
    transport === undefined ? [] : [{ connections, transport }],
  );
  const sum = (value: (worker: (typeof answered)[number]) => number) =>
    answered.reduce((total, worker) => total + value(worker), 0);
  return {
    workers: answered.length,
    connections: sum(({ connections }) => connections),
    calls: {
      made: sum(({ transport }) => transport.calls.made),
      served: sum(({ transport }) => transport.calls.served),
    },
    waiting: sum(({ transport }) => transport.waiting),
    memory: sum(({ transport }) => transport.memory),
    bytes: {
      in: sum(({ transport }) => transport.bytes.in),
      out: sum(({ transport }) => transport.bytes.out),
    },
    errors: sumOfEach(answered.map(({ transport }) => transport.errors)),
    counters: sumOfEach(answered.map(({ transport }) => transport.counters)),
  };
}

function sumOfEach<K extends string>(
  counts: readonly Readonly<Partial<Record<K, number>>>[],
): Partial<Record<K, number>> {
  const sums: Partial<Record<K, number>> = {};
  for (const each of counts)
    for (const [key, count] of Object.entries(each) as [K, number][])
      sums[key] = (sums[key] ?? 0) + count;
  return sums;
}
