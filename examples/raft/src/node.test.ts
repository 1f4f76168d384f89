// Tests whole clusters and the client in virtual time, where each test sets the faults; the
// simulation of `pnpm sim` draws them.

import type { LinkOptions } from '@trunkline/simulation';
import { TransportError } from '@trunkline/transport-core';
import test, { type ExecutionContext } from 'ava';
import { KvClient } from './client.ts';
import { command, OPS, result } from './kv.ts';
import type { RaftNodeOptions } from './node.ts';
import { ELECTION, HEARTBEAT, Nodes } from './testing/nodes.ts';

type Options = Partial<RaftNodeOptions> & { readonly count?: number; readonly link?: LinkOptions };

const LEADERLESS: Options = { count: 3, electionTimeout: 60_000 };
const COMPACT: Options = { count: 3, snapshotEvery: 10, keep: 0 };
const LAGGING: Options = { snapshotEvery: 10, keep: 20, link: { latency: [1, 20] } };

let clients = 0;
const set = (key: string, value: string) =>
  command.encode({ client: `t${++clients}`, seq: 1, op: OPS.set, key, value });

/** Declares a case with five nodes of its own, or `count`, which must leave nothing behind. */
function nodesTest(
  title: string,
  { count = 5, link, ...options }: Options,
  story: (t: ExecutionContext, nodes: Nodes) => Promise<void>,
): void {
  // Only one simulation can run in a thread at a time.
  test.serial(title, async (t) => {
    const nodes = new Nodes(count, options, link);
    try {
      await story(t, nodes);
    } finally {
      t.deepEqual(await nodes.sim.close(), []);
    }
  });
}

nodesTest('five nodes elect a leader, which commits on all', {}, async (t, nodes) => {
  const leader = await nodes.leader();
  await nodes.propose(leader, set('k', 'v'));
  t.like(result.decode(await nodes.propose(leader, set('k', 'w'))), { found: true, value: 'v' });
  await nodes.until('k', 'w', 1_000);
  t.true(nodes.names.every((name) => nodes.status(name).leader === leader));
});

nodesTest('a single node leads and commits at once', { count: 1 }, async (t, nodes) => {
  await nodes.propose(await nodes.leader(), set('k', 'v'));
  await nodes.until('k', 'v', 10);
  t.pass();
});

nodesTest('a follower names the leader', { count: 3 }, async (t, nodes) => {
  const leader = await nodes.leader();
  const other = nodes.names.find((name) => name !== leader)!;
  const error = await t.throwsAsync(nodes.propose(other, set('k', 'v')), {
    instanceOf: TransportError,
    code: 'failed_precondition',
  });
  t.is(error?.metadata?.['leader'], leader);
});

nodesTest('without a leader a command fails', LEADERLESS, async (t, nodes) => {
  await nodes.sim.run(10);
  await t.throwsAsync(nodes.propose('n1', set('k', 'v')), {
    code: 'unavailable',
    message: /knows no leader in term 0/,
  });
});

nodesTest('a leader without a majority steps down', {}, async (t, nodes) => {
  const leader = await nodes.leader();
  const others = nodes.names.filter((name) => name !== leader);
  nodes.sim.partition([leader], others);
  const settled = Promise.allSettled(
    ['a', 'b', 'c'].map((key) => nodes.outside.send(leader, 'propose', set(key, 'v'))),
  );
  await nodes.sim.until(() => nodes.status(leader).role !== 'leader', 2 * ELECTION + HEARTBEAT);
  for (const each of await nodes.sim.settle(settled)) {
    t.is(each.status, 'rejected');
    t.like((each as PromiseRejectedResult).reason, { code: 'unavailable', sent: true });
  }
});

nodesTest('pre-votes keep an isolated node from a new term', {}, async (t, nodes) => {
  const leader = await nodes.leader();
  const { term } = nodes.status(leader);
  const others = nodes.names.filter((name) => name !== leader);
  nodes.sim.partition(others.slice(0, 1), [leader, ...others.slice(1)]);
  await nodes.sim.run(20 * ELECTION);
  t.is(nodes.status(others[0]!).role, 'candidate');
  nodes.sim.heal();
  await nodes.sim.run(5 * ELECTION);
  t.like(nodes.status(others[0]!), { term, leader });
});

nodesTest('a node cut off from the leader alone cannot replace it', {}, async (t, nodes) => {
  const leader = await nodes.leader();
  const { term } = nodes.status(leader);
  nodes.sim.cut(leader, nodes.names.find((name) => name !== leader)!);
  await nodes.sim.run(20 * ELECTION);
  t.like(nodes.status(leader), { role: 'leader', term });
});

