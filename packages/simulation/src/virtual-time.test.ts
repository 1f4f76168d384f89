// Tests of virtual time: idle time is skipped, timers keep their order, and all waits of
// transport-core use it.

import type { Clock, ClockTimer } from '@trunkline/transport-core';
import { createSimulation, type NodeContext, type Simulation } from './index.ts';
import test from './testing/serial.ts';
import {
  ask,
  outcome,
  server,
  type TestTransportOptions,
  testProtocol,
} from './testing/test-protocol.ts';

/** Creates a simulation with one node, and returns the node's context and clock. */
async function alone(options: Partial<Parameters<typeof createSimulation>[0]> = {}): Promise<{
  sim: Simulation;
  context: NodeContext;
  clock: Clock;
  /** What the timers of `set` noted when they fired. */
  fired: string[];
  set(name: string, delay: number): ClockTimer;
}> {
  const sim = createSimulation({ seed: 1, ...options });
  let context: NodeContext;
  sim.node('a', (given) => void (context = given));
  await sim.run(0);
  const { clock } = context!;
  const fired: string[] = [];
  const set = (name: string, delay: number) =>
    clock.setTimeout(() => fired.push(`${name}@${clock.now()}`), delay);
  return { sim, context: context!, clock, fired, set };
}

test('idle time is skipped: a day of sleep is one event', async (t) => {
  const { sim, clock } = await alone();
  const before = sim.events;
  await sim.settle(clock.sleep(24 * 3_600_000), 48 * 3_600_000);
  t.is(sim.now, 24 * 3_600_000);
  t.is(sim.events - before, 1);
  await sim.close();
});

test('timers fire in order of time, those of one time in the order they were set, and stopped ones never', async (t) => {
  const { sim, clock, fired, set } = await alone();
  set('c', 30);
  set('a', 10);
  const stopped = set('never', 10);
  set('b', 10);
  set('zero', 0);
  set('negative', -5);
  clock.clearTimeout(stopped);
  clock.clearTimeout(stopped);
  await sim.run(100);
  t.deepEqual(fired, ['zero@0', 'negative@0', 'a@10', 'b@10', 'c@30']);
  await sim.close();
});

test('a sleep rejects with the reason of its signal, and leaves no timer', async (t) => {
  const { sim, clock } = await alone();
  const controller = new AbortController();
  const sleep = clock.sleep(1_000, controller.signal);
  sim.at(10, () => controller.abort(new RangeError('enough')));
  await t.throwsAsync(sim.settle(sleep), { instanceOf: RangeError });
  t.is(sim.now, 10);
  t.deepEqual(await sim.close(), []);
});

test('a call to a blackholed peer ends exactly at its deadline; a silent peer after interval and timeout of keep-alive', async (t) => {
  for (const level of ['message', 'stream'] as const) {
    await using sim = createSimulation({ seed: 1, level, link: { fragment: 0 } }).node(
      'b',
      server(),
    );
    const client = sim.client(testProtocol, {
      name: 'c',
      keepAlive: { interval: 4_000, timeout: 1_000 },
    });
    await sim.settle(client.send('b', 'echo', 'x'));
    await sim.run(10);
    sim.cut('c', 'b');
    const started = sim.now;
    t.is(await ask(sim, client, 'b', 'x', { timeout: 1_234 }), 'deadline_exceeded');
    t.is(sim.now - started, 1_234);
    t.is(
      await ask(sim, client, 'b', 'x', { timeout: Number.POSITIVE_INFINITY }),
      'unavailable/ping_timeout',
    );
    // The last data arrived with the answer to the first call, some milliseconds before the cut.
    t.true(sim.now - started > 4_980 && sim.now - started <= 5_001, `${sim.now - started}`);
  }
});

test('events of a node whose event loop is blocked wait and then run by time, and its clock has advanced', async (t) => {
  const { sim, fired, set } = await alone();
  set('third', 300);
  set('second', 200);
  set('first', 100);
  set('after', 700);
  sim.pause('a', 500);
  await sim.run(499);
  t.deepEqual(fired, []);
  await sim.run(500);
  t.deepEqual(fired, ['first@500', 'second@500', 'third@500', 'after@700']);
  await sim.close();
});

test('a peer that is blocked for less than 5 s loses no connection and no call', async (t) => {
  for (const level of ['message', 'stream'] as const) {
    for (const who of ['a', 'b']) {
      await using sim = createSimulation({ seed: 2, level });
      let node: { remotes(): unknown[] } | undefined;
      sim.node('b', server());
      const options: TestTransportOptions = { idleTimeout: Number.POSITIVE_INFINITY };
      let ended: string | undefined;
      sim.node('a', async ({ transport, clock }) => {
        const transported = transport(testProtocol, options);
        node = transported;
        for (;;) {
          const result = await outcome(transported.send('b', 'echo', 'x'));
          if (result !== 'x') ended = result;
          await clock.sleep(200);
        }
      });
      await sim.run(1_000);
      for (let i = 0; i < 20; i++) {
        sim.pause(who, 4_800);
        await sim.run(20_000);
        t.is(ended, undefined, `${level} ${who} ${i}`);
        t.is(node!.remotes().length, 1);
      }
    }
  }
});

