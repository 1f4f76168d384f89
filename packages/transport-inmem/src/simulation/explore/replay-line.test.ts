// The line that a failure ends with.

import process from 'node:process';
import test, { type ExecutionContext } from 'ava';
import { replayLine } from './replay-line.ts';

function given(t: ExecutionContext, script: string | undefined, args: readonly string[]): void {
  const { argv } = process;
  const before = process.env['npm_lifecycle_event'];
  t.teardown(() => {
    process.argv = argv;
    if (before === undefined) delete process.env['npm_lifecycle_event'];
    else process.env['npm_lifecycle_event'] = before;
  });
  process.argv = ['node', 'script.js', ...args];
  if (script === undefined) delete process.env['npm_lifecycle_event'];
  else process.env['npm_lifecycle_event'] = script;
}

test.serial('it names the script that runs, and its arguments', (t) => {
  given(t, 'soak', ['--match', "n1's raft*"]);
  t.is(replayLine(-7), `SEED=-7 npx pnpm@12 soak --match 'n1'\\''s raft*'`);
});

test.serial('without a script it is test, as it is under npx', (t) => {
  given(t, undefined, []);
  t.is(replayLine(7), 'SEED=7 npx pnpm@12 test');
  process.env['npm_lifecycle_event'] = 'npx';
  t.is(replayLine(7), 'SEED=7 npx pnpm@12 test');
});

test.serial('another command may be given', (t) => {
  t.is(replayLine(1, 'node sim.js'), 'SEED=1 node sim.js');
});
