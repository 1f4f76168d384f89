// Tests of the overlay against a majority of attackers.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import type { PartialViewMessage } from '../../../../packages/gossip/dist/hyparview/message.js';
import { seeds } from '../../../../packages/gossip/dist/testing/seeds.js';
import { Cycles } from '../../../../packages/gossip/dist/hyparview/testing/cycles.js';
import { Graph } from './graph.ts';

const SYBILS = 400;

/**
 * Runs a hundred honest nodes, whose address books hold only honest nodes, against four hundred
 * attackers that request all their links, lie about the nodes that they know, and forward nothing.
 */
function attack(seed: number, perCycle: number) {
  const random = seededRandom(9_000 + seed);
  const sybil = () => `sybil${Math.floor(random() * SYBILS)}`;
  const lies = () => Array.from({ length: 7 }, sybil);
  const foreign = (
    _node: number,
    _id: string,
    message: PartialViewMessage,
  ): PartialViewMessage | undefined => {
    if (message.type === 'neighbor' || message.type === 'join')
      return { type: 'accept', request: message.request, free: sybil() };
    if (message.type === 'shuffle') return { type: 'shuffle-reply', id: message.id, peers: lies() };
    return undefined;
  };
  const net = new Cycles({ nodes: 100, seed, book: 100, foreign }).build(10);
  for (const node of net.living()) net.consult(node, 100);
  for (let cycle = 0; cycle < 30; cycle++) {
    for (const node of net.living()) {
      for (let i = 0; i < perCycle; i++) {
        const kind = i % 4;
        if (kind === 0) net.inject(sybil(), node, { type: 'join', request: i });
        else if (kind === 1)
          net.inject(sybil(), node, { type: 'neighbor', request: i, high: true, full: false });
        else if (kind === 2)
          net.inject(sybil(), node, { type: 'neighbor', request: i, high: false, full: false });
        else
          for (const from of net.view(node).active())
            if (from.startsWith('sybil'))
              net.inject(from, node, {
                type: 'shuffle',
                origin: sybil(),
                id: i,
                ttl: 1,
                peers: lies(),
              });
      }
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
      const honest = (node: number) =>
        net
          .view(node)
          .active()
          .filter((peer) => !peer.startsWith('sybil')).length;
      t.deepEqual(
        net.living().filter((node) => honest(node) === 0),
        [],
        `seed ${seed}`,
      );
      t.true(new Graph(net.links()).floods(300, net.random).reliability >= 0.99, `seed ${seed}`);
    }
  });
}
