// Seeds that hang or end their thread fail like others, and the search goes on.

import { execFile } from 'node:child_process';
import process from 'node:process';
import { promisify } from 'node:util';
import test from '../testing/serial.ts';
import { explore } from './explore.ts';
import type { ExploreFailure } from './failure.ts';
import scenario, { SEEDS } from './hang.test.child.ts';
import { content } from './testing/content.ts';

const module = new URL('./hang.test.child.js', import.meta.url);
const source = (text: string) => `data:text/javascript,${encodeURIComponent(text)}`;
const shared = {
  scenario: module,
  link: { latency: 10 },
  hangTimeout: 1_000,
  stopAfter: Number.POSITIVE_INFINITY,
  name: 'ticks',
  replay: 'npm test',
} as const;

for (const kind of ['loop', 'regexp', 'microtasks'] as const) {
  test(`a node that hangs fails its seed, and the search goes on: ${kind}`, async (t) => {
    const seed = SEEDS[kind];
    const { passed, failed } = await explore({ ...shared, seeds: [1, seed, 20, 21] });
    t.is(passed, 3);
    t.is(failed.length, 1);
    const [failure] = failed as [ExploreFailure];
    t.is(failure.seed, seed);
    t.is(failure.error.invariant, 'hang');
    // Other events may run before the loop makes virtual time stop.
    t.is(failure.error.at, kind === 'microtasks' ? 1_100 : 1_000);
    t.true(
      failure.error.message.startsWith(
        `hang: no event ran for 1000 ms of real time; the last to run was ${kind === 'microtasks' ? 'n1' : 'n2'} (seed ${seed}, at ${failure.error.at} ms)\nthe last events:\n`,
      ),
      failure.error.message,
    );
    t.true(
      failure.error.message.endsWith(
        `\n(a seed that hangs or ends its thread is not shrunk)\nSEED=ticks:${seed} npm test`,
      ),
      failure.error.message,
    );
    t.regex(failure.trace.timeline.at(-1)!, / n1 .* tick 10$| n2 .* tick 10$/);
    t.is(failure.recording!.failure!.rule, 'hang');
  });
}

test('a replay of a hang has the same trace, with any number of workers', async (t) => {
  const seed = SEEDS.loop;
  const found = await explore({ ...shared, seeds: [1, 2, seed], workers: 2 });
  process.env['SEED'] = `ticks:${seed}`;
  t.teardown(() => delete process.env['SEED']);
  const replayed = await explore({ ...shared, seeds: 100 });
  t.deepEqual(content(replayed).failed, content(found).failed);
  t.is(replayed.passed, 0);
});

test('a scenario that hangs before or after its run fails its seed', async (t) => {
  const { passed, failed } = await explore({ ...shared, seeds: [SEEDS.before, SEEDS.after, 20] });
  t.is(passed, 1);
  t.deepEqual(
    failed.map(({ error }) => error.message.split('\n')[0]),
    [
      `hang: no event ran for 1000 ms of real time (seed ${SEEDS.before}, at 0 ms)`,
      `hang: no event ran for 1000 ms of real time; the last to run was the scenario (seed ${SEEDS.after}, at 5000 ms)`,
    ],
  );
});

test('a node that would end the process fails its seed, in every thread', async (t) => {
  const { exit, abort, kill, importedKill } = SEEDS;
  for (const where of [module, scenario]) {
    const { passed, failed } = await explore({
      ...shared,
      scenario: where,
      seeds: [1, exit, abort, kill, importedKill, 20],
    });
    t.is(passed, 2);
    t.deepEqual(
      failed.map(({ error }) => error.message.split('\n')[0]),
      ['exit', 'abort', 'kill', 'kill'].map(
        (name, place) =>
          `exit: process.${name}() inside a simulation: it would end this process: crash the node with sim.crash (seed ${exit + place}, at 1000 ms)`,
      ),
    );
  }
});

test('a node that ends the thread of a search fails its seed', async (t) => {
  const seed = SEEDS.importedExit;
  const { passed, failed } = await explore({ ...shared, seeds: [1, seed, 20], workers: 2 });
  t.is(passed, 2);
  t.is(failed[0]!.seed, seed);
  t.is(failed[0]!.error.invariant, 'exit');
  t.regex(
    failed[0]!.error.message,
    /^exit: the thread ended with the exit code 4; the last to run was n2 \(seed 10, at 1000 ms\)\n/,
  );
});

test('a node that uses up the memory of its thread fails its seed', async (t) => {
  const program = `
    import { explore } from ${JSON.stringify(new URL('./explore.js', import.meta.url).href)};
    const { passed, failed } = await explore({
      scenario: ${JSON.stringify(module.href)},
      seeds: [1, ${SEEDS.memory}, 20],
      link: { latency: 10 },
      stopAfter: Infinity,
    });
    console.log(passed, failed.length, failed[0].error.message.split('\\n')[0]);
  `;
  const flags = ['--max-old-space-size=64', '--input-type=module', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, flags);
  t.regex(
    stdout,
    /^2 1 exit: the thread ended with Error: Worker terminated due to reaching memory limit: JS heap out of memory.* \(seed 11, at \d+ ms\)\n$/,
  );
});

for (const [kind, message] of [
  ['loop', 'hang: no event ran for 1000 ms of real time'],
  ['importedAbort', 'exit: the process ended with the signal SIGABRT'],
] as const) {
  test(`a search in processes survives a node that kills its own: ${kind}`, async (t) => {
    const { passed, failed } = await explore({
      ...shared,
      seeds: [SEEDS[kind], 20],
      isolation: 'process',
      irreproducible: 'ignore',
    });
    t.is(passed, 1);
    t.is(
      failed[0]!.error.message.split('\n')[0],
      `${message}; the last to run was n2 (seed ${SEEDS[kind]}, at 1000 ms)`,
    );
    t.is(failed[0]!.recording!.failure!.at, 1_000);
  });
}

test('an error outside the simulation fails the seed that was running', async (t) => {
  const throws = source(`export default async (sim) => {
    await sim.run(1);
    if (sim.seed !== 4) return;
    setImmediate(() => { throw new Error('boo'); });
    await new Promise(() => {});
  }`);
  const { passed, failed } = await explore({ ...shared, scenario: throws, seeds: 10 });
  t.is(passed, 9);
  t.regex(
    failed[0]!.error.message,
    /^exit: the thread ended with Error: boo; the last to run was the scenario \(seed 4, at 1 ms\)\n/,
  );
});

test('shrinking stops if a run with fewer faults hangs', async (t) => {
  const nemesis = [
    { at: 100, do: 'pause', node: 'n1', for: 10 },
    { at: 300, do: 'pause', node: 'n2', for: 10 },
  ] as const;
  const { failed } = await explore({ ...shared, nemesis, seeds: [SEEDS.shrunk] });
  t.deepEqual(failed[0]!.schedule, nemesis);
  t.deepEqual(failed[0]!.link, { latency: 10 });
  t.regex(
    failed[0]!.error.message,
    /^two faults\n[\s\S]*\n\(shrinking stopped, because a run did not return: no event ran for 1000 ms of real time\)\n/,
  );
});

test('a module that ends its thread while it loads ends the search', async (t) => {
  const exits = source('process.exit(3)');
  await t.throwsAsync(explore({ ...shared, scenario: exits, seeds: 50, workers: 2 }), {
    message:
      /^explore: a worker was lost while it loaded the module data:text.*: the thread ended with the exit code 3$/s,
  });
});
