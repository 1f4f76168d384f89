// The process of the primary: `primary.js <workers> <kind> <address>`. Each command returns the
// number of connections of each worker. It ends when its parent disconnects.

import { type ClusterWorkerKind, createCluster } from '@trunkline/resilience/cluster';
import { report, runCommands } from '../commands.ts';

/** The first report has the address and the processes, the others have the connections. */
export interface PrimaryReport {
  readonly address?: string;
  readonly pids?: readonly number[];
  readonly connections?: readonly number[];
}

const [, , workers, kind, given] = process.argv;
let address = given!;
const cluster = await createCluster({
  worker: new URL('./worker.js', import.meta.url),
  workers: Number(workers),
  kind: kind as ClusterWorkerKind,
  args: [address],
  onEvent(event) {
    if (event.type === 'joined') address = event.addresses[0]!;
  },
});
runCommands<object, PrimaryReport>(
  async () => ({
    connections: (await cluster.snapshot()).workers.map(({ connections = 0 }) => connections),
  }),
  () => void cluster.close(),
);
const { workers: started } = await cluster.snapshot();
report<PrimaryReport>({
  address,
  pids: [...new Set([process.pid, ...started.map(({ pid }) => pid)])],
});
