// Tests of `assertDeterministic` with deterministic and nondeterministic scenarios.

import * as nemeses from '../index.nemeses.ts';
import type { Simulation } from '../simulation.ts';
import test from '../testing/serial.ts';
import { assertDeterministic } from './assert-deterministic.ts';
import scenario from './explore.test.child.ts';

test('a deterministic scenario has the same hash each time, and another one for another seed', async (t) => {
  const options = { link: { latency: [1, 20], loss: 0.1 }, nemesis: nemeses.pauses() } as const;
  const hash = await assertDeterministic(scenario, options);
  t.regex(hash, /^[0-9a-f]{64}$/);
  t.is(await assertDeterministic(scenario, { seed: 1, ...options }), hash);
  t.not(await assertDeterministic(scenario, { seed: 2, ...options }), hash);
});

test('state of a module shows as the first event that differs', async (t) => {
  let runs = 0;
  const counts = async (sim: Simulation) => {
    const run = ++runs;
    sim.node('n1', async ({ clock, log }) => {
      for (let i = 1; ; i++) {
        await clock.sleep(100);
        log(`tick ${i === 30 ? i * run : i}`);
      }
    });
    await sim.run(5_000);
  };
  const { message } = (await t.throwsAsync(assertDeterministic(counts, { seed: 7 })))!;
  t.regex(message, /^two runs of seed 7 differ: event 61 differs/);
  t.regex(
    message,
    /\n {2} +2900 ms {2}n1 +note +tick 29 .*\n {2} +3000 ms {2}n1 +timer\n- +3000 ms {2}n1 +note +tick 30 .*\n\+ +3000 ms {2}n1 +note +tick 60 /,
  );
  t.is(message.match(/hash [0-9a-f]{64}/g)?.length, 2);
  t.is(message.match(/[0-9a-f]{64}/g)?.length, 2);
});

test('a longer run, and different bytes of the same length, are found, too', async (t) => {
  let runs = 0;
  const longer = async (sim: Simulation) => {
    sim.node('n1', ({ log }) => log('up'));
    await sim.run(10);
    if (++runs === 2) sim.pause('n1', 1);
  };
  t.regex(
    (await t.throwsAsync(assertDeterministic(longer)))!.message,
    /\n- \(the first run has no more\)\n\+ .* pause n1/,
  );
  const bytes = async (sim: Simulation) => {
    sim.node('n1', async ({ store }) => store.set('key', new Uint8Array([++runs])));
    await sim.run(10);
  };
  t.regex(
    (await t.throwsAsync(assertDeterministic(bytes)))!.message,
    /\n- (.*store\.set, 1 B) {2}#[0-9a-f]{8}\n\+ \1 {2}#/,
  );
  const late = async (sim: Simulation) => {
    sim.at(1 + ++runs / 100_000, () => sim.heal());
    await sim.run(10);
  };
  t.regex(
    (await t.throwsAsync(assertDeterministic(late)))!.message,
    /\n- .*\(1\.0000\d+ ms\)\n\+ .*\(1\.0000\d+ ms\)/,
  );
});

test('a failure of the scenario in both runs is the reason of the rejection', async (t) => {
  const error = new RangeError('wrong');
  const fails = async (sim: Simulation) => {
    await sim.run(10);
    throw error;
  };
  t.is(await t.throwsAsync(assertDeterministic(fails)), error);
});

test('a run that passes and one that fails differ, although their traces are equal', async (t) => {
  for (const failing of [1, 2]) {
    let runs = 0;
    const scenario = async (sim: Simulation) => {
      await sim.run(10);
      if (++runs === failing) throw new RangeError('it counts');
    };
    const { message } = (await t.throwsAsync(assertDeterministic(scenario)))!;
    t.regex(message, /^two runs of seed 1 differ: their traces are equal, but the /);
    t.regex(message, failing === 1 ? /first failed with RangeError/ : /second failed with RangeE/);
  }
});
