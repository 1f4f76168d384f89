// Tests of the overlay against a majority of attackers.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { Cycles } from '../../../../packages/gossip/dist/hyparview/testing/cycles.js';
import { seeds } from '../../../../packages/gossip/dist/testing/seeds.js';
import { Graph } from './graph.ts';

const SYBILS = 400;
const isSybil = (peer: string) => peer.startsWith('sybil');

/**
 * Runs a hundred honest nodes, whose address books hold only honest nodes, against four hundred
 * attackers that request all their links, lie about the nodes that they know, and forward nothing.
 */
function attack(seed: number, perCycle: number) {
  const random = seededRandom(9_000 + seed);
  const sybil = () => `sybil${Math.floor(random() * SYBILS)}`;
  const lies = () => Array.from({ length: 7 }, sybil);
  const net = new Cycles({
    nodes: 100,
    seed,
    book: 100,
    foreign: (_node, _id, message) => {
      if (message.type === 'neighbor' || message.type === 'join')
        return { type: 'accept', request: message.request, free: sybil() };
      if (message.type !== 'shuffle') return undefined;
      return { type: 'shuffle-reply', id: message.id, peers: lies() };
    },
  }).build(10);
  for (const node of net.living()) net.consult(node, 100);
  const press = (node: number, request: number) => {
    const kind = request % 4;
    const high = kind === 1;
    if (kind === 0) return net.inject(sybil(), node, { type: 'join', request });
    if (kind < 3)
      return net.inject(sybil(), node, { type: 'neighbor', request, high, full: false });
    for (const from of net.view(node).active().filter(isSybil)) {
      const shuffle = { origin: sybil(), id: request, ttl: 1, peers: lies() };
      net.inject(from, node, { type: 'shuffle', ...shuffle });
    }
  };
  for (let cycle = 0; cycle < 30; cycle++) {
    for (const node of net.living()) {
      for (let i = 0; i < perCycle; i++) press(node, i);
      net.settle();
    }
    net.cycle();
  }
  return net;
}

for (const perCycle of [8, 40]) {
  test(`four hundred sybils request links of a hundred honest nodes ${perCycle} times a minute each: every honest node keeps an honest link and gets messages`, (t) => {
    t.timeout(300_000);
    for (const seed of seeds(3)) {
      const net = attack(seed, perCycle);
      for (const node of net.living())
        t.false(net.view(node).active().every(isSybil), `seed ${seed}: ${node}`);
      t.true(new Graph(net.links()).floods(300, net.random).reliability >= 0.99, `seed ${seed}`);
    }
  });
}
