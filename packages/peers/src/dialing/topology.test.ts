// Tests of the difference between two lists of peers.

import { TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { DialTargets } from './targets.ts';
import { idOf, RECONNECT } from './testing/planner-fixture.ts';

const [a, b, c] = [1, 2, 3].map(idOf);
const diffTopology = (before: readonly string[], after: readonly string[]) =>
  new DialTargets(before, RECONNECT, () => 0).set(after);

for (const [title, before, after, expected] of [
  ['two empty lists do not differ', [], [], {}],
  [
    'the order does not matter',
    ['x:1', `${a}@y:1`],
    [`${a}@y:1`, 'x:1'],
    { kept: ['x:1', `${a}@y:1`] },
  ],
  [
    'missing entries are removed, additional ones are added',
    [`${a}@x:1`, `${b}@y:1`],
    [`${b}@y:1`, `${c}@z:1`],
    { removed: [`${a}@x:1`], added: [`${c}@z:1`], kept: [`${b}@y:1`] },
  ],
  [
    'a changed endpoint of one peer appears in both removed and added',
    [`${a}@x:1`],
    [`${a}@x:2`],
    { removed: [`${a}@x:1`], added: [`${a}@x:2`], changed: [{ from: `${a}@x:1`, to: `${a}@x:2` }] },
  ],
  [
    'the spelling of an address does not matter',
    ['tcp://HOST:1', '[0:0::1]:2'],
    ['host:1', '[::1]:2'],
    { kept: ['tcp://HOST:1', '[0:0::1]:2'] },
  ],
  [
    'without an id the address identifies a peer',
    ['x:1'],
    ['x:2'],
    { removed: ['x:1'], added: ['x:2'] },
  ],
  ['an id makes another peer', ['x:1'], [`${a}@x:1`], { removed: ['x:1'], added: [`${a}@x:1`] }],
  ['duplicates collapse', [], ['x:1', 'X:1', 'x:1'], { added: ['x:1'] }],
  [
    'the last address of a peer counts',
    [`${a}@x:1`],
    [`${a}@x:9`, `${a}@x:1`],
    { kept: [`${a}@x:1`] },
  ],
] as const)
  test(title, (t) => {
    const none = { removed: [], added: [], changed: [], kept: [] };
    t.deepEqual(diffTopology(before, after), { ...none, ...expected } as never);
  });

test('the error names an invalid target', (t) => {
  for (const bad of [() => diffTopology(['me@x:1'], []), () => diffTopology([], ['me@x:1'])]) {
    const error = t.throws(bad, {
      instanceOf: TransportError,
      message: /no node id before its '@'/,
    });
    t.is(error?.code, 'invalid_argument');
  }
});
