// The main program of a cluster in a process of its own. Prints the address and the workers.

import { createCluster } from '../../index.cluster.ts';

let address = '';
const cluster = await createCluster({
  worker: new URL('./worker.child.js', import.meta.url),
  workers: 2,
  onEvent(event) {
    if (event.type === 'joined') address = event.addresses[0]!;
  },
});
process.once('SIGTERM', () => void cluster.close());
const { workers } = await cluster.snapshot();
console.log(JSON.stringify({ address, pids: workers.map(({ pid }) => pid) }));
