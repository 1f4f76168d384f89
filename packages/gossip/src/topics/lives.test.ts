// Tests of the number of this node's life on a topic.

import test from 'ava';
import { TopicLife } from './lives.ts';
import type { TopicNode } from './topic-context.ts';

test('reports that are not believed count eight times, and use up none of the eight raises', (t) => {
  const node = {
    clock: { now: () => 0 },
    epoch: () => 10,
    outlived: (life: number) => (life < 1_000 ? life + 1 : undefined),
    latestLife: () => Number.POSITIVE_INFINITY,
  } as unknown as TopicNode;
  const life = new TopicLife(node, () => -1);
  life.begin();
  const lies = Array.from({ length: 20 }, () => life.raise(1_000, 'a liar'));
  t.is(lies.filter((outcome) => outcome === 'disbelieved').length, 8);
  t.is(life.raise(9, 'a'), undefined, 'it is older');
  t.is(life.raise(20, 'a'), 'raised');
  t.is(life.epoch, 21);
  const raised = Array.from({ length: 20 }, (_, i) => life.raise(30 + 10 * i, 'a'));
  t.is(raised.filter((outcome) => outcome === 'raised').length, 7, 'eight times in all');
});
