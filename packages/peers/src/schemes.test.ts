// Tests of peers on a transport that picks its backend by the scheme.

import { createTransport } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import test from 'ava';
import { createPeers } from './peers.ts';
import { echo } from './testing/cluster.ts';

test('addresses that others sent are dialed on a transport that selects its backend by scheme', async (t) => {
  const nodes: Awaited<ReturnType<typeof open>>[] = [];
  try {
    for (let i = 0; i < 3; i++)
      nodes.push(await open(nodes.slice(0, 1).map(({ transport }) => transport.advertiseAddr())));
    await Promise.all(nodes.map(({ peers }) => peers.ready({ peers: 2, timeout: 10_000 })));
    for (const { peers } of nodes) t.is(peers.list().length, 2);
  } finally {
    for (const { peers, transport } of nodes) {
      await peers.close();
      await transport.close();
    }
  }
});

async function open(seeds: string[]) {
  const transport = createTransport('tcp://127.0.0.1:0', { protocol: echo, backends: [tcp()] });
  const peers = createPeers({ transport, seeds });
  await transport.listen();
  await peers.start();
  return { transport, peers };
}
