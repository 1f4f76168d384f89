// Tests how numbers, lists and names on command lines are read.

import test from 'ava';
import { listed, positive } from './arguments.ts';
import { named } from './named.ts';

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

test('a name matches completely if possible, otherwise as a prefix', (t) => {
  const all = ['tcp', 'tcp-json', 'ws'];
  const chosen = (...names: string[]) => named('adapter', 'adapter', all, (each) => each, names);
  t.deepEqual(chosen('tcp'), ['tcp']);
  t.deepEqual(chosen('tc'), ['tcp', 'tcp-json']);
  t.deepEqual(chosen('ws', 'tcp-'), ['tcp-json', 'ws']);
  t.deepEqual(chosen(), all);
  t.throws(() => chosen('ws', 'udp'), {
    instanceOf: TypeError,
    message: "--adapter: no adapter is named 'udp'; there are tcp, tcp-json, ws",
  });
});
