// Tests of the public interface of a simulation: nodes and their lives, the progress of time, and
// misuse.

import { createSimulation, SimulationError } from './index.ts';
import test from './testing/serial.ts';
import { outcome, server, testProtocol } from './testing/test-protocol.ts';
import { typeError } from './testing/type-error.ts';

test('nodes boot at time 0 in order of declaration, and not before the first run', async (t) => {
  const booted: string[] = [];
  await using sim = createSimulation({ seed: 1 });
  for (const name of ['c', 'a', 'b'])
    sim.node(name, ({ clock }) => void booted.push(`${name} ${clock.now()}`));
  t.deepEqual(sim.nodes, ['c', 'a', 'b']);
  await Promise.resolve();
  t.deepEqual(booted, []);
  t.false(sim.isUp('a'));
  await sim.run(0);
  t.deepEqual(booted, ['c 0', 'a 0', 'b 0']);
  t.true(sim.isUp('a'));
});

test('run takes exactly the given virtual milliseconds, and no real ones', async (t) => {
  await using sim = createSimulation({ seed: 1 });
  const at: number[] = [];
  sim.node('a', ({ clock }) => void clock.setTimeout(() => at.push(clock.now()), 100));
  await sim.run(99.5);
  t.deepEqual([sim.now, ...at], [99.5]);
  await sim.run(0.5);
  t.deepEqual([sim.now, ...at], [100, 100]);
  await sim.run(1e9);
  t.is(sim.now, 1e9 + 100);
});

test('until ends at the very event that makes it true', async (t) => {
  await using sim = createSimulation({ seed: 1 });
  let count = 0;
  sim.node('a', async ({ clock }) => {
    for (;;) {
      await clock.sleep(10);
      count++;
    }
  });
  await sim.until(() => count === 7, 1_000);
  t.is(sim.now, 70);
  await sim.until(() => true);
  t.is(sim.now, 70);
  const error = await t.throwsAsync(
    sim.until(() => count > 1_000, 500),
    { instanceOf: SimulationError },
  );
  t.regex(error!.message, /^until: it did not become true within 500 ms/);
  t.is((error as SimulationError).invariant, 'until');
  t.is(sim.now, 570);
});

test('an until whose condition throws rejects with the error', async (t) => {
  await using sim = createSimulation({ seed: 1 });
  const mine = new Error('mine');
  const error = await t.throwsAsync(
    sim.until(() => {
      throw mine;
    }),
  );
  t.is(error, mine);
  await sim.run(1);
});

test('settle returns the result of a promise, including rejections, and names it when it takes too long', async (t) => {
  await using sim = createSimulation({ seed: 1 });
  sim.node('b', server());
  const client = sim.client(testProtocol, { name: 'c' });
  t.is(await sim.settle(client.send('b', 'echo', 'x')), 'x');
  t.is(await sim.settle(Promise.resolve(7)), 7);
  await t.throwsAsync(sim.settle(client.send('nobody', 'echo', 'x')), {
    name: 'TransportError',
    code: 'unavailable',
  });
  await t.throwsAsync(sim.settle(Promise.reject(new RangeError('r'))), {
    instanceOf: RangeError,
  });
  sim.hold('b', 'c');
  const call = outcome(client.send('b', 'echo', 'x'));
  const started = sim.now;
  const error = await t.throwsAsync(sim.settle(call, 500), { instanceOf: SimulationError });
  t.regex(
    error!.message,
    /^settle: the promise did not settle within 500 ms: c waits for 1 answers from b/,
  );
  t.is(sim.now, started + 500);
  sim.heal();
  t.is(await sim.settle(call), 'x');
});

test('at: an action runs at its time, in order; a past one runs now; one that throws fails the run', async (t) => {
  await using sim = createSimulation({ seed: 1 });
  const done: string[] = [];
  await sim.run(50);
  sim.at(100, () => done.push(`late ${sim.now}`));
  sim.at(75, () => done.push(`early ${sim.now}`));
  sim.at(75, () => done.push(`second ${sim.now}`));
  sim.at(10, () => done.push(`past ${sim.now}`));
  await sim.run(100);
  t.deepEqual(done, ['past 50', 'early 75', 'second 75', 'late 100']);
  sim.at(200, () => {
    throw new Error('mine');
  });
  const error = await t.throwsAsync(sim.run(100), {
    instanceOf: SimulationError,
    message: /mine/,
  });
  t.is((error as SimulationError).at, 200);
});

