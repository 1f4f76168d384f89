// Tests of the number of this node's life on a topic.

import test from 'ava';
import { RestartedNodes, TopicLife } from './lives.ts';
import type { TopicNode } from './topic-context.ts';

test('reports that are not believed do not use up the times that a life may be raised', (t) => {
  const node = {
    clock: { now: () => 0 },
    epoch: () => 10,
    outlived: (life: number) => (life < 1_000 ? life + 1 : undefined),
    latestLife: () => Number.POSITIVE_INFINITY,
  } as unknown as TopicNode;
  const life = new TopicLife(node, new RestartedNodes(() => -1));
  life.begin();
  for (let i = 0; i < 20; i++) t.false(life.raise(1_000, 'a liar'));
  t.false(life.raise(9, 'a'), 'it is older');
  t.true(life.raise(20, 'a'));
  t.is(life.epoch, 21);
  const raised = Array.from({ length: 20 }, (_, i) => life.raise(30 + 10 * i, 'a'));
  t.is(raised.filter((was) => was).length, 7, 'eight times in all');
});
