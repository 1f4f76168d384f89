// Tests administration as a part of a node.

import { admin, adminProtocol, followNode } from '@trunkline/admin';
import test from 'ava';
import { createNode } from '../index.mesh.ts';
import { createTransport } from '../index.ts';
import { addressOf, closing, first, greeter as protocol, text } from './testing/fixture.ts';

test('a tool sees the transport, the peers and the topics of a node', async (t) => {
  const address = addressOf(t, 'a');
  const parts = [admin({ allow: () => true })];
  const gossip = { topics: { news: text } };
  const node = closing(t, await createNode({ address, protocol, gossip, parts }));
  const peer = closing(t, await createNode({ protocol, peers: { seeds: [address] } }));
  await node.peers.ready();
  const tool = createTransport({ protocol: adminProtocol });
  const state = await first(followNode(tool.to(address)));
  t.is(state.node.nodeId, node.nodeId);
  t.deepEqual(Object.keys(state.peers ?? {}), [peer.nodeId]);
  t.deepEqual(
    Object.values(state.topics ?? {}).map(({ topic }) => topic),
    ['news'],
  );
  await tool.close();
});

test('nobody sees a node unless allow says so', async (t) => {
  const address = addressOf(t, 'a');
  closing(t, await createNode({ address, protocol, parts: [admin({ allow: () => false })] }));
  const tool = createTransport({ protocol: adminProtocol });
  await t.throwsAsync(first(followNode(tool.to(address))), { code: 'permission_denied' });
  await tool.close();
});
