// Tests of peers that go silent, and of peers that only seem silent because this process was
// suspended.

import { cluster, connected, idOf, isLinked, passive, star } from './testing/cluster.ts';
import { eventsOf, test } from './testing/runs.ts';

for (const fault of ['cut', 'power', 'one way'] as const)
  test(`a peer on a blackholed link loses score, and is disconnected within 16 seconds with the cause: ${fault}`, async (t, sim, run) => {
    const [a] = await star(sim, ['b', 'c']);
    const scoreOf = (name: string) => a.peers.get(idOf(name))!.score;
    await sim.run(15_000 + run.seed * 3_333);
    t.is(scoreOf('b'), 100);
    const began = sim.now;
    if (fault === 'power') sim.crash('b', { power: 'lost' });
    else sim.cut('b', 'a', { direction: fault === 'cut' ? 'both' : 'one-way' });
    let last = 100;
    while (isLinked(a, 'b') && sim.now - began <= 20_000) {
      last = scoreOf('b');
      await sim.run(50);
    }
    t.true(sim.now - began <= 16_000, `took ${sim.now - began} ms`);
    t.true(last < 100, `its score had fallen before, to ${last}`);
    const [down] = eventsOf(a, 'down');
    t.like(down, { nodeId: idOf('b'), addr: 'b' });
    t.like(down!.cause, { code: 'unavailable', reason: 'ping_timeout' });
    t.is(scoreOf('c'), 100, 'the others keep their scores');
    sim.heal();
    if (fault === 'power') sim.restart('b');
    await sim.until(() => isLinked(a, 'b'), 30_000);
    t.true(scoreOf('b') < 100, 'the score does not recover at once');
  });

test('a peer that is late once and then answers stays connected; its score falls and recovers', async (t, sim) => {
  const [a] = await star(sim, ['b']);
  await sim.run(30_000);
  sim.hold('b', 'a', { direction: 'one-way' });
  let least = 100;
  while (least === 100 && isLinked(a, 'b')) {
    await sim.run(100);
    least = a.peers.get(idOf('b'))?.score ?? 100;
  }
  sim.release('b', 'a', { direction: 'one-way' });
  await sim.run(5_000);
  t.deepEqual(eventsOf(a, 'down'), []);
  t.true(least < 100);
  await sim.run(600_000);
  t.true(a.peers.get(idOf('b'))!.score > least);
});

test('a peer that hangs earns no trust meanwhile, and earns trust again when it continues', async (t, sim, run) => {
  // Long enough that no peer is disconnected.
  const keepAlive = { interval: 10_000, timeout: 15_000 };
  const [a] = await star(sim, ['b'], {}, { transport: { keepAlive } });
  const score = () => a.peers.get(idOf('b'))!.score;
  // Pauses at different points of the metric's interval (a minute) and of the connection's
  // pings.
  for (let round = 0; round < 6; round++) {
    await sim.run(7_300 * round + 1_100 * run.seed);
    a.peers.report(idOf('b'), 'bad', 20);
    sim.pause('b', 12_000);
    // Data from before the pause is counted within two seconds.
    await sim.run(2_050);
    const before = score();
    for (let time = 2_050; time < 12_000; time += 250) {
      await sim.run(Math.min(250, 12_000 - time));
      if (score() > before)
        return t.fail(`round ${round}: from ${before} to ${score()} after ${time + 250} ms`);
    }
    const after = score();
    await sim.run(120_000);
    t.true(score() > after, `round ${round}: ${after}, then ${score()}`);
  }
  t.deepEqual(eventsOf(a, 'down'), []);
});

test(
  'a stall of the local event loop evicts no peer and lowers no score',
  async (t, sim, run) => {
    // The other nodes have a long timeout, so that they don't disconnect the suspended node.
    const patient = { keepAlive: { interval: 10_000, timeout: 120_000 } };
    const busy = { keepAlive: { interval: 2_000, timeout: 13_000 } };
    const transport = (name: string) => (name === 'a' ? busy : patient);
    const nodes = await star(sim, ['b', 'c'], {}, { transport });
    const naps = Array.from({ length: 24 }, (_, i) => ({
      awake: 700 * (i % 7) + 310 * run.seed,
      asleep: 1_900 + 100 * i,
    }));
    for (const awake of [3_000, 11_500, 20_700, 10]) naps.push({ awake, asleep: 20_000 });
    naps.push({ awake: 9_000, asleep: 4_000 }, { awake: 10_100, asleep: 1_200 });
    for (const { awake, asleep } of [...naps, { awake: 5_000, asleep: 60_000 }]) {
      await sim.run(awake);
      sim.pause('a', asleep);
      for (let time = 0; time < asleep + 6_000; time += 500) {
        await sim.run(500);
        const scores = nodes[0].peers.list().map(({ score }) => score);
        t.deepEqual(scores, [100, 100], `${awake} ms awake, ${asleep} asleep, ${time} later`);
      }
    }
    for (const node of nodes) t.deepEqual(eventsOf(node, 'down'), []);
  },
  // The round trip is long, so some ping is likely to be unanswered whenever this process is
  // suspended.
  { link: { latency: [500, 900] } },
);

test('a link that is lost before anybody notices its delay lowers the score of the peer all the same', async (t, sim) => {
  const keepAlive = { interval: 10_000, timeout: 500 };
  const [a] = await star(sim, ['b'], {}, { transport: { keepAlive } });
  await sim.run(15_000);
  sim.cut('a', 'b');
  await sim.until(() => !isLinked(a, 'b'), 11_000);
  sim.heal();
  await sim.until(() => isLinked(a, 'b'), 30_000);
  t.true(a.peers.get(idOf('b'))!.score < 100);
});

test('after a stall, a peer that is really gone is still disconnected', async (t, sim) => {
  const [a] = await star(sim, ['b']);
  await sim.run(5_000);
  sim.pause('a', 20_000);
  sim.crash('b', { power: 'lost' });
  await sim.run(20_000);
  await sim.until(() => !isLinked(a, 'b'), 16_000);
  t.is(eventsOf(a, 'down')[0]!.cause.reason, 'ping_timeout');
});

test('reports of the caller change the score, which survives a restart together with the address book', async (t, sim) => {
  const names = ['a', 'b', 'c'];
  const nodes = cluster(sim, names, {
    peers: (name) => (name === 'a' ? { persistent: ['b', 'c'] } : passive),
  });
  await sim.until(() => nodes.get('a')?.peers.list().length === 2);
  await sim.run(10_000);
  nodes.get('a')!.peers.report(idOf('b'), 'bad', 50);
  nodes.get('a')!.peers.report(idOf('c'), 'good', 50);
  const { score } = nodes.get('a')!.peers.get(idOf('b'))!;
  t.true(score < 60);
  t.is(nodes.get('a')!.peers.get(idOf('c'))!.score, 100);
  t.deepEqual(connected(nodes.get('a')!, names), ['b', 'c'], 'the caller decides what follows');
  await sim.settle(nodes.get('a')!.peers.close());
  sim.crash('a');
  sim.restart('a');
  await sim.run(100);
  await sim.until(() => nodes.get('a')?.peers.list().length === 2, 10_000);
  t.true(nodes.get('a')!.peers.get(idOf('b'))!.score < 70);
});
