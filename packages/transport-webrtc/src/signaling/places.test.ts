// Tests of the places of sessions.

import { TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { Places } from './places.ts';

const refused = { instanceOf: TransportError, code: 'resource_exhausted' };
const [ada, bob, cyd] = ['ada', 'bob', 'cyd'].map((nodeId) => ({ nodeId })) as [Node, Node, Node];
type Node = { nodeId: string };

test('a node takes at most an eighth of the places of another', (t) => {
  const places = new Places('sessions', 32);
  const frees = [1, 2, 3, 4].map(() => places.take(ada, bob));
  t.throws(() => places.take(ada, bob), refused);
  frees.push(places.take(ada, cyd), places.take(cyd, bob), places.take(bob, ada));
  t.is(places.size, 7);
  for (const free of frees) free();
  t.is(places.size, 0);
  places.take(ada, bob);
});

test('a node opens and accepts at most its number, counted apart', (t) => {
  const places = new Places('sessions', 3);
  places.take(ada, bob);
  places.take(ada, bob);
  places.take(ada, cyd);
  t.throws(() => places.take(ada, cyd), refused);
  places.take(bob, ada);
  places.take(cyd, bob);
  t.throws(() => places.take(cyd, bob), refused);
});
