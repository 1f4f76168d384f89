// Tests which columns a scenario has, with and without named adapters.

import test from 'ava';
import { columnsOf } from './columns.ts';

const titles = (name: string, names: string[], peers?: string[]) =>
  columnsOf({ name, suits: (adapter) => adapter !== 'limit-ws' }, names, peers).map(
    ({ title }) => title,
  );

test('--adapter accepts names, and adds the adapters that they are compared with', (t) => {
  t.deepEqual(titles('s2', ['trunkline-tcp']), ['limit-net', 'trunkline-tcp']);
  t.deepEqual(titles('s2', ['trunkline-tls', 'trunkline-noise']), [
    'limit-tls',
    'trunkline-tls',
    'trunkline-noise',
  ]);
  t.throws(() => columnsOf({ name: 's2', suits: () => true }, ['telnet']), {
    instanceOf: TypeError,
    message: /--adapter: .*'telnet'; there are limit-net, /,
  });
});

test('without a name a scenario has its default columns', (t) => {
  t.true(titles('s1', []).includes('trunkline-tcp'));
  t.false(titles('s1', []).includes('trunkline-tls'));
});

test('other libraries come after Trunkline, and each is compared with the limit', (t) => {
  t.false(titles('s4', []).includes('zeromq'));
  t.is(titles('s4', [], ['zeromq']).at(-1), 'zeromq');
  t.deepEqual(titles('s4', ['zeromq'], ['zeromq']), ['limit-net', 'zeromq']);
});

test('an adapter that does not support a scenario is left out, named or not', (t) => {
  t.deepEqual(titles('s1', ['limit-ws', 'limit-net-early']), ['limit-net', 'limit-net-early']);
  t.false(titles('s1', []).includes('limit-ws') && !titles('s1', []).includes('trunkline-ws'));
});
