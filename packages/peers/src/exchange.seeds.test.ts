// Tests of seeds: nodes use them, they answer requests, and they crawl the network.

import { failureOf } from './testing/bare.ts';
import { boot, cluster, connected, idOf, isLinked, passive } from './testing/cluster.ts';
import { countReceived, entriesTold, entry, rawPeer } from './testing/raw-peer.ts';
import { eventsOf, test } from './testing/runs.ts';

/** Counts dials by target. */
function counter() {
  const dials = new Map<string, number>();
  const resolve = (target: string) => {
    dials.set(target, (dials.get(target) ?? 0) + 1);
    return target;
  };
  return { dials, transport: { resolve } };
}

test('a node with an empty book asks its seed and connects within seconds to the nodes that the seed returns', async (t, sim) => {
  const names = ['n1', 'n2', 'n3', 'n4', 'n5', 'n6'];
  const nodes = await boot(sim, ['seed', ...names], {
    peers: (name) => ({ ...passive, persistent: name === 'seed' ? [] : ['seed'] }),
  });
  await sim.until(() => nodes[0]!.peers.list().length === names.length, 10_000);
  const [late] = await boot(sim, ['late'], { peers: { seeds: ['seed'] } });
  await sim.until(() => names.every((name) => isLinked(late, name)), 3_000);
  t.deepEqual(connected(late, ['seed', ...names]), [...names, 'seed']);
  const call = late.transport.send(`node:${idOf('n5')}`, 'say', 'hello');
  t.is(await sim.settle(call), 'n5: hello');
});

test('a node whose book has addresses dials no seed', async (t, sim) => {
  let seeds = ['seed'];
  const { dials, transport } = counter();
  const nodes = cluster(sim, ['a', 'b', 'seed', 'other'], {
    transport,
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
  t.false(dials.has('other'));
  sim.crash('b');
  await sim.until(() => isLinked(a(), 'other'), 10_000);
});

test('a seed answers a visitor in full, then disconnects it in order', async (t, sim) => {
  const names = Array.from({ length: 20 }, (_, i) => `n${i}`);
  const [seed] = await boot(sim, ['seed'], { peers: { exchange: { seed: true } }, durable: false });
  for (const one of names.map((name) => rawPeer(sim, name))) {
    await sim.settle(one.transport.listen());
    await sim.settle(one.transport.dial('seed'));
  }
  const guest = rawPeer(sim, 'guest');
  guest.ask(await sim.settle(guest.transport.dial('seed')));
  await sim.until(() => guest.downs.length === 1, 2_000);
  t.is(guest.downs[0]!.reason, 'disconnected');
  t.regex(guest.downs[0]!.message, /seed/);
  t.is(countReceived(guest, 'addresses'), 1);
  const told = entriesTold(guest).flatMap(({ address }) => (address === 'guest' ? [] : [address]));
  t.deepEqual(told.sort(), [...names].sort(), 'all that it knows: few enough to return them all');
  await sim.until(() => !isLinked(seed, 'guest'), 1_000);
  const again = await sim.settle(guest.transport.dial('seed'));
  for (let i = 0; i < 2; i++) guest.ask(again);
  await sim.until(() => guest.downs.length === 2, 2_000);
  t.is(countReceived(guest, 'addresses'), 2);
  t.is(guest.downs[1]!.reason, 'disconnected', 'and is no offense');
});

test('a seed crawls the network: it returns nodes that never connected to it, and keeps no peers', async (t, sim) => {
  // Only n1 knows the node `hidden`; n1 dials the seed.
  const given = {
    seed: { exchange: { seed: true } },
    n1: { seeds: ['seed'] },
    hidden: { ...passive, persistent: ['n1'] },
  };
  const [seed] = await boot(sim, ['seed', 'n1', 'hidden'], {
    peers: (name) => given[name as keyof typeof given],
  });
  await sim.until(() => seed.peers.snapshot().book.size === 2, 120_000);
  const [late] = await boot(sim, ['late'], { peers: { seeds: ['seed'] } });
  await sim.until(() => isLinked(late, 'hidden') && isLinked(late, 'n1'), 60_000);
  let most = 0;
  for (let minute = 0; minute < 20; minute++) {
    await sim.run(60_000);
    most = Math.max(most, seed.transport.remotes().length);
  }
  t.true(most <= 3, `${most}`);
  const gone = new Set(eventsOf(seed, 'down').map(({ nodeId }) => nodeId));
  t.true(eventsOf(seed, 'up').every(({ peer }) => gone.has(peer.nodeId)));
});

test('an address that never answers is dialed at most 16 times a day, and its id loses no score', async (t, sim) => {
  const { dials, transport } = counter();
  const falseReporter = rawPeer(sim, 'liar', { answer: () => [entry('ghost')] });
  await sim.settle(falseReporter.transport.listen());
  const [a] = await boot(sim, ['a'], { transport, peers: { seeds: ['liar'] } });
  await sim.run(3_600_000);
  t.is(dials.get('ghost'), 16);
  const call = a.transport.send(`node:${idOf('ghost')}`, 'say', 'x');
  t.is((await failureOf(sim.settle(call))).reason, 'connection_refused');
  t.true(isLinked(a, 'liar'));
});

test('a seed crawls an address that does not answer at most 16 times, whether it once answered or never did', async (t, sim) => {
  const { dials, transport } = counter();
  const falseReporter = rawPeer(sim, 'liar', { answer: () => [entry('ghost'), entry('mortal')] });
  const mortal = rawPeer(sim, 'mortal');
  await sim.settle(Promise.all([falseReporter.transport.listen(), mortal.transport.listen()]));
  await boot(sim, ['seed'], { transport, peers: { seeds: ['liar'], exchange: { seed: true } } });
  await sim.settle(falseReporter.transport.dial('seed'));
  await sim.until(() => mortal.links.size === 1, 300_000);
  await sim.settle(mortal.transport.close());
  dials.clear();
  for (let hour = 0; hour < 6; hour++) await sim.run(3_600_000);
  t.true(dials.get('ghost')! <= 16, `${dials.get('ghost')} dials of the one that never answered`);
  t.true(dials.get('mortal')! <= 16, `${dials.get('mortal')} dials of the one that once did`);
  t.true(dials.get('liar')! > 50, 'it continues to crawl');
});

test('a seed crawls 16 nodes at once, others 30 s later, and each again after two minutes', async (t, sim) => {
  const rounds = new Map<number, string[]>();
  const resolve = (target: string) => {
    const round = Math.round(sim.now / 30_000);
    if (target.startsWith('ghost')) rounds.set(round, [...(rounds.get(round) ?? []), target]);
    return target;
  };
  const told = Array.from({ length: 30 }, (_, i) => entry(`ghost${i}`));
  const teller = rawPeer(sim, 'teller', { answer: () => told });
  await boot(sim, ['seed'], { transport: { resolve }, peers: { exchange: { seed: true } } });
  await sim.settle(teller.transport.listen());
  await sim.settle(teller.transport.dial('seed'));
  await sim.run(200_000);
  const [first, second] = rounds.values();
  t.deepEqual([first!.length, new Set([...first!, ...second!]).size], [16, 30]);
  const [start] = rounds.keys();
  const since = [...rounds.keys()].map((round) => round - start!);
  t.deepEqual(since.slice(0, 4), [0, 1, 4, 5]);
});
