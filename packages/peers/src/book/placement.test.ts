// Tests of the placement of addresses in buckets.

import test from 'ava';
import { placeOf } from '../address/place.ts';
import { Placement } from './entries.ts';

const placement = new Placement(new Uint8Array(32).fill(7));
const triedRow = (address: string) => placement.triedRow(placeOf(address)!);
const groups = (count: number) =>
  Array.from({ length: count }, (_, i) => `${i >> 8}.${i & 255}.0.0`);

test('the same secret puts the same address in the same bucket, in every version, and another one in another', (t) => {
  const news = [
    ['1.2.0.0', '3.4.0.0'],
    ['3.4.0.0', '1.2.0.0'],
    ['', 'self'],
  ].map(([group, source]) => placement.newRow(group!, source!));
  t.deepEqual(news, [88, 191, 180]);
  t.deepEqual(['1.2.3.4:5', '1.2.3.4:6', 'ws://a.example:80/x'].map(triedRow), [22, 56, 48]);
  const other = new Placement(new Uint8Array(32).fill(8));
  const same = groups(500).filter(
    (group) => placement.newRow(group, 'x') === other.newRow(group, 'x'),
  ).length;
  t.true(same < 20, String(same));
});

test('a source group reaches at most 32 new buckets, all of them with enough groups, and all sources together reach all 256', (t) => {
  for (const source of ['1.2.0.0', 'self', '']) {
    const rows = new Set(groups(2_000).map((group) => placement.newRow(group, source)));
    t.true(rows.size > 25 && rows.size <= 32, String(rows.size));
  }
  t.is(new Set(groups(3_000).map((group) => placement.newRow('9.9.0.0', group))).size, 256);
});

test('a group reaches at most 4 tried buckets, and all groups together reach all 64', (t) => {
  const rows = new Set(Array.from({ length: 500 }, (_, i) => triedRow(`1.2.3.4:${1 + i}`)));
  t.true(rows.size >= 3 && rows.size <= 4, String(rows.size));
  const all = groups(2_000).map((_, i) => triedRow(`${20 + (i >> 8)}.${i & 255}.1.1:1`));
  t.is(new Set(all).size, 64);
});