test('a name of a node that is invalid, already taken or unknown throws a TypeError', (t) => {
  const sim = createSimulation({ seed: 1 }).node('a', () => {});
  for (const name of [
    '',
    'two words',
    'a:1',
    'a/b',
    'a@b',
    '#',
    'x'.repeat(256),
    7,
    undefined,
    'a',
  ]) {
    t.throws(() => sim.node(name as string, () => {}), typeError(/^node: /), String(name));
  }
  t.throws(() => sim.node('b', undefined as never), typeError(/'b'.*function/));
  t.throws(() => sim.crash('nobody'), typeError(/no node 'nobody'; the nodes are a/));
  t.throws(() => sim.isUp('nobody'), { instanceOf: TypeError });
  t.throws(() => sim.partition(['a', 'nobody']), { instanceOf: TypeError });
  t.throws(() => sim.cut('a', 'nobody'), { instanceOf: TypeError });
  t.is(sim.client(testProtocol, { name: 'c' }).protocol, testProtocol);
  t.throws(() => sim.client(testProtocol, { name: 'c' }), typeError(/'c'/));
  t.throws(() => sim.client(testProtocol, { name: 'a' }), typeError(/'a'/));
});

test('invalid options throw TypeErrors with their path', async (t) => {
  const bad: [object, RegExp][] = [
    [{ seed: 1.5 }, /seed/],
    [{ seed: '1' }, /seed/],
    [{ seed: 1, level: 'packet' }, /level/],
    [{ seed: 1, strict: 1 }, /strict/],
    [{ seed: 1, stepLimit: 0 }, /stepLimit/],
    [{ seed: 1, link: { latency: 'slow' } }, /link.*latency/],
    [{ seed: 1, lnik: {} }, /lnik/],
    [{ seed: 1, disk: { failure: 2 } }, /disk.*failure/],
    [{ seed: 1, disk: { latncy: 2 } }, /disk.*latncy/],
  ];
  for (const [options, message] of bad)
    t.throws(
      () => createSimulation(options as never),
      { instanceOf: TypeError, message },
      JSON.stringify(options),
    );
  await using sim = createSimulation({ seed: 1 });
  t.throws(() => sim.client(testProtocol, { timeout: -1 }), typeError(/timeout/));
  for (const time of [-1, Number.NaN, undefined, '5'])
    await t.throwsAsync(sim.run(time as number), typeError(/run/));
});

test('invalid times and numbers of faults throw TypeErrors', (t) => {
  const sim = createSimulation({ seed: 1 }).node('a', () => {});
  for (const value of [Number.NaN, 'x', undefined] as number[]) {
    for (const fault of ['pause', 'slow', 'skew', 'drift'] as const)
      t.throws(() => sim[fault]('a', value), { instanceOf: TypeError }, `${fault} ${value}`);
    t.throws(() => sim.at(value, () => {}), { instanceOf: TypeError }, `at ${value}`);
  }
});

test('a restart runs the set-up again, with other random numbers', async (t) => {
  const lives: number[] = [];
  await using sim = createSimulation({ seed: 1 });
  sim.node('a', ({ random }) => void lives.push(random()));
  await sim.run(10);
  sim.restart('a');
  await sim.run(10);
  sim.crash('a');
  t.false(sim.isUp('a'));
  await sim.run(10);
  t.is(lives.length, 2);
  sim.restart('a');
  await sim.run(10);
  t.true(sim.isUp('a'));
  t.is(new Set(lives).size, 3);
});

test('a set-up that throws or rejects fails the run and names its node', async (t) => {
  for (const fails of [
    () => {
      throw new Error('broken');
    },
    async ({ clock }: { clock: { sleep(ms: number): Promise<void> } }) => {
      await clock.sleep(5);
      throw new Error('broken');
    },
    // Longer than the turns after which the loop looks for the next event; there is none.
    async () => {
      for (let i = 0; i < 50; i++) await undefined;
      throw new Error('broken');
    },
  ]) {
    await using sim = createSimulation({ seed: 3 }).node('faulty', fails);
    const error = await t.throwsAsync(sim.run(10), {
      instanceOf: SimulationError,
      message: /setup of faulty failed: Error: broken/,
    });
    t.is((error!.cause as Error).message, 'broken');
  }
});

