// Tests the limits of the programs that scripts run.

import test from 'ava';
import { run } from './workspace.mjs';

const node = (source, options) =>
  run(process.execPath, ['-e', source], { capture: 'stdout', ...options });

test('a program that stops printing without ending is killed, and the output says so', async (t) => {
  const { code, output } = await node('console.log("begun"); setInterval(() => {}, 1_000)', {
    silence: 500,
  });
  t.is(code, 1);
  t.regex(output, /killed: it had printed nothing for 0\.5 s\n$/);
});

test('a program that goes on printing is killed at its limit', async (t) => {
  const { code, output } = await node('setInterval(() => console.log("."), 10)', {
    silence: 60_000,
    limit: 1_000,
  });
  t.is(code, 1);
  t.regex(output, /killed: it had not ended after 1 s\n$/);
});

test('a program that ends in time keeps its exit code', async (t) => {
  t.deepEqual(await node('console.log("done"); process.exitCode = 3', { silence: 60_000 }), {
    code: 3,
    output: 'done\n',
  });
});
