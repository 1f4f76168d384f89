// The primary of a cluster whose last worker is hostile. Prints a line with the address and the
// processes. After a line on stdin it takes a snapshot and a scrape, prints what they contain, and
// then closes the cluster and prints 'closed'.

import { once } from 'node:events';
import { createCluster } from '@trunkline/resilience/cluster';

const [, , isLying] = process.argv;
let address = '';
const cluster = await createCluster({
  worker: new URL('./cluster-worker.js', import.meta.url),
  args: [isLying ?? ''],
  workers: 3,
  grace: 100,
  onEvent(event) {
    if (event.type === 'joined') address = String(event.addresses?.[0] ?? address);
  },
});
const { workers } = await cluster.snapshot().catch(() => ({ workers: [] }));
console.log(JSON.stringify({ address, pids: [process.pid, ...workers.map(({ pid }) => pid)] }));
await once(process.stdin, 'data');
const snapshot = await cluster.snapshot().catch(({ message }: Error) => message);
const metrics = await cluster.metrics.collect();
console.log(JSON.stringify({ snapshot, metrics }));
await once(process.stdin, 'data');
await cluster.close();
console.log('closed');
process.stdin.destroy();
