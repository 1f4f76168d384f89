// Tests of a full view: which requests it refuses, and which neighbors it replaces.

import test from 'ava';
import { seeds } from '../testing/seeds.ts';
import { disconnect, type Sent, SingleView, types } from './testing/single-view.ts';

test('a full view refuses a low-priority request, and names nodes to ask instead, and to the next such node the one refused before', (t) => {
  const single = new SingleView();
  for (const peer of ['a', 'b', 'c', 'd', 'e']) single.asked(peer);
  const [refused] = single.asked('x');
  t.true(refused!.message.type === 'refuse' && refused!.message.peers.length > 0);
  t.is(single.view.active().length, 5);
  const [next] = single.asked('y');
  t.is(next!.message.type === 'refuse' && next!.message.free, 'x');
});

test('a node that learns of a free node asks that one first', (t) => {
  const single = new SingleView();
  single.chooses('a', 'b', 'c', 'd', 'e');
  const sent = single.receive('a', disconnect(true, ['p', 'q', 'r'], 'z'));
  t.deepEqual(types(sent), ['neighbor z']);
});

test('a high-priority request is never refused while favors last: one neighbor is dropped, and told of a free node', (t) => {
  const single = new SingleView();
  for (const peer of ['a', 'b', 'c', 'd', 'e']) single.asked(peer);
  for (const peer of ['v', 'w', 'x']) {
    const sent = single.asked(peer, true);
    const [{ to, message }] = sent as [Sent];
    t.deepEqual(types(sent), [`disconnect ${to}`, `accept ${peer}`]);
    t.like(message, { alive: true, free: peer });
    t.true('peers' in message && message.peers.length > 0);
    t.true(single.view.isNeighbor(peer) && single.view.passive().includes(to));
    t.false(single.view.isNeighbor(to));
  }
  t.is(single.downs.filter((down) => down.endsWith('evicted')).length, 3);
});

const OWN = ['a', 'b', 'c', 'd', 'e'];

for (const [what, most, flood] of [
  // 10 at once, and one more every ten seconds.
  ['joins', 11, (single, peer) => single.receive(peer, { type: 'join', request: 1 })],
  ['requests', 11, (single, peer) => single.asked(peer, true)],
  [
    'introductions',
    16,
    (single, peer) => {
      const from = OWN.find((own) => single.view.isNeighbor(own))!;
      const sent = single.receive(from, { type: 'forward-join', peer, ttl: 0 });
      for (const { to, message } of sent) single.accept(to, message);
    },
  ],
] as [what: string, most: number, flood: (single: SingleView, peer: string) => void][]) {
  test(`a flood of ${what} cannot replace the links that the node requested, and replaces others no faster than favors allow`, (t) => {
    for (const seed of seeds(50)) {
      const single = new SingleView({}, seed);
      single.chooses(...OWN);
      for (let i = 0; i < 2_000; i++) {
        single.now += 5;
        flood(single, `sybil${i}`);
      }
      t.true(OWN.filter((peer) => single.view.isNeighbor(peer)).length >= 4);
      t.true(single.downs.length <= most, `${single.downs.length}`);
    }
  });
}

test('a useless neighbor is notified and replaced, and returns only if it asks', (t) => {
  const single = new SingleView({ active: 3 });
  single.chooses('a', 'b', 'c');
  single.receive('a', disconnect(true, []));
  single.chooses('a');
  single.receive('b', { type: 'shuffle-reply', id: -1, peers: [] });
  single.tell({ type: 'found', nodes: ['d'], isChosen: true });
  single.take();
  single.tell({ type: 'dismiss', peer: 'a' });
  t.is(single.downs.at(-1), 'a evicted');
  t.false(single.view.isNeighbor('a'));
  t.deepEqual(types(single.sent), ['disconnect a', 'neighbor d']);
  for (const { to, message } of single.take()) single.accept(to, message);
  t.true(single.view.isNeighbor('d'));
  t.false(single.view.passive().includes('a'));
  single.tell({ type: 'dismiss', peer: 'nobody' });
  t.deepEqual(single.take(), []);
  single.receive('d', disconnect(false));
  single.asked('a');
  t.true(single.view.isNeighbor('a'));
});

test('the place of a useless neighbor goes to a node of its own choice, even if others request it', (t) => {
  const single = new SingleView({ active: 3 });
  single.chooses('a', 'b');
  single.asked('c');
  single.tell({ type: 'found', nodes: ['d'], isChosen: true });
  single.take();
  single.tell({ type: 'dismiss', peer: 'a' });
  const request = single.take().find(({ to }) => to === 'd')!;
  single.asked('presser');
  t.deepEqual(single.view.active().sort(), ['b', 'c', 'presser']);
  single.accept(request.to, request.message);
  t.deepEqual(single.view.active().sort(), ['b', 'c', 'd']);
});

test('a neighbor that has forwarded messages stays when one must go, even if it came later', (t) => {
  const single = new SingleView({ active: 3 });
  single.chooses('own');
  single.asked('taker');
  single.asked('giver');
  single.tell({ type: 'gave', peer: 'giver' });
  single.tell({ type: 'gave', peer: 'nobody' });
  single.asked('other', true);
  t.deepEqual(single.view.active(), ['own', 'giver', 'other']);
});

test('a full view that is told to seek asks an outside node for a link, unless merging is off', (t) => {
  for (const [mergeInterval, asked] of [
    [600_000, ['neighbor c']],
    [Number.POSITIVE_INFINITY, []],
  ] as const) {
    const single = new SingleView({ active: 2, mergeInterval });
    single.chooses('a', 'b');
    single.tell({ type: 'found', nodes: ['c'], isChosen: true });
    single.take();
    single.tell({ type: 'seek' });
    t.deepEqual(types(single.sent), asked);
  }
});

test('requested links beyond the wanted number are dropped before links that forwarded messages; wanted ones stay', (t) => {
  const single = new SingleView({ active: 4, own: 2 });
  single.chooses('a', 'b', 'c');
  single.asked('giver');
  single.tell({ type: 'gave', peer: 'giver' });
  single.asked('other', true);
  t.deepEqual(single.view.active(), ['a', 'b', 'giver', 'other']);
  single.tell({ type: 'gave', peer: 'other' });
  single.asked('more', true);
  t.deepEqual(single.view.active(), ['a', 'b', 'giver', 'more']);
});
