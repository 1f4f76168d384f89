// Tests of lists of addresses: which lists are accepted, and the order of dials.

import test from 'ava';
import { seededRandom } from '../random.ts';
import { orderAddresses, readAddresses } from './membership.ts';

test('defaults are filled in, and an address counts once', (t) => {
  t.deepEqual(
    readAddresses([
      { address: 'a:1' },
      { address: 'b:1', weight: 0, priority: 2 },
      { address: 'a:1' },
    ]),
    [
      { address: 'a:1', weight: 1, priority: 0 },
      { address: 'b:1', weight: 0, priority: 2 },
    ],
  );
});

test('a wrong entry is a TypeError that names it', (t) => {
  const wrong: [unknown, RegExp][] = [
    ['a:1', /expected a list/],
    [[{ address: 'a:1' }, { address: '' }], /\[1\]\.address/],
    [['a:1'], /\[0\]\.address/],
    [[undefined], /\[0\]\.address/],
    [[{ address: 'a:1', weight: -1 }], /\[0\]\.weight.*got -1/],
    [[{ address: 'a:1', weight: Number.NaN }], /\[0\]\.weight/],
    [[{ address: 'a:1', priority: Number.POSITIVE_INFINITY }], /\[0\]\.priority/],
  ];
  for (const [given, message] of wrong)
    t.throws(() => readAddresses(given), { instanceOf: TypeError, message });
});

test('of more than 1,024 addresses those of the lowest priorities are kept', (t) => {
  const given = Array.from({ length: 2_000 }, (_, i) => ({
    address: `h${i}:1`,
    priority: 2_000 - i,
  }));
  const read = readAddresses(given);
  t.is(read.length, 1_024);
  t.true(read.every(({ priority }) => priority <= 1_024));
});

test('lower priorities come first, and within one the first address is drawn by weight', (t) => {
  const random = seededRandom(7);
  const list = readAddresses([
    { address: 'spare', priority: 1 },
    { address: 'one', weight: 1 },
    { address: 'three', weight: 3 },
    { address: 'never', weight: 0 },
  ]);
  const first = new Map<string, number>();
  for (let i = 0; i < 10_000; i++) {
    const order = orderAddresses(list, random);
    t.is(order.length, 4);
    t.deepEqual(order.slice(2), ['never', 'spare']);
    first.set(order[0]!, (first.get(order[0]!) ?? 0) + 1);
  }
  const share = first.get('three')! / 10_000;
  t.true(share > 0.73 && share < 0.77, String(share));
});

test('addresses that all have weight 0 are drawn alike', (t) => {
  const random = seededRandom(3);
  const list = readAddresses(['a', 'b'].map((address) => ({ address, weight: 0 })));
  let a = 0;
  for (let i = 0; i < 1_000; i++) if (orderAddresses(list, random)[0] === 'a') a++;
  t.true(a > 430 && a < 570, String(a));
});

test('the address in use comes first, whatever its priority', (t) => {
  const list = readAddresses([{ address: 'a' }, { address: 'b', priority: 9 }]);
  t.deepEqual(orderAddresses(list, seededRandom(1), 'b'), ['b', 'a']);
  t.deepEqual(orderAddresses(list, seededRandom(1), 'gone'), ['a', 'b']);
  t.deepEqual(orderAddresses([], seededRandom(1)), []);
});