test('on a slow CPU each event takes its time, and waiting ones run in order of time', async (t) => {
  const { sim, fired, set } = await alone();
  sim.slow('a', 10);
  for (const [name, delay] of [
    ['e', 9],
    ['d', 8],
    ['c', 3],
    ['b', 2],
    ['a', 1],
  ] as const)
    set(name, delay);
  await sim.run(1_000);
  t.deepEqual(fired, ['a@1', 'b@11', 'c@21', 'd@31', 'e@41']);
  sim.slow('a', 0);
  set('x', 5);
  set('y', 5);
  await sim.run(1_000);
  t.deepEqual(fired.slice(5), ['x@1005', 'y@1005']);
  await sim.close();
});

test('skew makes the wall clock jump; the monotonic one jumps only if both are set forward', async (t) => {
  const { sim, context } = await alone();
  const { clock } = context;
  const epoch = Date.UTC(2020, 0, 1);
  t.deepEqual([clock.now(), clock.wall()], [0, epoch]);
  await sim.run(1_000);
  sim.skew('a', -300);
  t.deepEqual([clock.now(), clock.wall()], [1_000, epoch + 700]);
  await sim.run(200);
  t.deepEqual([clock.now(), clock.wall()], [1_200, epoch + 900]);
  sim.skew('a', 5_000);
  t.deepEqual([clock.now(), clock.wall()], [1_200, epoch + 5_900]);
  sim.skew('a', 100, { clock: 'both' });
  t.deepEqual([clock.now(), clock.wall()], [1_300, epoch + 6_000]);
  t.throws(() => sim.skew('a', -1, { clock: 'both' }), { message: /by must be at least 0/ });
  t.throws(() => sim.skew('a', 1, { clock: 'mono' as 'wall' }), {
    message: "fault 'skew': clock must be 'wall' or 'both', got mono",
  });
  let fired = 0;
  clock.setTimeout(() => (fired = sim.now), 100);
  sim.skew('a', -100_000);
  await sim.run(200);
  t.is(fired, 1_300);
  await sim.close();
});

test('drift makes clock and timers fast or slow, also after a restart', async (t) => {
  const { sim, clock } = await alone();
  sim.drift('a', 100_000);
  let fired = 0;
  clock.setTimeout(() => (fired = sim.now), 1_100);
  await sim.run(2_000);
  t.true(Math.abs(fired - 1_000) < 1e-6, `${fired}`);
  t.true(Math.abs(clock.now() - 2_200) < 1e-6, `${clock.now()}`);
  sim.drift('a', 0);
  await sim.run(1_000);
  t.true(Math.abs(clock.now() - 3_200) < 1e-6);
  await sim.close();
});

test('hours of drift and clock jumps do not break core: there is no loop, and no call is lost', async (t) => {
  for (const ppm of [-333, 77.7, 12_345]) {
    await using sim = createSimulation({ seed: 1, stepLimit: 10_000 }).node('b', server());
    const codes: Record<string, number> = {};
    sim.node('a', async ({ transport, clock }) => {
      const node = transport(testProtocol, { idleTimeout: 15_000 });
      for (;;) {
        const code = await outcome(node.send('b', 'echo', 'ok'));
        codes[code] = (codes[code] ?? 0) + 1;
        await clock.sleep(20_000 + 1 / 3);
      }
    });
    sim.drift('a', ppm);
    sim.drift('b', -ppm);
    await sim.run(6 * 3_600_000);
    t.deepEqual(Object.keys(codes), ['ok']);
    t.true(codes['ok']! > 1_000);
    sim.skew('a', -60_000);
    sim.skew('b', -0.1);
    await sim.run(3_600_000);
    sim.skew('a', 60_000);
    await sim.run(3_600_000);
    t.deepEqual(Object.keys(codes), ['ok']);
  }
});

test('the clock of a crashed node has no effect', async (t) => {
  const { sim, clock } = await alone();
  let ran = 0;
  clock.setTimeout(() => ran++, 10);
  sim.crash('a');
  clock.setTimeout(() => ran++, 10);
  clock.defer(() => ran++);
  void clock.sleep(1).then(() => ran++);
  clock.clearTimeout(clock.setTimeout(() => ran++, 10));
  await sim.run(100);
  t.is(ran, 0);
  t.deepEqual(await sim.close(), []);
});
