// Tests of the admin protocol on nodes with peers and gossip.

import { createGossip, fullMesh } from '@trunkline/gossip';
import { createPeers } from '@trunkline/peers';
import { createTransport, defineProtocol, json } from '@trunkline/transport-core';
import test, { type ExecutionContext } from 'ava';
import { z } from 'zod';
import { adminProtocol, createAdmin, followNode } from './index.ts';
import { backends, first } from './testing/fixture.ts';

const protocol = defineProtocol({ name: 'app', channel: 0x20, methods: {} });

async function node(t: ExecutionContext, name: string, seeds: string[]) {
  const admin = createAdmin({ allow: () => true, readonly: false });
  const { observer } = admin;
  const transport = createTransport(`inmem://${`${t.title} ${name}`.replace(/\W+/g, '-')}`, {
    protocol,
    backends,
    observer,
  });
  const status = json(z.object({ height: z.number() }));
  const nodeId = name.repeat(64);
  const peers = createPeers({ transport, seeds, identity: { nodeId }, status });
  const gossip = createGossip({ transport, peers, overlay: fullMesh() });
  admin.serve({ transport, peers, gossip });
  await transport.listen();
  await peers.start();
  await gossip.start();
  t.teardown(async () => {
    await gossip.close();
    await peers.close();
    await transport.close();
  });
  return { transport, peers, gossip };
}

async function fixture(t: ExecutionContext) {
  const a = await node(t, 'a', []);
  const b = await node(t, 'b', [a.transport.advertiseAddr()]);
  const tool = createTransport({ protocol, backends });
  t.teardown(() => tool.close());
  return { a, b, tool: tool.mount(adminProtocol).to(a.transport.advertiseAddr()) };
}

test('a tool sees peers with their status, and topics', async (t) => {
  const { a, b, tool } = await fixture(t);
  b.peers.status.set({ height: 7 });
  const topics = [a, b].map(({ gossip }) => gossip.topic('news', json(z.string())));
  const received = first(topics[0]!);
  await topics[1]!.publish('rain');
  await received;
  const peer = 'b'.repeat(64);
  const state = await first(
    followNode(tool, { interval: 250 }),
    ({ peers }) => peers?.[peer]?.status !== undefined,
  );
  t.is(state.node.nodeId, 'a'.repeat(64));
  t.like(state.peers?.[peer], { direction: 'in', proven: false, status: { height: 7 } });
  t.true(state.peers![peer]!.connection in state.connections);
  const [topic] = Object.values(state.topics!);
  t.like(topic, { topic: 'news', neighbors: [peer], delivered: 1, published: 0, missed: 0 });
});

test('a tool gets events of peers and topics, beginning with those that are there', async (t) => {
  const { a, tool } = await fixture(t);
  await a.peers.ready();
  const events = await tool.events({});
  const up = await first(events, ({ source, type }) => source === 'peers' && type === 'up');
  t.is((up as any).peer.nodeId, 'b'.repeat(64));
  const again = await tool.events({});
  const joined = first(again, ({ type }) => type === 'joined');
  a.gossip.topic('later', json(z.string()));
  t.like(await joined, { source: 'gossip', topic: 'later' });
});

test('a tool bans a node', async (t) => {
  const { a, tool } = await fixture(t);
  await a.peers.ready();
  const events = a.peers.events();
  await tool.ban({ nodeId: 'b'.repeat(64), time: 60_000, reason: 'it floods' });
  const down = await first(events, ({ type }) => type === 'down');
  t.regex((down as any).cause.message, /it floods/);
  const state = await first(followNode(tool, { interval: 250 }));
  t.deepEqual(state.peers, {});
  t.deepEqual(await tool.unban({ nodeId: 'b'.repeat(64) }), {});
});