nodesTest('a node that was away gets a large snapshot', COMPACT, async (t, nodes) => {
  const leader = await nodes.leader();
  const away = nodes.names.find((name) => name !== leader)!;
  nodes.sim.crash(away);
  for (let i = 0; i < 25; i++) await nodes.propose(leader, set(`k${i}`, 'v'.repeat(20_000)));
  nodes.sim.restart(away);
  await nodes.until('k24', 'v'.repeat(20_000), 5_000);
  const restores = nodes.events.filter(({ event }) => event.type === 'restored');
  t.like(restores, { length: 1, 0: { name: away } });
  t.true((restores[0]!.event as { bytes: number }).bytes > 5 * 64 * 1024);
  t.is(nodes.peers.get(away)!.machine.get('k0'), 'v'.repeat(20_000));
});

nodesTest('nodes that lag a little get entries', LAGGING, async (t, nodes) => {
  const leader = await nodes.leader();
  for (let i = 0; i < 100; i++) await nodes.propose(leader, set(`k${i}`, 'v'));
  await nodes.until('k99', 'v', 2_000);
  t.false(nodes.events.some(({ event }) => event.type === 'restored'));
});

nodesTest('close settles pending commands', { count: 3 }, async (t, nodes) => {
  const { node } = nodes.peers.get(await nodes.leader())!;
  const proposal = t.throwsAsync(node.propose(set('k', 'v')), { code: 'shutdown' });
  await nodes.sim.settle(Promise.all([node.close(), node.close()]));
  await proposal;
  await t.throwsAsync(node.propose(set('k', 'v')), { code: 'shutdown' });
});

nodesTest('a node whose store fails stops', { count: 3 }, async (t, nodes) => {
  const leader = await nodes.leader();
  const broken = nodes.names.find((name) => name !== leader)!;
  nodes.sim.disk(broken, { failure: 1 });
  await nodes.propose(leader, set('k', 'v'));
  await nodes.sim.until(() => nodes.events.some(({ event }) => event.type === 'failed'), 1_000);
  t.is(nodes.events.find(({ event }) => event.type === 'failed')!.name, broken);
  await nodes.propose(leader, set('k', 'w'));
});

nodesTest('a snapshot of another size than announced is refused', {}, async (t, nodes) => {
  const leader = await nodes.leader();
  const send = (size: number, ...parts: number[]) => {
    const upload = (async function* () {
      for (const part of parts) yield new Uint8Array(part);
    })();
    const request = { term: 0, leader: 'x', index: 9, indexTerm: 1, size };
    return nodes.sim.settle(nodes.outside.send(leader, 'installSnapshot', request, { upload }));
  };
  for (const [parts, message] of [
    [[50], /100 bytes was announced, but 50 arrived/],
    [[50, 60, 70], /100 bytes was announced, but 110 arrived/],
  ] as const)
    await t.throwsAsync(send(100, ...parts), { code: 'invalid_argument', message });
  await t.throwsAsync(send(0xffff_ffff), { code: 'resource_exhausted' });
  t.true((await send(0)).term > 0);
});

nodesTest('a client finds the leader, and then the next one', { count: 3 }, async (t, nodes) => {
  const leader = await nodes.leader();
  const others = nodes.names.filter((name) => name !== leader);
  const order = [...others, leader];
  const client = new KvClient({ transport: nodes.outside, nodes: order, name: 'c' });
  await nodes.sim.settle(client.set('k', 'v'));
  nodes.sim.crash(leader);
  await nodes.sim.settle(client.set('l', 'w'));
  const values = [];
  for (const key of ['k', 'l', 'm']) values.push(await nodes.sim.settle(client.get(key)));
  t.deepEqual(values, ['v', 'w', undefined]);
  t.true(await nodes.sim.settle(client.delete('k')));
  t.false(await nodes.sim.settle(client.delete('k')));
});

nodesTest(
  'a client gives up in time',
  LEADERLESS,
  async (t, { sim, outside: transport, names }) => {
    const client = new KvClient({ transport, nodes: names, name: 'c', timeout: 100 });
    await t.throwsAsync(sim.settle(client.set('k', 'v')), {
      code: 'deadline_exceeded',
      message: /no leader answered c within 100 ms/,
    });
    await sim.settle(transport.close());
    await t.throwsAsync(sim.settle(client.set('k', 'v')), { code: 'shutdown' });
  },
);

nodesTest('a node must be a member', { count: 1, members: ['a', 'b'] }, async (t, { sim }) => {
  await t.throwsAsync(sim.run(1), { message: /members: must contain the target of this node/ });
});
