// Tests of scenarios on processes.

import { createSimulation } from '@trunkline/simulation';
import test from 'ava';
import { runOnProcesses } from './index.ts';
import scenario from './testing/counters.ts';

const module = (mode: string) => new URL(`./testing/counters.js?mode=${mode}`, import.meta.url);

test.serial('nodes are killed, stopped and cut off, and keep what is on their disks', async (t) => {
  t.timeout(120_000);
  const events: string[] = [];
  const { skipped, timeline, faults } = await runOnProcesses({
    scenario: module('all'),
    onEvent: (line) => void events.push(line),
  });
  t.deepEqual(skipped, { skew: 1 });
  t.deepEqual(faults, []);
  t.deepEqual(timeline, events);
  t.true(
    events.some((line) => /n1 +starts at 2$/.test(line)),
    events.join('\n'),
  );
  t.true(events.some((line) => line.endsWith('crash n2, power lost')));
});

test.serial('the same scenario passes in virtual time', async (t) => {
  const sim = createSimulation({ level: 'stream', link: { latency: 1 } });
  await scenario(sim);
  await sim.close();
  t.pass();
});

test.serial('an uncaught error of a node fails the run, in its name', async (t) => {
  t.timeout(120_000);
  await t.throwsAsync(runOnProcesses({ scenario: module('broken') }), {
    message: /^no uncaught error: n2: Error: nobody handles this \(on processes, seed 1, at /,
  });
});

test.serial('a broken rule ends the run', async (t) => {
  t.timeout(120_000);
  const error = await t.throwsAsync(runOnProcesses({ scenario: module('rule') }), {
    message: /^no count above 2: it does not hold \(on processes/,
  });
  t.regex(error!.message, /n1 +count 3/);
  t.regex(error!.message, /the stores of the nodes are in /);
});

test('invalid options throw TypeErrors that name them', async (t) => {
  for (const [options, message] of [
    [{ scenario: 'scenario.js' }, /scenario: must be the URL of a module/],
    [{ scenario: module('all'), network: 7 }, /network: must be the URL of a module/],
    [{ scenario: module('all'), seed: 0.5 }, /seed: must be an integer, got 0.5/],
    [{ scenario: new URL('./index.js', import.meta.url) }, /must export a function as default/],
    [{ scenario: module('all'), network: module('all') }, /must export a function 'layer'/],
  ] as const)
    await t.throwsAsync(runOnProcesses(options as never), { instanceOf: TypeError, message });
});
