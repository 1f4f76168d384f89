// Tests of errors that no code catches: they make the run fail at that moment with the name of the
// node, and other listeners do not receive these errors.

import { execFileSync } from 'node:child_process';
import process from 'node:process';
import {
  createSimulation,
  explore,
  type NodeContext,
  type Simulation,
  SimulationError,
} from './index.ts';
import test from './testing/serial.ts';
import { server, testProtocol } from './testing/test-protocol.ts';

const module = new URL('./uncaught.test.child.js', import.meta.url);

/** Ways in which a node's code causes an uncaught error, 5 ms after its start. */
const WAYS: readonly (readonly [
  name: string,
  told: string,
  setup: (context: NodeContext) => void,
])[] = [
  [
    'an async timer',
    'left a rejection unhandled',
    ({ clock }) =>
      void clock.setTimeout(async () => {
        throw new Error('boo');
      }, 5),
  ],
  [
    'an async timer, after many awaits',
    'left a rejection unhandled',
    ({ clock }) =>
      void clock.setTimeout(async () => {
        for (let i = 0; i < 5; i++) await undefined;
        throw new Error('boo');
      }, 5),
  ],
  [
    'a promise that nobody awaits',
    'left a rejection unhandled',
    ({ clock }) => {
      const loop = async () => {
        await clock.sleep(5);
        throw new Error('boo');
      };
      void loop();
    },
  ],
  [
    'a microtask',
    'threw',
    ({ clock }) =>
      void clock.setTimeout(() => {
        queueMicrotask(() => {
          throw new Error('boo');
        });
      }, 5),
  ],
];

for (const [name, told, setup] of WAYS) {
  for (const strict of [false, true]) {
    test(`${name} that throws fails the run at that moment, with the name of its node${strict ? ' (strict)' : ''}`, async (t) => {
      const others: unknown[] = [];
      const listen = (error: unknown) => others.push(error);
      process.on('unhandledRejection', listen);
      process.on('uncaughtException', listen);
      t.teardown(() => {
        process.removeListener('unhandledRejection', listen);
        process.removeListener('uncaughtException', listen);
      });
      const listeners = () =>
        ['unhandledRejection', 'uncaughtException', 'rejectionHandled'].map((event) =>
          process.listeners(event as 'exit'),
        );
      const before = listeners();
      const sim = createSimulation({ seed: 1, strict });
      let ticks = 0;
      sim.node('busy', async ({ clock }) => {
        while (ticks < 20) {
          await clock.sleep(1);
          ticks++;
        }
      });
      sim.node('faulty', setup);
      const error = await t.throwsAsync<SimulationError>(sim.run(100), {
        instanceOf: SimulationError,
      });
      t.is(error.invariant, 'no uncaught error');
      t.is(error.at, 5);
      t.true(
        error.message.startsWith(
          `no uncaught error: faulty ${told}${told === 'threw' ? '' : ':'} Error: boo (seed 1, at 5 ms)`,
        ),
        error.message,
      );
      t.is((error.cause as Error).message, 'boo');
      t.true(ticks <= 5);
      t.deepEqual(listeners(), before);
      await sim.close();
      await new Promise((resolve) => setImmediate(resolve));
      t.deepEqual(others, []);
    });
  }
}

