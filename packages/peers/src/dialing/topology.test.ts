// Tests of the difference between two lists of peers.

import { TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { diffTopology } from './targets.ts';
import { idOf } from './testing/planner-fixture.ts';

const [a, b, c] = [1, 2, 3].map(idOf);

test('equal lists change nothing', (t) => {
  t.deepEqual(diffTopology([], []), { removed: [], added: [], changed: [], kept: [] });
  t.deepEqual(diffTopology(['x:1', `${a}@y:1`], [`${a}@y:1`, 'x:1']), {
    removed: [],
    added: [],
    changed: [],
    kept: ['x:1', `${a}@y:1`],
  });
});

test('missing entries are removed, additional ones are added', (t) => {
  t.deepEqual(diffTopology([`${a}@x:1`, `${b}@y:1`], [`${b}@y:1`, `${c}@z:1`]), {
    removed: [`${a}@x:1`],
    added: [`${c}@z:1`],
    changed: [],
    kept: [`${b}@y:1`],
  });
});

test('a changed endpoint of one peer appears in both removed and added', (t) => {
  const expected = {
    removed: [`${a}@x:1`],
    added: [`${a}@x:2`],
    changed: [{ from: `${a}@x:1`, to: `${a}@x:2` }],
    kept: [],
  };
  t.deepEqual(diffTopology([`${a}@x:1`], [`${a}@x:2`]), expected);
});

test('without an id the address identifies a peer; its spelling does not matter', (t) => {
  t.deepEqual(diffTopology(['tcp://HOST:1', '[0:0::1]:2'], ['host:1', '[::1]:2']), {
    removed: [],
    added: [],
    changed: [],
    kept: ['tcp://HOST:1', '[0:0::1]:2'],
  });
  t.deepEqual(diffTopology(['x:1'], ['x:2']), {
    removed: ['x:1'],
    added: ['x:2'],
    changed: [],
    kept: [],
  });
  t.deepEqual(diffTopology(['x:1'], [`${a}@x:1`]), {
    removed: ['x:1'],
    added: [`${a}@x:1`],
    changed: [],
    kept: [],
  });
});

test('duplicates collapse, and the last address of a peer counts', (t) => {
  t.deepEqual(diffTopology([], ['x:1', 'X:1', 'x:1']).added, ['x:1']);
  t.deepEqual(diffTopology([`${a}@x:1`], [`${a}@x:9`, `${a}@x:1`]), {
    removed: [],
    added: [],
    changed: [],
    kept: [`${a}@x:1`],
  });
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
