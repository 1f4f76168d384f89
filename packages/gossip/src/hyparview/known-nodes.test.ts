// Tests of how a partial view treats requests of known nodes and of strangers.

import test from 'ava';
import { SingleView } from './testing/single-view.ts';

/** Returns the type of the answer to a peer that asks for a link and has no other. */
const answerTo = (single: SingleView, from: string) =>
  single.asked(from, true).find(({ to }) => to === from)?.message.type;

test('if many nodes request links, known nodes still get one, but not those that only connected by themselves', (t) => {
  const single = new SingleView();
  const friends = ['friend', ...Array.from({ length: 7 }, (_, i) => `f${i}`)];
  single.tell({ type: 'found', nodes: friends, isChosen: true });
  single.tell({ type: 'found', nodes: ['comer'], isChosen: false });
  const answers = Array.from({ length: 40 }, (_, i) => answerTo(single, `p${i}`));
  t.is(answers.lastIndexOf('accept'), 14, 'five places, and twice as many favors');
  t.is(answerTo(single, 'comer'), 'refuse');
  t.is(answerTo(single, 'friend'), 'accept');
});

test('a node that chose few nodes treats those that connected by themselves as known, until it has chosen many', (t) => {
  const single = new SingleView();
  single.tell({ type: 'join', contacts: [] });
  single.tell({ type: 'found', nodes: ['comer', 'other'], isChosen: false });
  const asked = single.take().map(({ message }) => message.type);
  t.deepEqual(asked, ['join']);
  for (let i = 0; i < 40; i++) answerTo(single, `p${i}`);
  t.is(answerTo(single, 'comer'), 'accept');
  const chosen = Array.from({ length: 8 }, (_, i) => `f${i}`);
  single.tell({ type: 'found', nodes: chosen, isChosen: true });
  t.is(answerTo(single, 'other'), 'refuse');
  t.is(answerTo(single, 'f3'), 'accept');
});
