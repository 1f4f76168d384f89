// Tests of admission to a node: limits, bans, and the errors that both ends see.

import test from 'ava';
import { cluster, connected, echo, idOf, isLinked, passive } from './testing/cluster.ts';
import { eventsOf, runs, simulationOf } from './testing/runs.ts';

test.serial(
  'maxInbound limits ordinary inbound peers, but not persistent and unconditional ones; a freed place is used again',
  async (t) => {
    for (const run of runs()) {
      const sim = simulationOf(run);
      const names = ['a', 'b1', 'b2', 'b3', 'friend', 'partner'];
      const nodes = cluster(sim, names, {
        peers: (name) =>
          name === 'a'
            ? {
                ...passive,
                maxInbound: 2,
                unconditional: [idOf('friend')],
                persistent: [`${idOf('partner')}@partner`],
              }
            : { ...passive, persistent: name === 'partner' ? [] : ['a'] },
      });
      sim.refuse('friend');
      await sim.until(
        () =>
          nodes.size === 6 &&
          isLinked(nodes.get('a'), 'friend') &&
          isLinked(nodes.get('a'), 'partner'),
        10_000,
      );
      const a = nodes.get('a')!;
      await sim.run(5_000);
      const inside = connected(a, names);
      t.is(inside.length, 4, run.name);
      t.deepEqual(
        [a.peers.snapshot().inbound, a.peers.snapshot().outbound],
        [2, 0],
        'the others count against no cap',
      );
      const outside = names.find((name) => name.startsWith('b') && !inside.includes(name))!;
      const refused = eventsOf(nodes.get(outside)!, 'rejected');
      t.true(
        refused.length > 0 &&
          refused.every(
            ({ reason, direction, error }) =>
              reason === 'full' &&
              direction === 'out' &&
              error.reason === 'full' &&
              error.origin === 'remote',
          ),
      );
      t.true(
        eventsOf(a, 'rejected').every(
          ({ reason, direction, nodeId }) =>
            reason === 'full' && direction === 'in' && nodeId === idOf(outside),
        ),
      );
      t.deepEqual(
        [nodes.get(outside)!.transport.remotes().length, a.transport.remotes().length],
        [0, 4],
        'no trace of it is left at either end',
      );
      const [leaver] = inside.filter((name) => name.startsWith('b'));
      sim.crash(leaver!);
      await sim.until(() => isLinked(a, outside), 60_000);
      t.is(a.peers.snapshot().inbound, 2);
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial(
  'peers that connect at once while a filter is deciding never exceed the cap',
  async (t) => {
    for (const run of runs(2)) {
      const sim = simulationOf(run);
      const filters = { nodeId: () => new Promise<void>((resolve) => later.push(resolve)) };
      const later: (() => void)[] = [];
      const names = Array.from({ length: 12 }, (_, i) => `b${i}`);
      const nodes = cluster(sim, ['a', ...names], {
        peers: (name) =>
          name === 'a'
            ? { ...passive, maxInbound: 5, filters, exchange: { enabled: false } }
            : { ...passive, persistent: ['a'] },
      });
      await sim.run(500);
      t.is(later.length, 5, `${run.name}: no more are being filtered`);
      for (const open of later.splice(0)) open();
      await sim.run(100);
      t.is(nodes.get('a')!.peers.list().length, 5);
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial(
  'a peer that becomes persistent while it is connected no longer counts against any cap',
  async (t) => {
    for (const run of runs(2)) {
      const sim = simulationOf(run);
      const nodes = cluster(sim, ['a', 'b', 'c'], {
        peers: (name) =>
          name === 'a'
            ? { ...passive, maxInbound: 1 }
            : { ...passive, persistent: name === 'b' ? ['a'] : [] },
      });
      await sim.until(() => isLinked(nodes.get('a'), 'b'));
      const a = nodes.get('a')!;
      a.peers.add(`${idOf('b')}@b`);
      await sim.run(2_000);
      t.true(a.peers.get(idOf('b'))!.persistent, run.name);
      t.is(a.peers.snapshot().inbound, 0);
      nodes.get('c')!.peers.add('a');
      await sim.until(() => isLinked(a, 'c'), 10_000);
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial(
  'a ban disconnects a node, refuses it on every address and in both directions, and ends',
  async (t) => {
    for (const run of runs()) {
      const sim = simulationOf(run);
      const b2 = { nodeId: idOf('b') };
      const nodes = cluster(sim, ['a', 'b', 'moved'], {
        peers: (name) =>
          name === 'a' ? {} : { ...passive, identity: b2, persistent: name === 'b' ? ['a'] : [] },
        durable: false,
      });
      await sim.until(() => isLinked(nodes.get('a'), 'b') && isLinked(nodes.get('b'), 'a'));
      const [a, b] = [nodes.get('a')!, nodes.get('b')!];
      a.peers.ban(idOf('b'), 60_000);
      const until = sim.now + 60_000;
      await sim.until(() => !isLinked(a, 'b') && !isLinked(b, 'a'), 1_000);
      t.deepEqual(
        [eventsOf(a, 'down')[0]!.cause.reason, eventsOf(b, 'down')[0]!.cause.reason],
        ['denied', 'denied'],
      );
      await sim.until(
        () => eventsOf(b, 'rejected').some(({ reason }) => reason === 'denied'),
        10_000,
      );
      const error = await t.throwsAsync(
        sim.settle(a.transport.send(`node:${idOf('b')}`, 'say', 'x')),
        { code: 'permission_denied' } as never,
      );
      t.is((error as { reason?: string }).reason, 'denied');
      sim.crash('b');
      nodes.get('moved')!.peers.add('a');
      await sim.run(until - sim.now - 1_000);
      t.false(isLinked(a, 'b'), run.name);
      t.true(
        eventsOf(nodes.get('moved')!, 'rejected').some(
          ({ reason, error: { origin } }) => reason === 'denied' && origin === 'remote',
        ),
        'also from elsewhere',
      );
      t.true(
        eventsOf(a, 'rejected').every(
          ({ reason, nodeId }) => reason === 'denied' && nodeId === idOf('b'),
        ),
      );
      await sim.until(() => isLinked(a, 'b'), 125_000);
      a.peers.ban(idOf('b'));
      await sim.until(() => !isLinked(a, 'b'), 1_000);
      a.peers.unban(idOf('b'));
      await sim.until(() => isLinked(a, 'b'), 60_000);
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial('a ban made before the start holds when the address book is loaded', async (t) => {
  const sim = simulationOf({ seed: 3, level: 'message', name: '' });
  const nodes = cluster(sim, ['a', 'b'], {
    peers: (name) => (name === 'a' ? passive : { ...passive, persistent: ['a'] }),
  });
  await sim.until(() => isLinked(nodes.get('a'), 'b'));
  await sim.settle(nodes.get('a')!.peers.close());
  sim.crash('a');
  let bans = true;
  sim.restart('a');
  // The node is up before its book has been read.
  sim.disk('a', { latency: 200 });
  nodes.delete('a');
  await sim.until(() => {
    const a = nodes.get('a');
    if (a !== undefined && bans) a.peers.ban(idOf('b'));
    if (a !== undefined) bans = false;
    return !bans;
  });
  await sim.run(60_000);
  t.deepEqual(nodes.get('a')!.peers.list(), []);
  t.true(eventsOf(nodes.get('b')!, 'rejected').some(({ reason }) => reason === 'denied'));
  t.deepEqual(await sim.close(), []);
});

test.serial(
  'in public mode one network gets a quarter of the inbound places at most, and others still get in',
  async (t) => {
    for (const run of runs()) {
      const sim = simulationOf(run);
      const crowd = Array.from({ length: 10 }, (_, i) => `8.8.${i}.1`);
      const others = ['9.9.9.9', '1.1.1.1'];
      const nodes = cluster(sim, ['a', ...crowd, ...others], {
        peers: (name) =>
          name === 'a'
            ? { ...passive, addresses: 'public', maxInbound: 12 }
            : { ...passive, persistent: name.startsWith('8') ? ['a'] : [] },
      });
      await sim.run(10_000);
      const a = nodes.get('a')!;
      t.is(connected(a, crowd).length, 3, run.name);
      t.true(eventsOf(a, 'rejected').every(({ reason }) => reason === 'full'));
      for (const name of others) nodes.get(name)!.peers.add('a');
      await sim.until(() => others.every((name) => isLinked(a, name)), 5_000);
      t.is(a.peers.list().length, 5);
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial(
  'a node of another network and a node without peers are both rejected as incompatible',
  async (t) => {
    for (const run of runs(2)) {
      const sim = simulationOf(run);
      const far = sim.client(echo, { name: 'far', network: 'elsewhere' });
      const plain = sim.client(echo, { name: 'plain' });
      await sim.settle(Promise.all([far.listen(), plain.listen()]));
      const nodes = cluster(sim, ['a'], { peers: () => ({ persistent: ['far', 'plain'] }) });
      await sim.run(500);
      const a = nodes.get('a')!;
      t.deepEqual(
        eventsOf(a, 'rejected')
          .map(({ reason, addr }) => `${addr} ${reason}`)
          .sort(),
        ['far incompatible', 'plain incompatible'],
        run.name,
      );
      t.deepEqual(a.transport.remotes(), []);
      t.deepEqual(await sim.close(), []);
    }
  },
);
