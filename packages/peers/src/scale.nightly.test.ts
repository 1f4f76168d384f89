// The longest tests: networks that are partitioned for a long time, or whose nodes come and go.

import test from 'ava';
import { churn } from './testing/scale/churn.ts';
import { heal } from './testing/scale/heal.ts';
import { healCases } from './testing/scale/heal-cases.ts';
import { storm } from './testing/scale/storm.ts';

const MINUTE = 60_000;

healCases(test, 'common');
healCases(test, 'earlier');

test.serial(
  'two halves that were apart for an hour, and have filled their slots, find each other again',
  async (t) => {
    const { joined, parts } = await heal({
      seed: 1,
      nodes: 50,
      caps: 'default',
      outbound: 5,
      knows: 'earlier',
      partition: 60 * MINUTE,
    });
    t.is(parts.length, 1);
    t.true(joined !== undefined && joined <= 5 * MINUTE, `${joined} ms`);
  },
);

test.serial(
  'while nodes leave and join, those that stay form one graph, and none is isolated',
  async (t) => {
    const { cycles, never, joins } = await churn({ seed: 1, nodes: 120, cycles: 10 });
    t.deepEqual(
      cycles.filter(({ parts }) => parts.length > 1),
      [],
    );
    t.is(never, 0);
    t.true(joins.at(-1)! <= 30_000, `${joins.at(-1)} ms`);
  },
);

test.serial(
  '200 nodes that start at once from one default node form one graph within ten seconds, and keep it when that node is killed',
  async (t) => {
    const { joined, killed, most } = await storm({ seed: 1, nodes: 200 });
    t.true(joined !== undefined && joined <= 10_000, `${joined} ms`);
    t.deepEqual(killed, [199]);
    t.is(most, 40, 'the default node has no more inbound peers than its limit');
  },
);