test('uncaught errors are found in every mode of --unhandled-rejections', (t) => {
  const code = `
    import { explore } from ${JSON.stringify(new URL('./index.js', import.meta.url).href)};
    const { failed } = await explore({ seeds: 6, scenario: ${JSON.stringify(module.href)}, replay: 'x' });
    console.log(failed[0].error.message.split(' (')[0], failed[0].seed, failed[0].schedule.length);`;
  for (const mode of ['strict', 'throw', 'warn', 'none']) {
    const args = [
      `--unhandled-rejections=${mode}`,
      '--no-warnings',
      '--input-type=module',
      '-e',
      code,
    ];
    const out = execFileSync(process.execPath, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    t.is(
      out,
      'no uncaught error: n2 left a rejection unhandled: RangeError: n1 is gone 3 1\n',
      mode,
    );
  }
});

test('a rejection that is handled within its instant is not an error, however long the chain of awaits is', async (t) => {
  const sim = createSimulation({ seed: 1 });
  let caught = 0;
  sim.node('a', async ({ clock }) => {
    for (let i = 0; i < 3; i++) {
      await clock.sleep(5);
      const failing = Promise.reject(new Error('boo'));
      for (let turn = 0; turn < 40; turn++) await undefined;
      await failing.catch(() => caught++);
    }
  });
  await sim.run(100);
  t.is(caught, 3);
  t.deepEqual(await sim.close(), []);
});

test('a crashed node cannot fail a run', async (t) => {
  const sim = createSimulation({ seed: 1 });
  let reject: (error: Error) => void = () => {};
  sim.node('a', () => {
    void new Promise((_, fail) => {
      reject = fail;
    });
  });
  sim.node('b', () => {});
  await sim.run(5);
  sim.crash('a');
  await sim.run(5);
  sim.restart('a');
  sim.at(20, () => sim.crash('a'));
  await sim.run(50);
  reject(new Error('boo'));
  await t.throwsAsync(sim.close(), {
    message: /^no uncaught error: the simulation left a rejection unhandled: Error: boo/,
  });
});

test('promises held by the test may be handled after the run, but not later than at close', async (t) => {
  const sim = createSimulation({ seed: 1 }).node('b', server());
  const client = sim.client(testProtocol);
  await sim.settle(client.dial('b'));
  sim.cut('client-1', 'b');
  const call = client.send('b', 'echo', 'x', { timeout: 500 });
  await sim.run(1_000);
  await t.throwsAsync(call, { code: 'deadline_exceeded' } as never);
  await sim.close();

  const forgetful = createSimulation({ seed: 1 }).node('b', server());
  const other = forgetful.client(testProtocol, { name: 'c' });
  await forgetful.settle(other.dial('b'));
  forgetful.cut('c', 'b');
  void other.send('b', 'echo', 'x', { timeout: 500 });
  await forgetful.run(1_000);
  await t.throwsAsync(forgetful.close(), {
    instanceOf: SimulationError,
    message: /^no uncaught error: c left a rejection unhandled: TransportError/,
  });
});

for (const workers of [1, 2]) {
  test(`a search reports an async throw with its seed, shrinks it and continues (${workers} workers)`, async (t) => {
    const { passed, failed } = await explore({
      seeds: 6,
      scenario: module,
      workers,
      stopAfter: 2,
      replay: 'npm test',
    });
    t.is(passed, 2);
    t.deepEqual(
      failed.map(({ seed }) => seed),
      [3, 4],
    );
    const [{ error, schedule, faults }] = failed as [(typeof failed)[0]];
    t.is(error.invariant, 'no uncaught error');
    t.regex(
      error.message,
      /^no uncaught error: n2 left a rejection unhandled: RangeError: n1 is gone \(seed 3, at 2\d+ ms\)/,
    );
    t.is(faults, 4);
    t.deepEqual(schedule, [{ at: 2_000, do: 'crash', node: 'n1' }]);
  });
}

test('a search without workers reports it, too, including an unhandled rejection of the scenario', async (t) => {
  const scenario = async (sim: Simulation) => {
    void Promise.reject(new RangeError('mine'));
    await sim.run(10);
  };
  const { failed } = await explore({ seeds: 2, scenario });
  t.is(failed.length, 1);
  t.regex(
    failed[0]!.error.message,
    /^no uncaught error: the simulation left a rejection unhandled: RangeError: mine \(seed 1, at 10 ms\)/,
  );
});

test('after a run has failed, close() drops the nodes at once; otherwise it reports new errors', async (t) => {
  const sim = createSimulation({ seed: 1 });
  let stops = 0;
  sim.node('a', ({ clock }) => {
    const tick = () => {
      clock.setTimeout(tick, 1);
      Date.now();
    };
    clock.setTimeout(tick, 1);
    return async () => {
      stops++;
      await clock.sleep(30_000);
    };
  });
  await t.throwsAsync(sim.run(10), { message: /^no real time/ });
  const failedAt = sim.now;
  t.deepEqual(await sim.close(), []);
  t.deepEqual([stops, sim.now, sim.isUp('a')], [0, failedAt, false]);

  const late = createSimulation({ seed: 1 });
  const error = new Error('boo');
  late.node('a', ({ clock }) => async () => {
    clock.setTimeout(async () => {
      throw error;
    }, 1);
    await clock.sleep(5);
  });
  await late.run(10);
  await t.throwsAsync(late.close(), {
    message: /^no uncaught error: a left a rejection unhandled: Error: boo/,
  });
  t.false(late.isUp('a'));
});

test('a search drops the nodes of a scenario that rejects', async (t) => {
  let virtual = 0;
  const scenario = async (sim: Simulation) => {
    sim.node(
      'slow to stop',
      ({ clock }) =>
        () =>
          clock.sleep(30_000),
    );
    sim.always('look', () => {
      virtual = sim.now;
      return true;
    });
    await sim.run(10);
    throw new Error('not as expected');
  };
  const { failed } = await explore({ seeds: 1, scenario });
  t.deepEqual([failed.length, virtual < 1_000], [1, true]);
});

test('close takes its listeners away, also if the stop of a node fails', async (t) => {
  const before = process.listenerCount('rejectionHandled');
  const sim = createSimulation();
  sim.node('n1', () => () => {
    throw new Error('it does not stop');
  });
  sim.at(5, () => void Promise.reject(new Error('boo')));
  await sim.run(10);
  await t.throwsAsync(sim.close(), { message: /^the stop of n1 failed: .*it does not stop/ });
  t.is(process.listenerCount('rejectionHandled'), before);
});
