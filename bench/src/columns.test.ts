import test from 'ava';
import { columnsOf } from './columns.ts';

test('--adapter takes beginnings of names, and adds what an adapter is compared with', (t) => {
  const titles = (names: string[]) => columnsOf(names).map(({ title }) => title);
  t.deepEqual(titles(['trunkline-tcp']), ['limit-net', 'trunkline-tcp']);
  t.deepEqual(titles(['trunkline-n', 'limit-t']), ['limit-net', 'limit-tls', 'trunkline-tls', 'trunkline-noise']);
  t.is(titles([]).length, 6);
  t.throws(() => columnsOf(['telnet']), { instanceOf: TypeError, message: /'telnet'; there are limit-net, trunkline-tcp/ });
});
