// Tests the benchmark of the simulation: a short run, its options, and memory.

import test from 'ava';
import { measureMemory } from './simulation/memory.ts';
import { run } from './testing/run.ts';

test('a short run reports speed, rate, ratio and shares for both levels, and exits by itself', async (t) => {
  const { code, output, errors } = await run('simulation.js', '--rounds', '1', '--window', '60');
  t.is(code, 0, errors);
  t.regex(output, /^bare heap and microtask loop: [\d,]+ events\/s$/m);
  for (const level of ['message', 'stream']) {
    t.regex(
      output,
      new RegExp(
        `^${level} level: [\\d,.]+ × real time \\(goal [\\d,]+\\), [\\d,]+ events/s, \\d\\.\\d+ of the bare loop, [\\d,]+ calls/s$`,
        'm',
      ),
    );
  }
  t.is(
    output.match(/^ {2}trace \d+ % · drain \d+ % · queue \d+ % · network \d+ % · codec \d+ % · /gm)
      ?.length,
    2,
  );
});

test('invalid options are reported with exit code 2', async (t) => {
  for (const args of [['--rounds', 'none'], ['--fast']])
    t.is((await run('simulation.js', ...args)).code, 2);
});

test('the memory of a network includes all its links', async (t) => {
  const { nodes, links, heap } = await measureMemory(20, 3);
  t.deepEqual([nodes, links], [20, 60]);
  t.true(heap > 0);
});
