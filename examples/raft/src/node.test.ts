// Tests the driver of Raft (node.ts) and the client, with nodes in one process.

import { TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { KvClient } from './client.ts';
import { command, OPS, result } from './kv.ts';
import { MemoryStore } from './memory-store.ts';
import type { RaftNodeOptions } from './node-options.ts';
import { Nodes } from './testing/nodes.ts';

let clients = 0;
const set = (key: string, value: string) =>
  command.encode({ client: `t${++clients}`, seq: 1, op: OPS.set, key, value });

async function withNodes(
  count: number,
  options: Partial<RaftNodeOptions>,
  story: (nodes: Nodes) => Promise<void>,
): Promise<void> {
  const nodes = await Nodes.start(count, options);
  try {
    await story(nodes);
  } finally {
    await nodes.close();
  }
}

test('the leader commits proposed commands and answers with the result', async (t) => {
  await withNodes(3, {}, async (nodes) => {
    const leader = await nodes.leader();
    await leader.node.propose(set('k', 'v'));
    t.like(result.decode(await leader.node.propose(set('k', 'w'))), { found: true, value: 'v' });
  });
});

test('a follower names the leader, locally and over the network', async (t) => {
  await withNodes(3, {}, async (nodes) => {
    const leader = await nodes.leader();
    const other = nodes.peers.find((peer) => peer !== leader)!;
    const expected = { instanceOf: TransportError, code: 'failed_precondition' };
    const here = await t.throwsAsync(other.node.propose(set('k', 'v')), expected);
    const there = await t.throwsAsync(
      nodes.outside.send(other.node.id, 'propose', set('k', 'v')),
      expected,
    );
    for (const error of [here, there])
      t.is((error as TransportError).metadata?.['leader'], leader.node.id);
  });
});

test('without a leader a command fails with unavailable', async (t) => {
  await withNodes(3, { electionTimeout: 60_000 }, async ({ peers }) => {
    await t.throwsAsync(peers[0]!.node.propose(set('k', 'v')), {
      code: 'unavailable',
      message: /knows no leader in term 0/,
    });
  });
});

test('an isolated leader gives up its proposals, each once, and says that they may still take effect', async (t) => {
  await withNodes(3, {}, async (nodes) => {
    const leader = await nodes.leader();
    await Promise.all(
      nodes.peers.filter((peer) => peer !== leader).map(({ transport }) => transport.close()),
    );
    const settled = await Promise.allSettled(
      ['a', 'b', 'c'].map((key) => leader.node.propose(set(key, 'v'))),
    );
    for (const each of settled) {
      t.is(each.status, 'rejected');
      t.like((each as PromiseRejectedResult).reason, { code: 'unavailable', sent: true });
    }
    t.not(leader.node.status.role, 'leader');
  });
});

test('close settles pending calls and leaves no timer', async (t) => {
  const nodes = await Nodes.start(3);
  const leader = await nodes.leader();
  const proposal = t.throwsAsync(leader.node.propose(set('k', 'v')), { code: 'shutdown' });
  await Promise.all([leader.node.close(), leader.node.close()]);
  await proposal;
  await t.throwsAsync(leader.node.propose(set('k', 'v')), { code: 'shutdown' });
  await nodes.close();
  t.is(nodes.clock.timers, 0);
});

test('a node whose store fails stops, and the others continue', async (t) => {
  const stores = [new MemoryStore(), new MemoryStore(), new MemoryStore()];
  const nodes = await Nodes.start(3, {}, stores);
  const leader = await nodes.leader();
  const broken = nodes.peers.find((peer) => peer !== leader)!;
  broken.store.sync = () => Promise.reject(new Error('disk full'));
  await leader.node.propose(set('k', 'v'));
  const failure = await nodes.until(() =>
    nodes.events.find(({ event }) => event.type === 'failed'),
  );
  t.is(failure.id, broken.node.id);
  t.like(failure.event, { error: { message: 'disk full' } });
  await leader.node.propose(set('k', 'w'));
  await nodes.close();
  t.is(nodes.clock.timers, 0);
});

test('a node that restarts on its store has its term, its log and its snapshot', async (t) => {
  await withNodes(3, { snapshotEvery: 10 }, async (nodes) => {
    const leader = await nodes.leader();
    for (let i = 0; i < 25; i++) await leader.node.propose(set(`k${i}`, 'v'));
    const i = nodes.peers.findIndex((peer) => peer !== leader);
    const { node, store } = nodes.peers[i]!;
    const { term } = node.status;
    await node.close();
    const again = await nodes.join(i, { store });
    t.true(again.node.status.term >= term && again.node.status.last > 10);
    await nodes.until(() =>
      nodes.events.find(({ event }) => event.type === 'restored' && event.from === 'disk'),
    );
    t.is(again.machine.get('k0'), 'v');
  });
});

test('a node that lost everything gets it in a snapshot larger than any packet', async (t) => {
  await withNodes(3, { snapshotEvery: 10, keep: 0 }, async (nodes) => {
    const leader = await nodes.leader();
    for (let i = 0; i < 20; i++) await leader.node.propose(set(`k${i}`, 'v'.repeat(20_000)));
    const i = nodes.peers.findIndex((peer) => peer !== leader);
    await nodes.peers[i]!.node.close();
    nodes.events.length = 0;
    const again = await nodes.join(i, { store: new MemoryStore() });
    const { event } = await nodes.until(() =>
      nodes.events.find(({ id, event }) => id === again.node.id && event.type === 'restored'),
    );
    t.true(event.type === 'restored' && event.bytes > 5 * 64 * 1024);
    t.is(again.machine.get('k5'), 'v'.repeat(20_000));
  });
});

test('a snapshot that is shorter than announced, or too long, is refused', async (t) => {
  await withNodes(3, {}, async (nodes) => {
    const leader = await nodes.leader();
    const send = (size: number, ...parts: number[]) => {
      const upload = (async function* () {
        for (const part of parts) yield new Uint8Array(part);
      })();
      return nodes.outside.send(
        leader.node.id,
        'installSnapshot',
        { term: 0, leader: 'x', index: 9, indexTerm: 1, size },
        { upload },
      );
    };
    await t.throwsAsync(send(100, 50), {
      code: 'invalid_argument',
      message: /100 bytes was announced, but 50 arrived/,
    });
    await t.throwsAsync(send(100, 50, 60), {
      code: 'invalid_argument',
      message: /100 bytes was announced, but at least 110 arrived/,
    });
    await t.throwsAsync(send(0xffff_ffff), { code: 'resource_exhausted' });
    t.true((await send(0)).term > 0);
  });
});

test('a client finds the leader, and the next one after that is lost', async (t) => {
  await withNodes(3, {}, async (nodes) => {
    const leader = await nodes.leader();
    const others = nodes.addrs.filter((addr) => addr !== leader.node.id);
    const client = new KvClient({
      transport: nodes.outside,
      nodes: [...others, leader.node.id],
      name: 'c',
    });
    await client.set('k', 'v');
    await leader.transport.close();
    await client.set('l', 'w');
    t.deepEqual(
      [await client.get('k'), await client.get('l'), await client.get('m')],
      ['v', 'w', undefined],
    );
    t.deepEqual([await client.delete('k'), await client.delete('k')], [true, false]);
  });
});

test('a client gives up at its deadline, and at once when its own transport is closed', async (t) => {
  await withNodes(3, { electionTimeout: 60_000 }, async (nodes) => {
    const client = new KvClient({
      transport: nodes.outside,
      nodes: nodes.addrs,
      name: 'c',
      timeout: 100,
    });
    await t.throwsAsync(client.set('k', 'v'), {
      code: 'deadline_exceeded',
      message: /no leader answered c within 100 ms/,
    });
    await nodes.outside.close();
    await t.throwsAsync(client.set('k', 'v'), { code: 'shutdown' });
  });
});

test('the time scale of a node multiplies its times, also if it changes while the node runs', async (t) => {
  let factor = 10;
  await withNodes(3, { timeScale: () => factor }, async (nodes) => {
    const leader = await nodes.leader();
    // The clock starts at 1,000 ms.
    t.true(nodes.clock.now() >= 2_000, 'no election before ten election timeouts have passed');
    factor = 100;
    await Promise.all(
      nodes.peers.filter((peer) => peer !== leader).map(({ transport }) => transport.close()),
    );
    await nodes.clock.sleep(5_000);
    t.is(leader.node.status.role, 'leader', 'it may hear nothing for 100 election timeouts');
  });
});

test('the time scale of a client multiplies its timeout', async (t) => {
  await withNodes(3, { electionTimeout: 60_000 }, async (nodes) => {
    const began = nodes.clock.now();
    const client = new KvClient({
      transport: nodes.outside,
      nodes: nodes.addrs,
      name: 'c',
      timeout: 100,
      timeScale: () => 5,
    });
    await t.throwsAsync(client.set('k', 'v'), {
      code: 'deadline_exceeded',
      message: /no leader answered c within 500 ms/,
    });
    t.true(nodes.clock.now() - began >= 500);
  });
});

test('a node must be a member of its own cluster', async (t) => {
  await withNodes(1, {}, async (nodes) => {
    await nodes.leader();
    await nodes.peers[0]!.node.close();
    await t.throwsAsync(nodes.join(0, { members: ['a', 'b'] }), {
      instanceOf: TypeError,
      message: /members: must contain the target of this node/,
    });
  });
});
