// Starts a cluster of the test's workers, which is closed after the test.

import type { ExecutionContext } from 'ava';
import {
  type Cluster,
  type ClusterEvent,
  type ClusterOptions,
  createCluster,
} from '../../index.cluster.ts';

export const WORKER = new URL('./worker.child.js', import.meta.url);

export interface Started {
  readonly cluster: Cluster;
  readonly events: ClusterEvent[];
  readonly address: string;
}

export async function start(
  t: ExecutionContext,
  options: Partial<ClusterOptions> = {},
): Promise<Started> {
  const events: ClusterEvent[] = [];
  const cluster = await createCluster({
    worker: WORKER,
    workers: 2,
    onEvent: (event) => events.push(event),
    ...options,
  });
  t.teardown(() => cluster.close());
  const joined = events.find((event) => event.type === 'joined');
  return { cluster, events, address: joined!.addresses[0]! };
}
