import * as nemeses from '../index.nemeses.ts';
import type { SimClock } from '../nodes/node-context.ts';
import { createSimulation, type Simulation } from '../simulation.ts';
import test from '../testing/serial.ts';
import { assertDeterministic } from './assert-deterministic.ts';
import scenario, { planted, RULE } from './explore.test.child.ts';
import { explore } from './explore.ts';
import type { ExploreProgress } from './explore-options.ts';
import type { ExploreFailure } from './failure.ts';
import { content } from './testing/content.ts';

const module = new URL('./explore.test.child.js', import.meta.url);
const source = (text: string) => `data:text/javascript,${encodeURIComponent(text)}`;
const calm = { link: { latency: [1, 5] } } as const;

test('passed seeds are counted, and so is their simulated time', async (t) => {
  const seen: number[] = [];
  const noted = (sim: Simulation) => {
    seen.push(sim.seed);
    return scenario(sim);
  };
  const found = await explore({ seeds: 5, seed: 10, ...calm, scenario: noted });
  t.deepEqual(seen, [10, 10, 11, 12, 13, 14], 'the first seed runs twice');
  t.is(found.passed, 5);
  t.deepEqual(found.failed, []);
  t.is(Math.round(found.virtualHours * 3_600_000), 40_000);
  t.true(found.seedsPerSecond > 0);
});

test('a planted bug is found, and of eleven faults only the two that it needs are left', async (t) => {
  const { passed, failed } = await explore({
    seeds: [4, 3],
    nemesis: planted,
    scenario,
    ...calm,
    name: 'pings',
    replay: 'npm test',
  });
  t.is(passed, 0);
  t.is(failed.length, 1);
  const [{ seed, error, schedule, faults, replay, trace }] = failed as [(typeof failed)[0]];
  t.is(seed, 3);
  t.is(error.name, 'SimulationError');
  t.is(error.invariant, RULE);
  t.true(error.at! >= 3_500);
  t.deepEqual(
    schedule,
    planted.filter(({ at }) => at === 3_000 || at === 3_500),
  );
  t.is(faults, 11);
  t.is(replay, 'SEED=pings:3:6-7 npm test');
  t.true(error.message.endsWith('3500 ms  crash n2\nSEED=pings:3:6-7 npm test'), error.message);
  t.regex(error.message, /it fails with 2 of the 11 planned faults/);
  t.true(error.stack!.startsWith(`SimulationError: ${error.message}\n    at `), error.stack);
  t.regex(trace.hash, /^[0-9a-f]{64}$/);
});

test('the smallest schedule fails in a new simulation', async (t) => {
  const { failed } = await explore({ seeds: [3], nemesis: planted, scenario, ...calm });
  const { seed, schedule, error } = failed[0]!;
  await using sim = createSimulation({ seed, ...calm, nemesis: schedule });
  const { invariant } = await t.throwsAsync<any>(async () => scenario(sim));
  t.is(invariant, error.invariant);
});

test('without shrinking the whole plan is reported', async (t) => {
  const { failed } = await explore({
    seeds: 1,
    nemesis: planted,
    scenario,
    ...calm,
    shrink: false,
  });
  t.deepEqual(failed[0]!.schedule, planted);
});

test('a link option that does not matter is removed', async (t) => {
  const link = { latency: [1, 5], loss: 0.001, reorder: 0.01, duplicate: 0.01 } as const;
  const { failed } = await explore({ seeds: 1, nemesis: planted, scenario, link });
  t.deepEqual(failed[0]!.link, { latency: [1, 5] });
  t.regex(failed[0]!.error.message, /and the link \{"latency":\[1,5\]\}/);
});

test('the recover at the end stays if a rule waits for calm, and is removed if the failure came before it', async (t) => {
  const nemesis = nemeses.splitBrain({ duration: 5_000 });
  const tick = async (clock: SimClock) => {
    for (;;) await clock.sleep(50);
  };
  const idle = async (sim: Simulation) => {
    for (const name of ['n1', 'n2']) sim.node(name, ({ clock }) => void tick(clock));
    let broken = false;
    sim.always('it looks', () => (broken ||= sim.calmSince === undefined) || true);
    sim.eventually('it is mended', () => !broken, { within: 100 });
    await sim.run(20_000);
  };
  const { failed } = await explore({ seeds: 1, nemesis, scenario: idle });
  const [{ schedule }] = failed as [(typeof failed)[0]];
  t.is(schedule.length, 2);
  t.is(schedule[0]!.do, 'partition');
  t.true(['heal', 'recover'].includes(schedule[1]!.do));
});

test('a failure that needs no fault is left with none', async (t) => {
  const nemesis = nemeses.swarm();
  const { failed } = await explore({
    seeds: 3,
    nemesis,
    scenario: async (sim) => {
      for (const name of ['n1', 'n2', 'n3']) sim.node(name, () => {});
      await sim.run(1_000);
      if (sim.seed === 2) throw new RangeError('wrong');
    },
  });
  t.is(failed[0]!.seed, 2);
  t.deepEqual(failed[0]!.schedule, []);
  t.is(failed[0]!.error.name, 'RangeError');
  t.regex(failed[0]!.error.message, /^wrong\n[\s\S]*\nit fails with 0 of the \d+ planned faults/);
});