test('a run inside a run throws a TypeError, and so does a second simulation meanwhile; both continue', async (t) => {
  const sim = createSimulation({ seed: 1 });
  await using other = createSimulation({ seed: 2 });
  const running = sim.run(10);
  await t.throwsAsync(sim.run(5), typeError(/is already running/));
  await t.throwsAsync(other.run(5), typeError(/test\.serial/));
  await running;
  await other.run(5);
  t.deepEqual([sim.now, other.now], [10, 5]);
  await sim.close();
});

test('a node that is declared later boots at the next run', async (t) => {
  await using sim = createSimulation({ seed: 1 }).node('a', server());
  await sim.run(100);
  const booted: number[] = [];
  sim.node('b', (context) => {
    booted.push(context.clock.now());
    return server()(context);
  });
  await sim.run(5);
  t.deepEqual(booted, [100]);
  t.is(await sim.settle(sim.client(testProtocol).send('b', 'echo', 'x')), 'x');
});

test('a set-up that is not done when the run ends fails nothing', async (t) => {
  const sim = createSimulation({ seed: 1 });
  sim.node('a', async ({ transport, clock }) => {
    const net = transport(testProtocol);
    await clock.sleep(100);
    await net.listen();
  });
  await sim.run(50);
  // Another node takes some time to stop, so the sleep ends meanwhile.
  sim.node(
    'b',
    ({ clock }) =>
      () =>
        clock.sleep(200),
  );
  await sim.run(1);
  await t.notThrowsAsync(sim.close());
});

test('a node that crashed before its boot does not boot', async (t) => {
  await using sim = createSimulation({ seed: 1 });
  let booted = 0;
  sim.node('a', () => void booted++);
  sim.crash('a');
  await sim.run(5);
  t.deepEqual([booted, sim.isUp('a')], [0, false]);
});

test('recover boots a node that crashed before its boot', async (t) => {
  await using sim = createSimulation({ seed: 1 }).node('a', () => {});
  sim.crash('a');
  await sim.run(5);
  sim.inject({ do: 'recover' });
  t.deepEqual([sim.isUp('a'), sim.calmSince], [true, 5]);
});

test('close() stops nodes by their stop functions, closes the rest, is idempotent, and nothing runs after it', async (t) => {
  const sim = createSimulation({ seed: 1 });
  const stopped: string[] = [];
  sim.node('a', () => () => stopped.push('a'));
  sim.node('b', server());
  sim.node('c', async (context) => void (await server()(context)));
  await sim.run(10);
  const closing = sim.close();
  t.is(sim.close(), closing);
  t.deepEqual(await closing, []);
  t.deepEqual(await sim.close(), []);
  t.deepEqual(stopped, ['a']);
  for (const use of [
    () => sim.run(1),
    () => sim.until(() => true),
    () => sim.settle(Promise.resolve()),
  ]) {
    await t.throwsAsync(use(), typeError(/closed/));
  }
  t.false(sim.isUp('a'));
});

test('a simulation that never ran or has failed can be closed; await using closes it', async (t) => {
  t.deepEqual(await createSimulation({ seed: 1 }).node('a', server()).close(), []);
  const failed = createSimulation({ seed: 1 }).node('a', server());
  failed.always('never', () => false);
  await t.throwsAsync(failed.run(1));
  t.deepEqual(await failed.close(), []);
  const sim = createSimulation({ seed: 1 }).node('a', server());
  await sim.run(1);
  await sim[Symbol.asyncDispose]();
  await t.throwsAsync(sim.run(1), { message: /closed/ });
});

test('faults that are scheduled for later do not happen while the simulation closes', async (t) => {
  const sim = createSimulation({ seed: 1 });
  let stopped = 0;
  sim.node('a', ({ clock }) => async () => {
    await clock.sleep(1_000);
    stopped++;
  });
  sim.schedule([{ at: 500, do: 'crash', node: 'a' }]);
  await sim.run(10);
  t.deepEqual(await sim.close(), []);
  t.deepEqual([stopped, sim.now], [1, 1_010]);
});
