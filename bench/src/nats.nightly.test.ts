// Runs the benchmark of NATS in short.

import { unable } from '@trunkline/local-nats';
import test from 'ava';
import { COLUMNS } from './nats/columns.ts';
import { run } from './testing/run.ts';

const reason = unable();

(reason === undefined ? test : test.skip)(
  `a smoke run measures both columns${reason === undefined ? '' : ` (${reason})`}`,
  async (t) => {
    t.timeout(120_000);
    const { code, output, errors } = await run('nats.js', '--smoke', '--json');
    t.is(code, 0, errors);
    const { rounds, verdicts } = JSON.parse(output);
    t.deepEqual(Object.keys(rounds[0]).sort(), [...COLUMNS].sort());
    for (const { p50, calls, bulk } of Object.values<Record<string, number>>(rounds[0]))
      t.true(p50! > 0 && calls! > 0 && bulk! > 0);
    t.deepEqual(verdicts, []);
  },
);
