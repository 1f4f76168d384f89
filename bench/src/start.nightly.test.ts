// A short run of the benchmark of starting.

import test from 'ava';
import { run } from './testing/run.ts';

test('a smoke run loads every package in its own process', async (t) => {
  const { code, output, errors } = await run('start.js', '--smoke', '--json');
  t.is(code, 0, errors);
  const { start, verdicts } = JSON.parse(output);
  const names = start.map(({ name }: { name: string }) => name);
  t.is(names[0], 'bare Node');
  for (const name of [
    'core + tcp',
    'transport-core',
    'transport-inmem',
    'transport-ws',
    'peers',
    'gossip',
    'security',
    'trunkline',
  ])
    t.true(names.includes(name), name);
  // The figures of a package are its excess over bare Node, which a busy machine may turn negative
  // for a single process.
  t.true(start[0].time > 0);
  for (const { name, time, heap } of start) t.true(Number.isFinite(time) && heap > 0, name);
  t.deepEqual(verdicts, []);
});
