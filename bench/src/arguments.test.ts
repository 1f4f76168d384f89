// Tests how numbers and lists on command lines are read.

import test from 'ava';
import { listed, positive } from './arguments.ts';

test('a number is the given one or the default, and an invalid one is reported with its option', (t) => {
  t.is(positive('rounds', '3', 5), 3);
  t.is(positive('rounds', undefined, 5), 5);
  for (const text of ['', '0', '-1', '1.5', 'many', 'Infinity']) {
    t.throws(() => positive('rounds', text, 5), {
      instanceOf: TypeError,
      message: `--rounds: must be a whole number above 0, got '${text}'`,
    });
  }
});

test('lists are split at commas', (t) => {
  t.deepEqual(listed('a, b'), ['a', 'b']);
  t.deepEqual(listed(undefined), []);
});
