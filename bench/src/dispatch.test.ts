// Tests how the command line names a benchmark.

import test from 'ava';
import { run } from './testing/run.ts';

test('a name runs its benchmark, an option runs the benchmark of calls, and an unknown name is rejected', async (t) => {
  const [named, calls, unknown] = await Promise.all([
    run('main.js', 'relay', '--help'),
    run('main.js', '--help'),
    run('main.js', 'horses'),
  ]);
  t.regex(named.output, /^usage: npx pnpm@12 bench relay/);
  t.regex(calls.output, /^usage: npx pnpm@12 bench calls/);
  t.regex(unknown.errors, /^the first argument must be one of calls, connections, /);
  t.deepEqual([named.code, calls.code, unknown.code], [0, 0, 2]);
});
