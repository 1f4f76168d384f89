// Tests of whole overlays of partial views: joining, leaving, crashes and partitions.

import test from 'ava';
import { seeds } from '../testing/seeds.ts';
import { Cycles } from './testing/cycles.ts';

const options = { mergeInterval: Number.POSITIVE_INFINITY };

test('a node that leaves is removed everywhere, and the others stay connected', (t) => {
  for (const seed of seeds(50)) {
    const net = new Cycles({ nodes: 4, seed, options: { ...options, active: 2, passive: 2 } });
    t.deepEqual(net.build(3).parts(), [4], `seed ${seed}`);
    net.leave(3);
    net.cycle();
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
    // The merge interval is 10 minutes, but within seconds at least one of 200 nodes asks a node of
    // the other half.
    for (let cycle = 0; cycle < 2; cycle++) net.cycle();
    t.deepEqual(net.parts(), [200], `seed ${seed}`);
    for (let cycle = 0; cycle < 10; cycle++) net.cycle();
    const crossing = net
      .links()
      .flatMap((peers, node) => peers.filter((peer) => peer % 2 !== node % 2));
    t.true(crossing.length > 20, `${crossing.length}`);
  }
});

test('an isolated node rejoins with addresses of its book, although all nodes that it met are dead', (t) => {
  const net = new Cycles({ nodes: 300, seed: 2, book: 60 }).build(10);
  const view = net.view(9);
  const known = [...view.active(), ...view.passive()].map((peer) => net.indexOf(peer));
  net.fail(known, true);
  t.true(view.active().length > 0);
  net.cycle();
  t.is(net.parts().length, 1);
});
