// Tests of whole overlays of partial views: joining, leaving, crashes and partitions.

import test from 'ava';
import { seeds } from '../testing/seeds.ts';
import { Cycles } from './testing/cycles.ts';

const options = { mergeInterval: Number.POSITIVE_INFINITY };

test('four nodes with two links each: links are symmetric after every step, and a node that leaves is removed everywhere', (t) => {
  for (const seed of seeds(50)) {
    const net = new Cycles({ nodes: 4, seed, options: { ...options, active: 2, passive: 2 } });
    const check = (step: string) => {
      t.deepEqual(net.oneSided(), [], `${step}, seed ${seed}`);
      for (const node of net.living()) t.true(net.view(node).active().length <= 2);
    };
    for (let node = 0; node < 4; node++) {
      net.join(node === 0 ? undefined : 0);
      check(`join ${node}`);
    }
    for (let cycle = 0; cycle < 3; cycle++) {
      net.cycle();
      check(`cycle ${cycle}`);
    }
    t.deepEqual(net.parts(), [4], `seed ${seed}`);
    net.leave(3);
    check('leave');
    net.cycle();
    check('after');
    t.deepEqual(net.parts(), [3], `seed ${seed}`);
    for (const node of net.living())
      t.false(net.view(node).isNeighbor('n3') || net.view(node).passive().includes('n3'));
  }
});

test('of a hundred nodes that join through one bootstrap node at almost the same time, none is isolated', (t) => {
  for (const seed of seeds(10)) {
    const net = new Cycles({ nodes: 100, seed, joinInterval: 0, options }).build(1);
    t.deepEqual(net.parts(), [100], `seed ${seed}`);
    t.true(net.fullSymmetric(5) > 0.97);
  }
});

test('nodes that all lose their common bootstrap node at once stay connected', (t) => {
  const net = new Cycles({ nodes: 200, seed: 4, options }).build(5);
  net.fail([0], true);
  for (let cycle = 0; cycle < 3; cycle++) net.cycle();
  t.deepEqual(net.parts(), [199]);
  t.deepEqual(net.oneSided(), []);
});

test('two halves that were apart for an hour merge soon after the network is restored', (t) => {
  for (const seed of seeds(5)) {
    const net = new Cycles({ nodes: 200, seed, book: 50 }).build(10);
    for (const node of net.living()) net.consult(node, 50);
    net.part((node) => node % 2);
    for (let cycle = 0; cycle < 60; cycle++) net.cycle();
    t.deepEqual(net.parts(), [100, 100], `seed ${seed}`);
    t.true(net.fullSymmetric(5) > 0.9);
    net.part(undefined);
    let cycles = 0;
    while (net.parts().length > 1 && cycles < 20) {
      net.cycle();
      cycles++;
    }
    // The merge interval is 10 minutes, but within seconds at least one of 200 nodes asks a node of
    // the other half.
    t.true(cycles <= 2, `${cycles}, seed ${seed}`);
    for (let cycle = 0; cycle < 10; cycle++) net.cycle();
    const crossing = net.living().flatMap((node) =>
      net
        .view(node)
        .active()
        .filter((peer) => net.indexOf(peer) % 2 !== node % 2),
    ).length;
    t.true(crossing > 20, `${crossing}`);
  }
});

test('an isolated node rejoins with addresses of its book, although all nodes that it met are dead', (t) => {
  const net = new Cycles({ nodes: 300, seed: 2, book: 60 }).build(10);
  const known = [...net.view(9).active(), ...net.view(9).passive()].map((peer) =>
    net.indexOf(peer),
  );
  net.fail(known, true);
  t.true(net.view(9).active().length > 0);
  net.cycle();
  t.is(net.parts().length, 1);
});
