// Tests of neighbors whose score is 0: the last to be chosen, the first to be replaced.

import test from 'ava';
import { requestOf, SingleView, types } from './testing/single-view.ts';

test('a neighbor whose score has fallen to 0 is replaced as soon as another node accepts, and stays until then', (t) => {
  const node = new SingleView({ active: 3 });
  node.chooses('a', 'b', 'c');
  node.distrusted.add('b');
  node.tell({ type: 'distrusted' });
  t.deepEqual(node.take(), [], 'nobody else is known');
  t.deepEqual(node.view.active().sort(), ['a', 'b', 'c']);
  node.tell({ type: 'found', nodes: ['d'], isChosen: true });
  const sent = node.take();
  t.deepEqual(types(sent), ['neighbor d']);
  t.deepEqual(node.view.active().sort(), ['a', 'b', 'c']);
  node.accept('d', sent[0]!.message);
  t.deepEqual(node.view.active().sort(), ['a', 'c', 'd']);
  t.deepEqual(node.downs, ['b evicted']);
  t.deepEqual(types(node.take()), ['disconnect b']);
});

test('a node that asks takes the place of a distrusted neighbor, but a distrusted node takes no other’s place', (t) => {
  const node = new SingleView({ active: 2 });
  node.chooses('a', 'b');
  node.distrusted.add('x');
  for (const high of [false, true]) t.deepEqual(types(node.asked('x', high)), ['refuse x']);
  t.deepEqual(types(node.receive('x', { type: 'join', request: 1 })), ['refuse x']);
  t.deepEqual(types(node.asked('c')), ['refuse c'], 'no place is free');
  node.distrusted.add('a');
  t.deepEqual(types(node.asked('c')), ['disconnect a', 'accept c']);
  t.deepEqual(node.view.active().sort(), ['b', 'c']);
});

test('a distrusted node takes no place by accepting a request, and a full view asks it for none', (t) => {
  const node = new SingleView({ active: 2, mergeInterval: 600_000 });
  node.chooses('a', 'b');
  node.tell({ type: 'found', nodes: ['x'], isChosen: true });
  node.tell({ type: 'seek' });
  const sent = node.take();
  t.deepEqual(types(sent), ['neighbor x']);
  node.distrusted.add('x');
  node.accept('x', sent[0]!.message);
  t.deepEqual(types(node.take()), ['disconnect x']);
  t.deepEqual(node.view.active().sort(), ['a', 'b']);
  node.tell({ type: 'seek' });
  t.deepEqual(node.take(), []);
});

test('distrusted nodes are asked for a link only if nobody else is left', (t) => {
  const node = new SingleView({ active: 2 });
  node.chooses('a');
  node.distrusted.add('x');
  node.tell({ type: 'found', nodes: ['x', 'b'], isChosen: true });
  const sent = [...node.take(), ...node.pass(1_000)];
  t.deepEqual(types(sent), ['neighbor b']);
  node.refuse('b', requestOf(sent, 'b'));
  const next = [...node.take(), ...node.pass(1_000)];
  t.true(next.length === 0 || types(next).includes('neighbor x'), types(next).join());
  node.asked('x');
  t.true(node.view.isNeighbor('x'), 'it may have a free place');
});

test('for the place of a distrusted neighbor, each node is asked once per round, and the rounds become rarer', (t) => {
  const node = new SingleView({ active: 2 });
  node.chooses('a', 'b');
  node.distrusted.add('b');
  let asked = 0;
  node.onSend = (to, message) => {
    if (message.type === 'neighbor' && ++asked <= 100) node.refuse(to, message.request);
  };
  node.tell({ type: 'found', nodes: ['c', 'd', 'e'], isChosen: true });
  t.is(asked, 3);
  while (node.now < 600_000) node.pass(Math.max(1, node.view.wakeAt - node.now));
  // The pause grows from 1 s to the time between two shuffles, which is 60 s.
  t.true(asked >= 3 * 10 && asked <= 3 * 20, `${asked}`);
  t.deepEqual(node.view.active(), ['a', 'b']);
});

test('while a distrusted neighbor waits for its replacement, a lost neighbor is replaced at once', (t) => {
  const node = new SingleView({ active: 4 });
  node.chooses('a', 'b', 'c', 'd');
  node.distrusted.add('d');
  let asked: string[] = [];
  node.onSend = (to, message) => {
    if (message.type !== 'neighbor') return;
    asked.push(to);
    node.refuse(to, message.request);
  };
  const others = Array.from({ length: 9 }, (_, i) => `x${i}`);
  node.tell({ type: 'found', nodes: others, isChosen: true });
  while (node.now < 300_000) node.pass(Math.max(1, node.view.wakeAt - node.now));
  asked = [];
  node.tell({ type: 'lost', peer: 'a', error: undefined });
  t.true(asked.length > 0);
});
