// Tests that many nodes that start at once and know only one node form one network. They use real
// sockets and the machine's own clock; a scenario in simulation does the same.

import { createPeers, type Peers } from '@trunkline/peers';
import { createTransport } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import test from 'ava';
import { partsOf, protocol } from './fleet.ts';

const NODES = 100;
test(`${NODES} nodes that know one default node form one graph, and keep it after that node is gone`, async (t) => {
  t.timeout(120_000);
  const nodes: { readonly peers: Peers; close(): Promise<void> }[] = [];
  const linked = new Map<string, Set<string>>();
  /** Called whenever a connection has come up or ended. */
  let look = () => {};
  const follow = async (peers: Peers, mine: Set<string>) => {
    for await (const event of peers.events()) {
      if (event.type === 'up') mine.add(event.peer.nodeId);
      else if (event.type === 'down') mine.delete(event.nodeId);
      else continue;
      look();
    }
  };
  const start = async (seeds: string[]) => {
    const transport = createTransport('tcp://127.0.0.1:0', { protocol, backends: [tcp()] });
    const peers = createPeers({ transport, seeds });
    const close = async () => {
      linked.delete(peers.nodeId);
      await peers.close();
      await transport.close({ grace: 0 });
    };
    nodes.push({ peers, close });
    const mine = new Set<string>();
    linked.set(peers.nodeId, mine);
    void follow(peers, mine);
    await transport.listen();
    await peers.start();
    return transport.localAddr();
  };
  t.teardown(() => Promise.all(nodes.map((node) => node.close())));
  const oneGraphOf = (count: number) =>
    new Promise<void>((resolve) => {
      look = () => {
        if (partsOf(linked)[0] !== count) return;
        look = () => {};
        resolve();
      };
      look();
    });

  const common = await start([]);
  await Promise.all(Array.from({ length: NODES - 1 }, () => start([common])));
  await oneGraphOf(NODES);
  const [hub] = nodes;
  t.true(hub!.peers.snapshot().inbound <= 40, 'no more inbound peers than the default limit');
  await hub!.close();
  await oneGraphOf(NODES - 1);
  t.pass();
});
