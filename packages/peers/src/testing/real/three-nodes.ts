// A script that a test runs in a separate process. Three nodes on the system clock meet, close, and
// leave nothing open that would keep the process running, so it ends by itself.

import process from 'node:process';
import { createTransport } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { createFileAddressBook } from '../../index.node.ts';
import { createPeers } from '../../peers.ts';
import { echo } from '../cluster.ts';

const [path] = process.argv.slice(2);
const nodes = [];
const seeds: string[] = [];
for (let i = 0; i < 3; i++) {
  const transport = createTransport('tcp://127.0.0.1:0', { protocol: echo, backends: [tcp()] });
  await transport.listen();
  const peers = createPeers({
    transport,
    seeds: [...seeds],
    ...(i === 0 ? { addressBook: createFileAddressBook(path!) } : {}),
  });
  await peers.start();
  if (i === 0) seeds.push(transport.localAddr());
  else await peers.ready({ timeout: 10_000 });
  nodes.push({ transport, peers });
}
const met = nodes.map(({ peers }) => peers.list().length);
// The nodes close in different orders: peers first, transport first, and both at once.
const [one, two, three] = nodes;
await one!.peers.close();
await one!.transport.close();
await two!.transport.close();
await two!.peers.close();
await Promise.all([three!.transport.close(), three!.peers.close()]);
process.stdout.write(`${met.every((count) => count >= 1) ? 'met' : `met ${met}`}, closed\n`);
