// Tests of scenarios on processes.

import { existsSync, rmSync } from 'node:fs';
import type { ExecutionContext } from 'ava';
import { runOnProcesses } from '../index.processes.ts';
import { createSimulation } from '../simulation.ts';
import test from '../testing/serial.ts';
import scenario from './testing/counters.ts';

const module = (mode: string) => new URL(`./testing/counters.js?mode=${mode}`, import.meta.url);

test('nodes are killed, stopped and cut off, and keep what is on their disks', async (t) => {
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

test('the same scenario passes in virtual time', async (t) => {
  const sim = createSimulation({ level: 'stream', link: { latency: 1 } });
  await scenario(sim);
  await sim.close();
  t.pass();
});

test('a node that forgets what it promised is caught when it is killed', async (t) => {
  t.timeout(120_000);
  await failing(t, 'forgetful', /^expected 3, got 1\n/);
});

test('an uncaught error of a node fails the run, in its name', async (t) => {
  t.timeout(120_000);
  await failing(t, 'broken', /^no uncaught error: n2: Error: nobody handles this \(on processes/);
});

test('an uncaught error of a node after the last run of the scenario fails the run', async (t) => {
  t.timeout(120_000);
  await failing(t, 'late', /^no uncaught error: n2: Error: nobody handles this \(on processes/);
});

test('a broken rule ends the run', async (t) => {
  t.timeout(120_000);
  const text = await failing(
    t,
    'rule',
    /^no count above 2: it does not hold \(on processes, seed 1/,
  );
  t.regex(text, /n1 +count 3/);
});

/** Runs a scenario that fails, and removes the stores that it leaves. Returns the error's text. */
async function failing(t: ExecutionContext, mode: string, message: RegExp): Promise<string> {
  const error = await t.throwsAsync(runOnProcesses({ scenario: module(mode) }), { message });
  const folder = /the stores of the nodes are in (.*)$/.exec(error!.message)?.[1];
  t.true(existsSync(folder!), folder);
  rmSync(folder!, { recursive: true });
  return error!.message;
}

test('invalid options throw TypeErrors that name them', async (t) => {
  for (const [options, message] of [
    [{ scenario: 'scenario.js' }, /scenario: must be the URL of a module/],
    [{ scenario: module('all'), network: 7 }, /network: must be the URL of a module/],
    [{ scenario: module('all'), seed: 0.5 }, /seed: must be an integer, got 0.5/],
    [{ scenario: new URL('./messages.js', import.meta.url) }, /must export a function as default/],
    [{ scenario: module('all'), network: module('all') }, /must export a function 'layer'/],
  ] as const)
    await t.throwsAsync(runOnProcesses(options as never), { instanceOf: TypeError, message });
});
