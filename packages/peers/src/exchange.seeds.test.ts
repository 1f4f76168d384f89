// Tests of seeds: nodes use them, they answer requests, and they crawl the network.

import test from 'ava';
import { cluster, connected, idOf, isLinked, passive } from './testing/cluster.ts';
import { countReceived, rawPeer } from './testing/raw-peer.ts';
import { eventsOf, runs, simulationOf } from './testing/runs.ts';

const entry = (name: string, address = name) => ({ nodeId: idOf(name), address });
const NOTHING = new Uint8Array();

test.serial(
  'a node with an empty book asks its seed and connects within seconds to the nodes that the seed returns',
  async (t) => {
    for (const run of runs(5)) {
      const sim = simulationOf(run);
      const names = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6'];
      const nodes = cluster(sim, [...names, 'seed'], {
        peers: (name) => (name === 'seed' ? passive : { ...passive, persistent: ['seed'] }),
      });
      await sim.until(() => nodes.get('seed')?.peers.list().length === names.length, 10_000);
      const late = cluster(sim, ['late'], { peers: () => ({ seeds: ['seed'] }) });
      await sim.until(() => names.every((name) => isLinked(late.get('late'), name)), 3_000);
      t.deepEqual(connected(late.get('late')!, ['seed', ...names]), [...names, 'seed'], run.name);
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial('a node whose book has addresses dials no seed', async (t) => {
  for (const run of runs(2)) {
    const sim = simulationOf(run);
    let seeds = ['seed'];
    let asked = 0;
    const resolve = (target: string) => {
      if (target === 'other') asked++;
      return target;
    };
    const nodes = cluster(sim, ['a', 'b', 'seed', 'other'], {
      transport: { resolve },
      peers: (name) =>
        name === 'a'
          ? { seeds, maxOutbound: 1 }
          : { ...passive, persistent: name === 'b' ? ['seed'] : [] },
    });
    const a = () => nodes.get('a');
    await sim.until(() => a()?.peers.snapshot().book.size === 2, 120_000);
    await sim.settle(a()!.peers.close());
    seeds = ['other'];
    sim.crash('seed');
    sim.crash('a');
    await sim.run(1_000);
    sim.restart('a');
    await sim.run(10);
    await sim.until(() => isLinked(a(), 'b'), 30_000);
    await sim.run(60_000);
    t.is(asked, 0, run.name);
    sim.crash('b');
    await sim.until(() => isLinked(a(), 'other'), 10_000);
    t.deepEqual(await sim.close(), []);
  }
});

test.serial('a seed answers a visitor in full, then disconnects it in order', async (t) => {
  for (const run of runs()) {
    const sim = simulationOf(run);
    const names = Array.from({ length: 20 }, (_, i) => `n${i}`);
    const nodes = cluster(sim, ['seed'], {
      peers: () => ({ exchange: { seed: true } }),
      durable: false,
    });
    await sim.until(() => nodes.size === 1);
    for (const one of names.map((name) => rawPeer(sim, name))) {
      await sim.settle(one.transport.listen());
      await sim.settle(one.transport.dial('seed'));
    }
    const guest = rawPeer(sim, 'guest');
    const remote = await sim.settle(guest.transport.dial('seed'));
    t.true(guest.words.trySend(remote, 'request', NOTHING));
    await sim.until(() => guest.downs.length === 1, 2_000);
    t.is(guest.downs[0]!.reason, 'disconnected', run.name);
    t.regex(guest.downs[0]!.message, /seed/);
    const answers = guest.heard.filter(({ method }) => method === 'addresses');
    t.is(answers.length, 1);
    const { addresses } = answers[0]!.request as {
      addresses: { nodeId: string; address: string }[];
    };
    const told = addresses.map(({ address }) => address).filter((address) => address !== 'guest');
    t.deepEqual(told.sort(), [...names].sort(), 'all that it knows: few enough to return them all');
    await sim.until(() => !isLinked(nodes.get('seed'), 'guest'), 1_000);
    const again = await sim.settle(guest.transport.dial('seed'));
    guest.words.trySend(again, 'request', NOTHING);
    guest.words.trySend(again, 'request', NOTHING);
    await sim.until(() => guest.downs.length === 2, 2_000);
    t.is(countReceived(guest, 'addresses'), 2);
    t.is(guest.downs[1]!.reason, 'disconnected', 'and is no offense');
    t.deepEqual(await sim.close(), []);
  }
});

test.serial(
  'a seed crawls the network: it returns nodes that never connected to it, and keeps no peers',
  async (t) => {
    for (const run of runs(2)) {
      const sim = simulationOf(run);
      // Only n1 knows the node `hidden`; n1 dials the seed.
      const nodes = cluster(sim, ['seed', 'n1', 'hidden'], {
        peers: (name) =>
          name === 'seed'
            ? { exchange: { seed: true } }
            : name === 'n1'
              ? { seeds: ['seed'] }
              : { ...passive, persistent: ['n1'] },
      });
      await sim.until(() => (nodes.get('seed')?.peers.snapshot().book.size ?? 0) === 2, 120_000);
      const late = cluster(sim, ['late'], { peers: () => ({ seeds: ['seed'] }) });
      await sim.until(
        () => isLinked(late.get('late'), 'hidden') && isLinked(late.get('late'), 'n1'),
        60_000,
      );
      let most = 0;
      for (let minute = 0; minute < 20; minute++) {
        await sim.run(60_000);
        most = Math.max(most, nodes.get('seed')!.transport.remotes().length);
      }
      t.true(most <= 3, `${run.name}: ${most}`);
      const seed = nodes.get('seed')!;
      const longest = eventsOf(seed, 'up').filter(({ peer }) =>
        eventsOf(seed, 'down').every(({ nodeId }) => nodeId !== peer.nodeId),
      );
      t.deepEqual(longest, [], 'all have been disconnected');
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial(
  'an address that never answers is dialed at most 16 times a day, and its id loses no score',
  async (t) => {
    for (const run of runs(2)) {
      const sim = simulationOf(run);
      const dials = new Map<string, number>();
      const resolve = (target: string) => {
        dials.set(target, (dials.get(target) ?? 0) + 1);
        return target;
      };
      const falseReporter = rawPeer(sim, 'liar', { answer: () => [entry('ghost')] });
      await sim.settle(falseReporter.transport.listen());
      const nodes = cluster(sim, ['a'], {
        transport: { resolve },
        peers: () => ({ seeds: ['liar'] }),
      });
      await sim.run(3_600_000);
      t.is(dials.get('ghost'), 16, run.name);
      const error = (await t.throwsAsync(
        sim.settle(nodes.get('a')!.transport.send(`node:${idOf('ghost')}`, 'say', 'x')),
      )) as { reason?: string };
      t.is(error.reason, 'connection_refused');
      t.true(isLinked(nodes.get('a'), 'liar'));
      t.deepEqual(await sim.close(), []);
    }
  },
);

test.serial(
  'a seed crawls an address that does not answer at most 16 times, whether it once answered or never did',
  async (t) => {
    const sim = simulationOf({ seed: 4, level: 'message', name: '' });
    const dials = new Map<string, number>();
    const resolve = (target: string) => {
      dials.set(target, (dials.get(target) ?? 0) + 1);
      return target;
    };
    const falseReporter = rawPeer(sim, 'liar', { answer: () => [entry('ghost'), entry('mortal')] });
    const mortal = rawPeer(sim, 'mortal');
    await sim.settle(Promise.all([falseReporter.transport.listen(), mortal.transport.listen()]));
    const nodes = cluster(sim, ['seed'], {
      transport: { resolve },
      peers: () => ({ seeds: ['liar'], exchange: { seed: true } }),
    });
    await sim.until(() => nodes.size === 1);
    await sim.settle(falseReporter.transport.dial('seed'));
    await sim.until(() => mortal.links.size === 1, 300_000);
    await sim.settle(mortal.transport.close());
    dials.clear();
    for (let hour = 0; hour < 6; hour++) await sim.run(3_600_000);
    t.true(dials.get('ghost')! <= 16, `${dials.get('ghost')} dials of the one that never answered`);
    t.true(dials.get('mortal')! <= 16, `${dials.get('mortal')} dials of the one that once did`);
    t.true(dials.get('liar')! > 50, 'it continues to crawl');
    t.deepEqual(await sim.close(), []);
  },
);
