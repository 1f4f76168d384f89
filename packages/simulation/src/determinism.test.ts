// The same seed and the same code give the same run, event for event, in any process;
// another seed gives another run.

import { execFile } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { wildRun } from './determinism.test.child.ts';
import { createSimulation, type Simulation } from './index.ts';
import test from './testing/serial.ts';

const LEVELS = ['message', 'stream'] as const;
const child = fileURLToPath(new URL('./determinism.test.child.js', import.meta.url));

/** Closes a simulation, and returns its trace. */
async function closed(sim: Simulation) {
  const { hash, events, timeline, states, nodes } = sim.trace;
  await sim.close().catch(() => {});
  return { hash, events, timeline, states, nodes };
}

for (const level of LEVELS) {
  test(`the same seed gives the same hash and the same trace, in two processes, too (${level})`, async (t) => {
    const first = await closed(await wildRun(7, level));
    const second = await closed(await wildRun(7, level));
    t.deepEqual(second, first);
    t.regex(first.hash, /^[0-9a-f]{64}$/);
    t.true(first.events > 1_000, `${first.events} events`);
    const { stdout } = await promisify(execFile)(process.execPath, [child, '7', level]);
    t.deepEqual(stdout.split(' ').slice(0, 2), [first.hash, `${first.events}`]);
  });

  test(`another seed gives another hash (${level})`, async (t) => {
    const hashes = new Set<string>();
    for (const seed of [0, 1, 2, -1, 2 ** 31, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER])
      hashes.add((await closed(await wildRun(seed, level))).hash);
    t.is(hashes.size, 7);
  });

  test(`an additional node that nobody uses does not change the random numbers of the others (${level})`, async (t) => {
    const quiet = async (nodes: readonly string[]) => {
      const sim = createSimulation({
        seed: 5,
        level,
        link: { latency: [1, 9], loss: 0.1, reorder: 0.1 },
      });
      const seen: Record<string, string[]> = {};
      for (const name of nodes) {
        seen[name] = [];
        sim.node(
          name,
          async ({ clock, random, store }) => {
            for (let i = 0; i < 50; i++) {
              await clock.sleep(random() * 10);
              await store.set('x', new Uint8Array(i));
              seen[name]!.push(`${clock.now()} ${random()}`);
            }
          },
          { disk: { latency: [0, 5] } },
        );
      }
      await sim.run(2_000);
      await sim.close();
      return seen;
    };
    const few = await quiet(['a', 'b']);
    const many = await quiet(['x', 'a', 'y', 'b']);
    t.deepEqual([many['a'], many['b']], [few['a'], few['b']]);
    t.notDeepEqual(few['a'], few['b']);
  });
}

test('closing a simulation, inspecting its state and reading its trace change nothing', async (t) => {
  const run = async (curious: boolean) => {
    const sim = await wildRun(3, 'message');
    if (curious)
      t.true(
        sim.trace.timeline.length > 0 &&
          sim.trace.hash.length === 64 &&
          sim.isUp('n3') &&
          sim.nodes.length === 5,
      );
    await sim.run(100);
    const { hash } = sim.trace;
    await sim.close();
    return hash;
  };
  t.is(await run(true), await run(false));
});

test('one long run equals many short ones', async (t) => {
  const run = async (step: number) => {
    const sim = await wildRun(4, 'message');
    for (let i = 0; i < 500; i += step) await sim.run(step);
    const { hash } = sim.trace;
    await sim.close();
    return hash;
  };
  t.is(await run(500), await run(50));
});

test('the timeline is readable, says who did what with whom and when, and is bounded', async (t) => {
  const sim = await wildRun(7, 'message');
  const { timeline } = sim.trace;
  t.true(timeline.length <= 200 && timeline.length >= 100, `${timeline.length}`);
  const times = timeline.map((line) => Number(/^\s*([\d.]+) ms {2}\S/.exec(line)?.[1]));
  t.true(
    times.every((time, i) => time <= 3_000 && (i === 0 || time >= times[i - 1]!)),
    timeline.join('\n'),
  );
  t.true(
    timeline.some((line) =>
      /n\d → n\d +sent +golden\/\w+ (request|response|oneway|item)/.test(line),
    ),
  );
  t.true(timeline.some((line) => /n\d → n\d +arrived /.test(line)));
  t.true(timeline.every((line) => line.length < 200));
  sim.crash('n2');
  sim.partition(['n1'], ['n3']);
  t.regex(sim.trace.timeline.at(-1)!, /fault +partition n1 \| n3$/);
  t.regex(sim.trace.timeline.at(-2)!, /fault +crash n2$/);
  await sim.close();
});

test('corrupted streams are as reproducible as intact ones', async (t) => {
  const run = async () => closed(await wildRun(9, 'stream', 0.01));
  t.deepEqual(await run(), await run());
});
