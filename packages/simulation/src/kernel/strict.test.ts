// Tests of the turns of the microtask queue within an instant: by default, code gets a limited
// number of turns; in strict mode, it gets all that it needs.

import { createSimulation, type Simulation, type SimulationOptions } from '../index.ts';
import test from '../testing/serial.ts';
import { drain, items, outcome, server, testProtocol } from '../testing/test-protocol.ts';

/** Runs nodes that work in chains of awaits, and returns what each node saw and when. */
async function chains(
  options: SimulationOptions,
  length: number,
): Promise<{ sim: Simulation; seen: string[] }> {
  const sim = createSimulation(options);
  const seen: string[] = [];
  sim.node('b', server());
  for (const name of ['a', 'c']) {
    sim.node(name, async ({ transport, clock, store, random }) => {
      const node = transport(testProtocol);
      for (let i = 0; i < 20; i++) {
        for (let turn = 0; turn < length; turn++) await undefined;
        seen.push(`${name} ${i} awake ${clock.now()}`);
        await clock.sleep(1 + Math.floor(random() * 5));
        for (let turn = 0; turn < length; turn++) await undefined;
        seen.push(
          `${name} ${await outcome(node.send('b', 'echo', `${i}`, { timeout: 50 }))} ${clock.now()}`,
        );
        for (let turn = 0; turn < length; turn++) await undefined;
        await store.set(`${i}`, new Uint8Array(i));
        for (let turn = 0; turn < length; turn++) await undefined;
        await store.sync();
        seen.push(`${name} synced ${clock.now()}`);
      }
    });
  }
  await sim.run(5_000);
  return { sim, seen };
}

for (const level of ['message', 'stream'] as const) {
  test(`strict gives the same outcomes at the same times as the default for short chains of awaits (${level})`, async (t) => {
    for (const length of [0, 1, 3, 5]) {
      const options = {
        seed: 5,
        level,
        link: { latency: [1, 9], loss: 0.05, reorder: 0.1 },
      } as const;
      const lazy = await chains(options, length);
      const strict = await chains({ ...options, strict: true }, length);
      t.deepEqual(strict.seen, lazy.seen, `${length} awaits`);
      t.is(strict.sim.trace.hash, lazy.sim.trace.hash, `${length} awaits`);
      t.is(lazy.seen.length, 2 * 20 * 3);
      await lazy.sim.close();
      await strict.sim.close();
    }
  });
}

test('a chain of up to 8 awaits after a timer continues in the same instant, strict or not', async (t) => {
  for (const strict of [false, true]) {
    for (let length = 1; length <= 8; length++) {
      await using sim = createSimulation({ seed: 1, strict });
      const at: number[] = [];
      sim.node('ticking', async ({ clock }) => {
        for (;;) await clock.sleep(1);
      });
      sim.node('a', async ({ clock }) => {
        await clock.sleep(10.5);
        for (let turn = 1; turn < length; turn++) await undefined;
        at.push(clock.now());
        clock.setTimeout(() => at.push(clock.now()), 0);
      });
      await sim.run(100);
      t.deepEqual(at, [10.5, 10.5], `${length} awaits, strict ${strict}`);
    }
  }
});

test('streams deliver the same at the same time, strict or not, if latency is constant', async (t) => {
  const run = async (strict: boolean) => {
    const sim = createSimulation({ seed: 1, strict }).node('b', server());
    const client = sim.client(testProtocol);
    const seen: string[] = [];
    for (const count of [0, 1, 3, 20])
      seen.push(
        `${await sim.settle(drain(client.send('b', 'mirror', '', { upload: items('', count) })))} ${sim.now}`,
      );
    await sim.close();
    return seen;
  };
  t.deepEqual(await run(true), await run(false));
});

test('a chain of 20 bare awaits continues later, but always at the same moment; with strict, in the same instant', async (t) => {
  const run = async (strict: boolean) => {
    const sim = createSimulation({ seed: 1, strict });
    const at: number[] = [];
    sim.node('ticking', async ({ clock }) => {
      for (;;) await clock.sleep(3);
    });
    sim.node('a', async ({ clock }) => {
      for (let i = 0; i < 50; i++) {
        await clock.sleep(10);
        for (let turn = 0; turn < 20; turn++) await undefined;
        at.push(clock.now());
      }
    });
    await sim.run(1_000);
    await sim.close();
    return at;
  };
  const [first, second, strict] = [await run(false), await run(false), await run(true)];
  t.deepEqual(first, second);
  t.notDeepEqual(first, strict);
  t.deepEqual(
    strict,
    Array.from({ length: 50 }, (_, i) => 10 * (i + 1)),
  );
});

test('a chain of awaits of any length is over before a timer of 0 ms fires', async (t) => {
  await using sim = createSimulation({ seed: 1 });
  const seen: string[] = [];
  sim.node('a', async ({ clock }) => {
    await clock.sleep(10);
    clock.setTimeout(() => seen.push('timer'), 0);
    for (let turn = 0; turn < 1_000; turn++) await undefined;
    seen.push('chain');
  });
  await sim.run(20);
  t.deepEqual(seen, ['chain', 'timer']);
});

test('a promise that settles in an instant is seen in it, however many functions pass it on', async (t) => {
  await using sim = createSimulation({ seed: 1 });
  let at = -1;
  sim.node('b', server());
  sim.node('a', async ({ transport, clock }) => {
    const node = transport(testProtocol);
    await node.dial('b');
    const inner = async () => node.send('b', 'echo', 'x');
    const middle = async () => await inner();
    const outer = async () => middle();
    const before = clock.now();
    await outer();
    at = clock.now() - before;
  });
  await sim.run(100);
  t.is(at, 2);
});
