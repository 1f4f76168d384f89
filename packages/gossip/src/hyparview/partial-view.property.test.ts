// Property tests of partial views under faults: links become symmetric, and the overlay stays
// connected.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { seeds } from '../testing/seeds.ts';
import { Cycles } from './testing/cycles.ts';

/**
 * Checks that the views of each node are within their bounds. Returns an error text, or undefined.
 */
function checkViews(net: Cycles, mostActive: number, mostPassive: number): string | undefined {
  for (const node of net.living()) {
    const [active, passive] = [net.view(node).active(), net.view(node).passive()];
    if (active.length > mostActive || passive.length > mostPassive)
      return `node ${node} has too many`;
    if (new Set([...active, ...passive, net.id(node)]).size !== active.length + passive.length + 1)
      return `node ${node} has somebody twice, or itself`;
  }
  return undefined;
}

test('with loss, duplication, reordering, crashes, leaves and returns, links become symmetric and the graph connected soon after', (t) => {
  for (const seed of seeds(60)) {
    const random = seededRandom(1_000 + seed);
    const [loss, repeat, delay] = [0.2 * random(), 0.2 * random(), 0.5 * random()];
    const net = new Cycles({
      nodes: 30,
      seed,
      book: 30,
      notice: (['write', 'later', 'keep-alive'] as const)[seed % 3],
      options: { active: 4, passive: 12 },
    }).build(1);
    net.fault = (draw) => {
      const chance = draw();
      if (chance < loss) return 'lose';
      if (chance < loss + repeat) return 'repeat';
      return chance < loss + repeat + delay ? 'delay' : undefined;
    };
    for (let step = 0; step < 120; step++) {
      const living = net.living();
      const one = living[Math.floor(random() * living.length)]!;
      const dead = Array.from({ length: net.size }, (_, i) => i).filter((i) => !net.isAlive(i));
      const chance = random();
      if (chance < 0.15 && living.length > 10) net.fail([one], random() < 0.5);
      else if (chance < 0.25 && living.length > 10) net.leave(one);
      else if (chance < 0.45 && dead.length > 0)
        net.join(one, dead[Math.floor(random() * dead.length)]);
      else if (chance < 0.5) net.join(one);
      else if (chance < 0.7) net.lose(one, living[Math.floor(random() * living.length)]!);
      else net.cycle();
      t.is(checkViews(net, 4, 12), undefined, `seed ${seed}, step ${step}`);
    }
    net.fault = undefined;
    for (let cycle = 0; cycle < 12; cycle++) net.cycle();
    t.deepEqual(net.oneSided(), [], `seed ${seed}`);
    t.is(net.parts().length, 1, `seed ${seed}: ${net.parts()}`);
  }
});

for (const [nodes, active, passive] of [
  [20, 3, 8],
  [4, 2, 2],
] as const) {
  test(`if messages keep their order and none is lost, links are symmetric after every step: ${nodes} nodes at first, ${active} links each`, (t) => {
    const options = { active, passive, mergeInterval: 120_000 };
    for (const seed of seeds(60)) {
      const random = seededRandom(2_000 + seed);
      const net = new Cycles({ nodes, seed, options }).build(0);
      for (let step = 0; step < 100; step++) {
        const living = net.living();
        const one = living[Math.floor(random() * living.length)]!;
        const chance = random();
        const mayGo = living.length > 0.4 * nodes;
        if (chance < 0.2 && mayGo) net.fail([one], true);
        else if (chance < 0.3 && mayGo) net.leave(one);
        else if (chance < 0.6) net.join(one);
        else net.cycle();
        t.deepEqual(net.oneSided(), [], `seed ${seed}, step ${step}`);
        t.is(checkViews(net, active, passive), undefined, `seed ${seed}, step ${step}`);
      }
    }
  });
}

test('up and down events alternate and agree with the view', (t) => {
  const links = new Set<string>();
  const net = new Cycles({
    nodes: 60,
    seed: 5,
    up: (node, peer) => t.is(links.size + 1, links.add(`${node} ${peer}`).size),
    down: (node, peer) => t.true(links.delete(`${node} ${peer}`), `${node} ${peer} was not up`),
  }).build(5);
  net.fail(net.draw(0.3), true);
  for (let cycle = 0; cycle < 5; cycle++) net.cycle();
  const told = [...links].filter((link) => net.isAlive(Number.parseInt(link, 10)));
  const held = net.living().flatMap((node) =>
    net
      .view(node)
      .active()
      .map((peer) => `${node} ${net.indexOf(peer)}`),
  );
  t.deepEqual(told.sort(), held.sort());
});