test('a scenario that fails only the first time is not shrunk, and the message says so', async (t) => {
  let isFirst = true;
  const { failed } = await explore({
    seeds: 2,
    nemesis: planted,
    scenario: async (sim) => {
      for (const name of ['n1', 'n2', 'n3']) sim.node(name, () => {});
      await sim.run(10);
      if (sim.seed !== 2 || !isFirst) return;
      isFirst = false;
      throw new Error('once');
    },
  });
  t.is(failed[0]!.schedule.length, 11);
  t.regex(failed[0]!.error.message, /had another result/);
});

test('many failures are reported, each with its seed', async (t) => {
  const failing = async (sim: Simulation) => {
    await sim.run(1);
    if (sim.seed % 3 === 0) throw new Error(`seed ${sim.seed}`);
  };
  const all = await explore({ seeds: 10, scenario: failing, stopAfter: Number.POSITIVE_INFINITY });
  t.deepEqual(
    all.failed.map(({ seed }) => seed),
    [3, 6, 9],
  );
  t.is(all.passed, 7);
  const two = await explore({ seeds: 10, scenario: failing, stopAfter: 2 });
  t.deepEqual(
    two.failed.map(({ seed }) => seed),
    [3, 6],
  );
  t.is(two.passed, 4);
});

test('leaks of nodes fail a seed if requested', async (t) => {
  const leaky = async (sim: Simulation) => {
    sim.node('n1', ({ clock }) => {
      clock.setTimeout(() => {}, 1_000_000);
      return () => {};
    });
    await sim.run(10);
  };
  t.is((await explore({ seeds: 1, scenario: leaky })).passed, 1);
  const { failed } = await explore({ seeds: 1, scenario: leaky, leaks: 'fail' });
  t.is(failed[0]!.error.invariant, 'no leaks');
  t.regex(failed[0]!.error.message, /n1 left 1 armed timer/);
});

test('names are those of functions and modules, and unique', async (t) => {
  const names: string[] = [];
  const failing = () => {
    throw new Error('wrong');
  };
  const search = async (scenario: Parameters<typeof explore>[0]['scenario'], name?: string) => {
    const { failed } = await explore({ scenario, name, replay: 'x', profiles: [] });
    names.push(...failed.map(({ replay }) => replay));
  };
  const named = () => failing();
  await search(named);
  await search(named);
  await search(named, 'chosen');
  await search(named, 'chosen');
  await search(() => failing());
  t.deepEqual(names.slice(0, 4), [
    'SEED=named:1 x',
    'SEED=named-2:1 x',
    'SEED=chosen:1 x',
    'SEED=chosen:1 x',
  ]);
  t.regex(names[4]!, /^SEED=scenario(?:-\d+)?:1 x$/);
});

test('reported states of nodes are in the timeline, and the last of each with the failure', async (t) => {
  const tells = async (sim: Simulation) => {
    for (const name of ['n1', 'n2', 'n3']) {
      sim.node(name, async ({ clock, state }) => {
        for (let term = 1; ; term++) {
          state({ role: name === 'n1' ? 'leader' : 'follower', term });
          state({ role: name === 'n1' ? 'leader' : 'follower', term });
          await clock.sleep(100);
        }
      });
    }
    sim.always('term 3 is never reached', () => sim.now < 200);
    await sim.run(1_000);
  };
  const nemesis = [{ at: 150, do: 'crash', node: 'n3' }] as const;
  const [{ error, trace }] = (await explore({ scenario: tells, nemesis, shrink: false }))
    .failed as [ExploreFailure];
  t.deepEqual(trace.states, { n1: 'role leader, term 3', n2: 'role follower, term 2' });
  t.is(trace.timeline.filter((line) => /n2 +state +role follower, term 1$/.test(line)).length, 1);
  t.true(
    error.message.includes(
      '\nthe nodes at that time:\n  n1           role leader, term 3\n  n2           role follower, term 2\n  n3           down\n',
    ),
    error.message,
  );
});

test('createSimulation, explore and assertDeterministic take the same seed option, 1 by default', async (t) => {
  const seen: number[] = [];
  const seeing = (sim: Simulation) => {
    seen.push(sim.seed);
  };
  for (const options of [{}, { seed: 7 }]) {
    const sim = createSimulation(options);
    seeing(sim);
    await sim.close();
    await explore({ scenario: seeing, ...options });
    await assertDeterministic(seeing, options);
  }
  t.deepEqual(seen, [1, 1, 1, 1, 1, 7, 7, 7, 7, 7]);
});

