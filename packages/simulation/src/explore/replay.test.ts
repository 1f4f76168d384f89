// Tests of replays: the line that a failure reports runs the same seed under the same faults again.

import { spawnSync } from 'node:child_process';
import process from 'node:process';
import * as nemeses from '../index.nemeses.ts';
import { createSimulation, type Simulation } from '../simulation.ts';
import test from '../testing/serial.ts';
import scenario, { planted } from './explore.test.child.ts';
import { explore } from './explore.ts';
import type { ExploreFailure } from './failure.ts';
import { ask, content } from './testing/content.ts';

const module = new URL('./explore.test.child.js', import.meta.url);
const calm = { link: { latency: [1, 5] } } as const;

for (const workers of [1, 2]) {
  test(`a replay line has the smallest plan, with which the run is identical (${workers} workers)`, async (t) => {
    const link = { latency: [1, 5], loss: 0.001, reorder: 0.01 } as const;
    const options = {
      seeds: 5,
      seed: 2,
      scenario: module,
      nemesis: planted,
      link,
      workers,
      name: 'pings',
    };
    const [first] = (await explore(options)).failed as [ExploreFailure];
    t.regex(first.replay, /^SEED=pings:2:6-7-loss-reorder /);
    ask(t, first.replay);
    const again = await explore(options);
    t.is(again.passed, 0);
    t.deepEqual(content(again).failed, content({ ...again, failed: [first] }).failed);
    const { seed, link: calmest, schedule: nemesis } = first;
    await using sim = createSimulation({ seed, link: calmest, nemesis, record: 10_000 });
    const error = await t.throwsAsync<any>(async () => scenario(sim));
    t.deepEqual(error.trace, first.trace);
    t.true(first.error.message.startsWith(error.message), first.error.message);
  });
}

test('a replay line of a planned nemesis replays it, and a search with another name ignores it', async (t) => {
  const options = {
    seeds: 50,
    nemesis: nemeses.swarm({ kinds: ['crashes', 'isolate'], duration: 6_000 }),
    scenario,
    link: { latency: 50 },
    name: 'swarm',
  };
  const [first] = (await explore(options)).failed as [ExploreFailure];
  t.true(first.schedule.length < first.faults);
  ask(t, first.replay);
  t.deepEqual(
    content(await explore(options)).failed,
    content({ passed: 0, failed: [first], virtualHours: 0, seedsPerSecond: 0 }).failed,
  );
  const seen: number[] = [];
  const other = (sim: Simulation) => {
    seen.push(sim.seed);
  };
  await explore({ seeds: 3, scenario: other });
  t.deepEqual(seen, [1, 1, 2, 3]);
});

test('a seed of SEED without a plan is searched for its smallest plan; SEED without a scenario is refused', async (t) => {
  process.env['SEED'] = 'pings:3';
  t.teardown(() => delete process.env['SEED']);
  const { failed } = await explore({
    seeds: 1,
    scenario,
    nemesis: planted,
    ...calm,
    name: 'pings',
  });
  t.deepEqual([failed[0]!.seed, failed[0]!.schedule.length], [3, 2]);
  for (const text of ['3', 'first', 'pings:x', 'pings:3:', 'pings:3:1-calm']) {
    process.env['SEED'] = text;
    await t.throwsAsync(explore({ seeds: 2, scenario, name: 'pings' }), {
      instanceOf: TypeError,
      message: `explore: SEED in the environment must name a scenario and its seed, as the replay line of a failure does: SEED=pings:${text === '3' ? 3 : 7}; got ${JSON.stringify(text)}`,
    });
  }
});

const twoSearches = `import { explore } from ${JSON.stringify(new URL('./explore.js', import.meta.url).href)};
  for (const name of ['pay', 'lock']) await explore({ name, scenario: () => {} });`;

for (const [kind, program] of [
  ['process', twoSearches],
  [
    'thread',
    `import { Worker } from 'node:worker_threads';
      new Worker(new URL(${JSON.stringify(`data:text/javascript,${encodeURIComponent(twoSearches)}`)}), { execArgv: [] });`,
  ],
] as const)
  test(`a ${kind} says at its end if SEED named none of its searches`, (t) => {
    const errorsWith = (seed: string) =>
      spawnSync(process.execPath, ['--input-type=module', '-e', program], {
        env: { ...process.env, SEED: seed },
        encoding: 'utf8',
      }).stderr;
    t.is(
      errorsWith('pya:3'),
      `explore: SEED asks for the search "pya", which did not run here; these ran: pay, lock\n`,
    );
    t.is(errorsWith('lock:3'), '');
  });
