// Tests that shrinking is limited in virtual time and in events.

import { crashes } from '../faults/node-nemeses.ts';
import type { Simulation } from '../simulation.ts';
import test from '../testing/serial.ts';
import { explore } from './explore.ts';

/** Nodes with a timer each millisecond; the rule breaks at 217 ms if a fault has happened. */
function ticking(ends: number[], brokenAt: number) {
  return async function ticking(sim: Simulation) {
    for (const name of ['a', 'b', 'c'])
      sim.node(name, async ({ clock }) => {
        for (;;) await clock.sleep(1);
      });
    sim.always('in time', () => sim.now < brokenAt || !sim.nodes.some((name) => !sim.isUp(name)));
    try {
      await sim.run(20_000);
    } finally {
      ends.push(sim.now);
    }
  };
}

const nemesis = crashes({ lasts: [200, 2_000], calm: [1, 100] });

test('after a failure at 217 ms, the runs of shrinking end at twice its time plus 1 s', async (t) => {
  const ends: number[] = [];
  const { failed } = await explore({ scenario: ticking(ends, 217), nemesis, seeds: 3 });
  const { error, schedule, faults } = failed[0]!;
  t.is(error.invariant, 'in time');
  t.true(faults > 20);
  t.true(schedule.length <= 2, JSON.stringify(schedule));
  t.false(error.message.includes('shrinking stopped'));
  t.true(error.at! < 1_000);
  t.true(ends.length < 200, `${ends.length} runs`);
  t.true(
    ends.every((end) => end <= 2 * error.at! + 1_100),
    `${ends}`,
  );
});

test('shrinking stops after a thousand events for each run, and says so', async (t) => {
  const ends: number[] = [];
  const search = { scenario: ticking(ends, 10_000), nemesis, seeds: 3, shrinkRuns: 100 };
  const { message } = (await explore(search)).failed[0]!.error;
  const [, runs, events] = /stopped after (\d+) runs with (\d+) events: a smaller/.exec(message)!;
  t.true(Number(runs) < 10, runs);
  t.true(Number(events) >= 100_000 && Number(events) < 200_000, events);
  t.true(ends.length <= Number(runs) + 4);
});

test('a leak that shows a minute after the run, when a node hangs as it stops, is shrunk', async (t) => {
  const hangs = (sim: Simulation) => {
    sim.node('n1', ({ clock }) => {
      clock.setTimeout(() => {}, 1e9);
      return () => new Promise<void>(() => {});
    });
    return sim.run(1_000);
  };
  const pause = { do: 'pause', node: 'n1', for: 10 } as const;
  const nemesis = [100, 200, 300].map((at) => ({ at, ...pause }));
  const { failed } = await explore({ scenario: hangs, nemesis, leaks: 'fail' });
  t.is(failed[0]!.error.invariant, 'no leaks');
  t.true(failed[0]!.error.at! > 60_000);
  t.deepEqual(failed[0]!.schedule, []);
});