test('two workers give the same result as one thread', async (t) => {
  const shared = {
    seeds: 200,
    ...calm,
    stopAfter: 2,
    shrinkRuns: 40,
    replay: 'npm test',
    name: 'pings',
  };
  const swarm = source(`
    import scenario from ${JSON.stringify(module.href)};
    import * as nemeses from ${JSON.stringify(new URL('../index.nemeses.js', import.meta.url).href)};
    export default scenario;
    export const nemesis = nemeses.swarm({ kinds: ['crashes', 'isolate'], duration: 6_000 });
    export const options = { link: { latency: 50 } };
  `);
  const one = await explore({ ...shared, scenario: swarm, workers: 1 });
  const two = await explore({ ...shared, scenario: swarm, workers: 2 });
  const inline = await explore({
    ...shared,
    scenario,
    nemesis: nemeses.swarm({ kinds: ['crashes', 'isolate'], duration: 6_000 }),
  });
  t.is(one.failed.length, 2);
  t.deepEqual(content(two), content(one));
  t.deepEqual(content(inline), content(one));
  t.deepEqual(
    (await explore({ ...shared, scenario: module, nemesis: planted, workers: 2 })).failed.map(
      ({ schedule }) => schedule.length,
    ),
    [2, 2],
  );
});

test('progress is reported, at least at the end', async (t) => {
  const told: ExploreProgress[] = [];
  await explore({
    seeds: 12,
    ...calm,
    scenario: module.href,
    workers: 2,
    onProgress: (progress) => told.push(progress),
  });
  const { done, failed, seeds, virtualHours, seedsPerSecond } = told.at(-1)!;
  t.deepEqual({ done, failed, seeds }, { done: 12, failed: 0, seeds: 12 });
  t.is(Math.round(virtualHours * 3_600_000), 96_000);
  t.true(seedsPerSecond > 0);
});

test('a signal ends a search, with and without workers', async (t) => {
  for (const workers of [1, 2]) {
    const abort = new AbortController();
    const reason = new Error('enough');
    const search = explore({
      seeds: 1_000_000,
      ...calm,
      scenario: module,
      workers,
      signal: abort.signal,
      onProgress: () => abort.abort(reason),
    });
    t.is(await t.throwsAsync(search), reason);
    t.is(
      await t.throwsAsync(explore({ seeds: 1, scenario: module, signal: abort.signal })),
      reason,
    );
  }
});

test('a signal that is aborted while the workers start ends the search', async (t) => {
  const abort = new AbortController();
  const reason = new Error('enough');
  const search = explore({
    seeds: 40,
    ...calm,
    scenario: module,
    workers: 2,
    signal: abort.signal,
  });
  abort.abort(reason);
  t.is(await t.throwsAsync(search), reason);
});

test('a module without a scenario, or one that does not load, ends the search, and the error names it', async (t) => {
  for (const workers of [1, 2]) {
    const nothing = source('export const scenario = 1');
    await t.throwsAsync(explore({ seeds: 2, scenario: nothing, workers }), {
      instanceOf: TypeError,
      message: /default export of the module data:text/,
    });
    const throws = source('throw new Error("boo")');
    await t.throwsAsync(explore({ seeds: 2, scenario: throws, workers }), {
      message: /^explore: the module data:text\/javascript,throw.* failed to load: Error: boo/,
    });
    await t.throwsAsync(
      explore({ seeds: 2, scenario: new URL('./nowhere.js', import.meta.url), workers }),
      {
        message: /the module file:.*nowhere\.js failed to load/,
      },
    );
  }
});

test('invalid options of explore throw TypeErrors that name them', async (t) => {
  const wrong: readonly (readonly [object, RegExp])[] = [
    [{ seeds: 0 }, /explore: seeds: must be a number/],
    [{ seeds: [1.5] }, /explore: seeds: /],
    [{ scenario: 'scenario.js' }, /explore: scenario: must be a function, or the URL/],
    [{ nemesis: { name: 'x' } }, /explore: nemesis: must be a nemesis/],
    [{ nemesis: [{ do: 'heal' }] }, /explore: nemesis: /],
    [{ level: 'byte' }, /explore: level: /],
    [{ link: { loss: 2 } }, /explore: link: loss: must be a share/],
    [{ disk: 1 }, /explore: disk: /],
    [{ disk: { failure: 2 } }, /explore: disk: failure: must be a share/],
    [{ workers: 0 }, /explore: workers: /],
    [{ stopAfter: 0 }, /explore: stopAfter: /],
    [{ shrink: 1 }, /explore: shrink: /],
    [{ leaks: true }, /explore: leaks: must be 'ignore' or 'fail'/],
    [{ irreproducible: 1 }, /explore: irreproducible: must be 'ignore' or 'fail'/],
    [{ onProgress: 1 }, /explore: onProgress: /],
    [{ signal: {} }, /explore: signal: must be an AbortSignal/],
    [{ seed: 1.5 }, /explore: seed: /],
    [{ from: 1 }, /explore: from: unknown option/],
    [
      { name: 'a: b' },
      /explore: name: must be a name of 1 to 100 characters, without white space or colons/,
    ],
    [{ workers: 2 }, /explore: scenario: must be the URL of a module for 2 workers/],
    [
      { workers: 2, scenario: module, nemesis: nemeses.swarm() },
      /explore: nemesis: must be a list of faults for 2 workers/,
    ],
  ];
  for (const [options, message] of wrong)
    await t.throwsAsync(
      explore({ seeds: 1, scenario, ...options } as never),
      { instanceOf: TypeError, message },
      String(message),
    );
});
