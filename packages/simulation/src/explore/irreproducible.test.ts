// Tests that a search refuses a scenario whose first seed behaves differently when it runs a second
// time.

import type { Simulation } from '../simulation.ts';
import test from '../testing/serial.ts';
import { explore } from './explore.ts';

/** Returns a scenario whose only node logs a text at 3 ms, with a different text in each run. */
function differing(text: (run: number) => string) {
  let runs = 0;
  return async (sim: Simulation) => {
    const run = ++runs;
    sim.node('n1', async ({ clock, log }) => {
      for (let i = 1; i <= 5; i++) {
        await clock.sleep(1);
        log(i === 3 ? text(run) : `tick ${i}`);
      }
    });
    await sim.run(10);
  };
}

const ids = differing((run) => `id ${run}`);
const module = `data:text/javascript,${encodeURIComponent(`
  let runs = 0;
  export default async (sim) => {
    const run = ++runs;
    sim.node('n1', ({ log }) => log(\`id \${run}\`));
    await sim.run(10);
  };
`)}`;

test('a search shows where two runs of its first seed differ, and does not begin', async (t) => {
  const { message } = (await t.throwsAsync(explore({ seeds: 100, seed: 7, scenario: ids })))!;
  t.regex(
    message,
    /^explore: two runs of seed 7 differ, so a failure could not be replayed: event \d+ differs between the two runs\n/,
  );
  t.regex(message, / tick 2 .*\n.*\n- .* note +id 1 .*\n\+ .* note +id 2 /);
  t.regex(message, /\nLook for the cause shortly before this event\./);
});

for (const workers of [1, 2]) {
  test(`the state of a module counts as a difference (${workers} workers)`, async (t) => {
    await t.throwsAsync(explore({ seeds: 10, scenario: module, workers }), {
      message: /^explore: two runs of seed 1 differ.*\n- .* id 1 .*\n\+ .* id 2 /s,
    });
  });
}

test('two runs with equal traces differ if only one of them fails', async (t) => {
  let runs = 0;
  const fails = async (sim: Simulation) => {
    await sim.run(1);
    if (++runs === 2) throw new RangeError('the second time');
  };
  await t.throwsAsync(explore({ seeds: 10, scenario: fails }), {
    message:
      /differ, .*: their traces are equal, but the first passed, and the second failed with RangeError\n/,
  });
});

test("with irreproducible: 'ignore' the search runs all the same", async (t) => {
  const { passed } = await explore({ seeds: 5, scenario: ids, irreproducible: 'ignore' });
  t.is(passed, 5);
});
