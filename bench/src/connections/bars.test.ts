// Tests the bars for open connections.

import test from 'ava';
import { judge } from './bars.ts';
import type { Measurement } from './measure.ts';

const KIB = 1024;
const judged = { smoke: false } as Parameters<typeof judge>[1];

test('memory is judged by the excess over bare node:tls', (t) => {
  t.deepEqual(holds([bare(30), ours(46)]), [true, true]);
  t.deepEqual(holds([bare(30), ours(47)]), [false, true]);
  t.deepEqual(holds([ours(47)]), [true]);
});

test('a connection that went down or never came up is lost', (t) => {
  t.deepEqual(holds([ours(30, { lost: 1 })]), [false]);
  t.deepEqual(holds([ours(30, { up: 99 })]), [false]);
});

function holds(measurements: Measurement[]): boolean[] {
  return judge(measurements, judged).map((verdict) => verdict.holds);
}

function bare(rss: number): Measurement {
  return {
    kind: 'bare-tls',
    connections: 100,
    connects: 1,
    opened: { rss: rss * KIB, heap: 0, external: 0 },
  };
}

function ours(rss: number, { up = 100, lost = 0 } = {}): Measurement {
  return { ...bare(rss), kind: 'trunkline-tls', keeping: { minutes: 1, up, lost, heard: 100 } };
}
