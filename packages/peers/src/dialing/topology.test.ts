// Tests of the difference between two lists of peers.

import { TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { DialTargets } from './targets.ts';
import { idOf, RECONNECT } from './testing/planner-fixture.ts';

const [a, b, c] = [1, 2, 3].map(idOf);
const [ax, ay, by, cz] = [`${a}@x:1`, `${a}@y:1`, `${b}@y:1`, `${c}@z:1`];
const diffTopology = (before: readonly string[], after: readonly string[]) =>
  new DialTargets(before, RECONNECT, () => 0).set(after);

for (const [title, before, after, expected] of [
  ['two empty lists do not differ', [], [], {}],
  ['the order does not matter', ['x:1', ay], [ay, 'x:1'], { kept: ['x:1', ay] }],
  [
    'missing entries are removed, additional ones are added',
    [ax, by],
    [by, cz],
    { removed: [ax], added: [cz], kept: [by] },
  ],
  [
    'a changed endpoint of one peer appears in both removed and added',
    [ax],
    [ay],
    { removed: [ax], added: [ay], changed: [{ from: ax, to: ay }] },
  ],
  [
    'the spelling of an address does not matter',
    ['tcp://HOST:1', '[0:0::1]:2'],
    ['host:1', '[::1]:2'],
    { kept: ['tcp://HOST:1', '[0:0::1]:2'] },
  ],
  ['without an id the address is the peer', ['x:1'], ['x:2'], { removed: ['x:1'], added: ['x:2'] }],
  ['an id makes another peer', ['x:1'], [ax], { removed: ['x:1'], added: [ax] }],
  ['duplicates collapse', [], ['x:1', 'X:1', 'x:1'], { added: ['x:1'] }],
  ['the last address of a peer counts', [ax], [ay, ax], { kept: [ax] }],
] as const)
  test(title, (t) => {
    const none = { removed: [], added: [], changed: [], kept: [] };
    t.deepEqual(diffTopology(before, after), { ...none, ...expected } as never);
  });

test('the error names an invalid target', (t) => {
  for (const bad of [() => diffTopology(['me@x:1'], []), () => diffTopology([], ['me@x:1'])]) {
    const error = t.throws(bad, { instanceOf: TransportError, code: 'invalid_argument' });
    t.regex(error!.message, /no node id before its '@'/);
  }
});
