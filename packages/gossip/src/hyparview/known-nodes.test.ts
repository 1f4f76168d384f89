// Tests of how a partial view treats requests of known nodes and of strangers.

import { seededRandom } from '@trunkline/transport-core';
import test from 'ava';
import type { PartialViewMessage } from './message.ts';
import { PartialView } from './partial-view.ts';

function machine() {
  let sent: { readonly to: string; readonly message: PartialViewMessage }[] = [];
  const host = {
    send: (to: string, message: PartialViewMessage) => void sent.push({ to, message }),
    up: () => {},
    down: () => {},
  };
  const view = new PartialView({ self: 'me', random: seededRandom(1), now: 0, host });
  const take = () => {
    const taken = sent;
    sent = [];
    return taken;
  };
  /** Returns the type of the answer to a peer that asks for a link and has no other. */
  const answerTo = (from: string) => {
    view.received(from, { type: 'neighbor', request: 1, high: true, full: false }, 0);
    return take().find(({ to }) => to === from)?.message.type;
  };
  return { view, take, answerTo };
}

test('when many press for links, known nodes still get one, but not those who only came by themselves', (t) => {
  const { view, answerTo } = machine();
  view.known(['friend', ...Array.from({ length: 7 }, (_, i) => `f${i}`)], 0);
  view.known(['comer'], 0, false);
  const answers = Array.from({ length: 40 }, (_, i) => answerTo(`p${i}`));
  t.is(answers[0], 'accept');
  t.is(answers.at(-1), 'refuse');
  t.is(answerTo('comer'), 'refuse');
  t.is(answerTo('friend'), 'accept');
});

test('who chose few nodes takes those who came by themselves for known, until it chose many', (t) => {
  const { view, take, answerTo } = machine();
  view.join([], 0);
  view.known(['comer', 'other'], 0, false);
  t.deepEqual(
    take().map(({ message }) => message.type),
    ['join'],
  );
  for (let i = 0; i < 40; i++) answerTo(`p${i}`);
  t.is(answerTo('comer'), 'accept');
  view.known(
    Array.from({ length: 8 }, (_, i) => `f${i}`),
    0,
  );
  t.is(answerTo('other'), 'refuse');
  t.is(answerTo('f3'), 'accept');
});
