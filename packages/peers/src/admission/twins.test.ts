// Tests of the detection of two live nodes with one key.

import { reasonError } from '@trunkline/transport-core/backend';
import test from 'ava';
import { Twins, twinError, twinOf } from './admission.ts';

const NODE = 'a'.repeat(64);

test('a replaced instance that returns is refused for 30 s from then on, and judged like any other after that', (t) => {
  const twins = new Twins();
  t.false(twins.isTwin(NODE, 'one', 0));
  twins.replaced(NODE, 'one');
  t.false(twins.isTwin(NODE, 'two', 100));
  t.true(twins.isTwin(NODE, 'one', 100_000));
  t.true(twins.isTwin(NODE, 'one', 129_999));
  t.false(twins.isTwin(NODE, 'one', 130_000));
  t.false(twins.isTwin(NODE, 'one', 130_001), 'it is forgotten');
  twins.replaced(NODE, 'one');
  t.true(twins.isTwin(NODE, 'one', 200_000), 'and reported again when it is replaced again');
});

test('the refusal of a twin is reported once, other refusals always', (t) => {
  const twins = new Twins();
  twins.replaced(NODE, 'one');
  t.true(twins.isTwin(NODE, 'one', 0));
  t.deepEqual(
    [twins.isNews(twinError(NODE, 'one')), twins.isNews(twinError(NODE, 'one'))],
    [true, false],
  );
  const other = reasonError('duplicate', 'another');
  t.deepEqual([twinOf(other), twins.isNews(other), twins.isNews(other)], [undefined, true, true]);
});

test('the list of twins remembers 1,024 instances, and forgets those that were replaced longest ago first', (t) => {
  const twins = new Twins();
  for (let i = 0; i < 1_025; i++) twins.replaced(NODE, `instance ${i}`);
  t.deepEqual(
    [0, 1, 1_024].map((i) => twins.isTwin(NODE, `instance ${i}`, 0)),
    [false, true, true],
  );
});
