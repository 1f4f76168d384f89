// A loop that never lets time advance ends the run with an error that names its owner.

import { createSimulation, type NodeSetup, SimulationError } from '../index.ts';
import test from '../testing/serial.ts';
import {
  outcome,
  server,
  startTransport,
  type TestTransport,
  testProtocol,
} from '../testing/test-protocol.ts';

/** Rounds after which a loop ends by itself, so that a failing test does not hang. */
const ENDLESS = 100_000;

const loops: [what: string, setup: NodeSetup][] = [
  [
    'timers at 0',
    ({ clock }) => {
      let left = ENDLESS;
      const again = () => void (left-- > 0 && clock.setTimeout(again, 0));
      again();
    },
  ],
  [
    'sleeps of 0',
    async ({ clock }) => {
      for (let left = ENDLESS; left > 0; left--) await clock.sleep(0);
    },
  ],
  [
    'deferred callbacks',
    ({ clock }) => {
      let left = ENDLESS;
      const again = () => void (left-- > 0 && clock.defer(again));
      again();
    },
  ],
  [
    'microtasks that touch the world',
    ({ clock }) => {
      void (async () => {
        for (let left = ENDLESS; left > 0; left--) {
          await undefined;
          clock.clearTimeout(clock.setTimeout(() => {}, 1_000));
        }
      })();
    },
  ],
  [
    'operations of a store that takes no time',
    async ({ store }) => {
      for (let left = ENDLESS; left > 0; left--) await store.get('x');
    },
  ],
  [
    'sends over links without latency',
    async ({ transport }) => {
      const node: TestTransport = transport(testProtocol);
      for (let left = ENDLESS; left > 0; left--) await outcome(node.send('calm', 'echo', 'x'));
    },
  ],
];

for (const [what, setup] of loops) {
  test(`an endless loop of ${what} ends at the step limit and names its owner`, async (t) => {
    const sim = createSimulation({ seed: 1, stepLimit: 1_000, link: { latency: 0 } });
    sim.node('calm', server());
    sim.node('looping', setup);
    const error = (await t.throwsAsync(sim.run(10), { instanceOf: SimulationError })) as
      | SimulationError
      | undefined;
    t.is(error?.invariant, 'step limit');
    t.is(error?.at, 0);
    t.regex(
      error?.message.split('\n')[0] ?? '',
      what.startsWith('sends') ? /looping|'calm'| calm:/ : /looping/,
    );
    await sim.close().catch(() => {});
  });
}

test('work below the limit within one instant passes, and the limit restarts when time advances', async (t) => {
  await using sim = createSimulation({ seed: 1, stepLimit: 1_000 });
  let done = 0;
  sim.node('busy', async ({ clock }) => {
    for (let round = 0; round < 10; round++) {
      for (let i = 0; i < 900; i++) {
        await clock.sleep(0);
        done++;
      }
      await clock.sleep(1);
    }
  });
  sim.node('b', (context) => startTransport(context).then(() => {}));
  await sim.run(100);
  t.is(done, 9_000);
});
