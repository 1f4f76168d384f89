// Tests of how a partial view treats requests of known nodes and of strangers.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import type { PartialViewInput, PartialViewMessage } from './message.ts';
import { PartialView } from './partial-view.ts';

function machine() {
  const view = new PartialView({ self: 'me', random: seededRandom(1), now: 0 });
  const tell = (input: PartialViewInput) => view.handle(0, input);
  const take = () => {
    const taken: { readonly to: string; readonly message: PartialViewMessage }[] = [];
    for (let output = view.poll(); output !== undefined; output = view.poll())
      if (output.type === 'send') taken.push(output);
    return taken;
  };
  /** Returns the type of the answer to a peer that asks for a link and has no other. */
  const answerTo = (from: string) => {
    tell({
      type: 'received',
      from,
      message: { type: 'neighbor', request: 1, high: true, full: false },
    });
    return take().find(({ to }) => to === from)?.message.type;
  };
  return { tell, take, answerTo };
}

test('if many nodes request links, known nodes still get one, but not those that only connected by themselves', (t) => {
  const { tell, answerTo } = machine();
  const friends = ['friend', ...Array.from({ length: 7 }, (_, i) => `f${i}`)];
  tell({ type: 'found', nodes: friends, isChosen: true });
  tell({ type: 'found', nodes: ['comer'], isChosen: false });
  const answers = Array.from({ length: 40 }, (_, i) => answerTo(`p${i}`));
  t.is(answers.lastIndexOf('accept'), 14, 'five places, and twice as many favors');
  t.is(answerTo('comer'), 'refuse');
  t.is(answerTo('friend'), 'accept');
});

test('a node that chose few nodes treats those that connected by themselves as known, until it has chosen many', (t) => {
  const { tell, take, answerTo } = machine();
  tell({ type: 'join', contacts: [] });
  tell({ type: 'found', nodes: ['comer', 'other'], isChosen: false });
  t.deepEqual(
    take().map(({ message }) => message.type),
    ['join'],
  );
  for (let i = 0; i < 40; i++) answerTo(`p${i}`);
  t.is(answerTo('comer'), 'accept');
  const chosen = Array.from({ length: 8 }, (_, i) => `f${i}`);
  tell({ type: 'found', nodes: chosen, isChosen: true });
  t.is(answerTo('other'), 'refuse');
  t.is(answerTo('f3'), 'accept');
});
