// Tests of rules and their reports: broken rules, deadlocks with owners, and leaks of nodes.

import { createSimulation, SimulationError } from './index.ts';
import test from './testing/serial.ts';
import {
  outcome,
  server,
  startTransport,
  type TestTransport,
  testProtocol,
} from './testing/test-protocol.ts';

async function failure(promise: Promise<unknown>): Promise<SimulationError> {
  const error = await promise.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  );
  if (error instanceof SimulationError) return error;
  throw error;
}

test('always: returning false ends the run at that event, and the error names rule, seed and time', async (t) => {
  await using sim = createSimulation({ seed: 6 });
  let count = 0;
  sim.node('a', ({ clock, log }) => {
    const tick = () => {
      log(`tick ${++count}`);
      clock.setTimeout(tick, 411.5);
    };
    clock.setTimeout(tick, 411);
  });
  sim.always('at most two ticks', () => count <= 2);
  const error = await failure(sim.run(10_000));
  t.deepEqual(
    [error.name, error.seed, error.at, error.invariant, count, sim.now],
    ['SimulationError', 6, 1_234, 'at most two ticks', 3, 1_234],
  );
  const [first, ...rest] = error.message.split('\n');
  t.is(first, 'at most two ticks: it does not hold (seed 6, at 1234 ms)');
  t.true(
    rest.some((line) => /1234 ms {2}a +note +tick 3/.test(line)),
    rest.join('\n'),
  );
  t.is(error.trace.hash, sim.trace.hash);
  t.true(error.trace.timeline.length > 0 && error.trace.events > 0);
  const { hash, events, timeline, states, nodes } = error.trace;
  t.deepEqual(JSON.parse(JSON.stringify(error.trace)), {
    hash,
    events,
    timeline: [...timeline],
    states,
    nodes,
  });
});

test('always: throwing is a violation with its cause, undefined and true are not; an ended rule is not checked', async (t) => {
  await using sim = createSimulation({ seed: 1 });
  sim.node('ticking', async ({ clock }) => {
    for (;;) await clock.sleep(1);
  });
  let asked = 0;
  sim.always('fine', () => void asked++);
  const end = sim.always('ended', () => false);
  end();
  end();
  await sim.run(10);
  t.true(asked > 0);
  const cause = new RangeError('two leaders');
  sim.always('one leader', () => {
    if (sim.now > 20) throw cause;
  });
  const error = await failure(sim.run(100));
  t.is(error.cause, cause);
  t.regex(error.message, /^one leader: RangeError: two leaders/);
});

test('always is checked after every event, so that a momentary violation is found', async (t) => {
  await using sim = createSimulation({ seed: 1 });
  let leaders = 0;
  sim.node('a', async ({ clock }) => {
    await clock.sleep(10);
    leaders = 2;
    clock.setTimeout(() => (leaders = 1), 0);
  });
  sim.always('one leader', () => leaders < 2);
  t.is((await failure(sim.run(100))).at, 10);
});

test('eventually: it must hold within its time from the start and after each heal, but not while a fault lasts', async (t) => {
  await using sim = createSimulation({ seed: 1 }).node('a', server()).node('b', server());
  sim.node('ticking', async ({ clock }) => {
    for (;;) await clock.sleep(1);
  });
  let good = true;
  sim.eventually('good again', () => good, { within: 100 });
  await sim.run(1_000);
  sim.partition(['a'], ['b']);
  good = false;
  await sim.run(5_000);
  sim.heal();
  await sim.run(90);
  good = true;
  await sim.run(20);
  good = false;
  await sim.run(1_000);
  sim.cut('a', 'b');
  sim.crash('b');
  await sim.run(1_000);
  sim.heal();
  await sim.run(1_000);
  sim.restart('b');
  const since = sim.now;
  t.is(sim.calmSince, since);
  const error = await failure(sim.run(1_000));
  t.regex(error.message, /^good again: it does not hold, 100 ms after the last fault was healed/);
  t.is(error.at, since + 101);
});

test('eventually is checked even if nothing happens any more', async (t) => {
  await using sim = createSimulation({ seed: 1 }).node('a', () => {});
  sim.eventually('never', () => false, { within: 100 });
  const error = await failure(sim.run(1_000));
  t.is(error.invariant, 'never');
});

test('eventually must hold from the boot if a fault was injected before the first run', async (t) => {
  await using sim = createSimulation({ seed: 1 });
  sim.node('ticking', async ({ clock }) => {
    for (;;) await clock.sleep(1);
  });
  sim.skew('ticking', 40);
  sim.eventually('never', () => false, { within: 100 });
  t.is((await failure(sim.run(1_000))).invariant, 'never');
});

test('a deadlock is reported with its owners: nothing can happen, but something is awaited', async (t) => {
  const sim = createSimulation({ seed: 1 });
  sim.node('stuck', ({ store }) => {
    void new Promise(() => {}).then(() => store.sync());
  });
  const error = await failure(sim.until(() => false, Number.POSITIVE_INFINITY));
  t.is(error.invariant, 'deadlock');
  t.regex(error.message, /no further event can happen/);
  await sim.close();
  await using other = createSimulation({ seed: 1 }).node('b', server());
  let node: TestTransport | undefined;
  const forever: Promise<string>[] = [];
  other.node('a', async (context) => {
    node = await startTransport(context, undefined, {
      timeout: Number.POSITIVE_INFINITY,
      idleTimeout: Number.POSITIVE_INFINITY,
    });
  });
  other.intercept(({ kind }) => (kind === 'request' ? 'drop' : 'pass'));
  await other.run(10);
  for (let i = 0; i < 3; i++) forever.push(outcome(node!.send('b', 'echo', 'x')));
  const waits = await failure(other.settle(Promise.all(forever), 30_000));
  t.regex(waits.message, /a waits for 3 answers from b/);
});

test('a deadlock is reported at the moment when nothing was left to do', async (t) => {
  await using sim = createSimulation({ seed: 1 });
  sim.node('a', ({ clock }) => void clock.setTimeout(() => {}, 70));
  const error = await failure(sim.settle(new Promise(() => {}), 60_000));
  t.deepEqual([error.invariant, error.at], ['deadlock', 70]);
});

test('close() reports leaks by owner: calls, timers, connections, transports, store operations', async (t) => {
  for (const peer of ['messy', 'tidy']) {
    const sim = createSimulation({ seed: 1, disk: { sync: 400_000 } });
    sim.node('b', async (context) => {
      const node = context.transport(testProtocol);
      await node.listen();
      return peer === 'tidy' ? () => node.close() : () => {};
    });
    sim.node('messy', async (context) => {
      const node = await startTransport(context);
      await node.dial('b');
      return () => {
        for (let i = 0; i < 2; i++)
          void node.send('b', 'echo', 'x', { timeout: 90_000 }).catch(() => {});
        for (let i = 0; i < 3; i++) context.clock.setTimeout(() => {}, 500_000);
        for (let i = 0; i < 4; i++) void context.store.sync();
      };
    });
    await sim.run(100);
    const leaks = (await sim.close()).filter(({ owner }) => owner === 'messy');
    const told = Object.fromEntries(leaks.map(({ kind, count }) => [kind, count]));
    t.deepEqual(
      told,
      { transport: 1, call: 2, connection: 1, timer: 3, store: 4 },
      `with a ${peer} peer`,
    );
    t.true(leaks.every(({ what }) => /messy left/.test(what)));
  }
});

test('a client leaks only its open calls, and a call that was awaited is not a leak', async (t) => {
  const sim = createSimulation({ seed: 1 }).node('b', server());
  const client = sim.client(testProtocol, { name: 'c' });
  await sim.settle(client.send('b', 'echo', 'x'));
  sim.hold('b', 'c');
  void client.send('b', 'echo', 'x').catch(() => {});
  await sim.run(10);
  t.deepEqual(
    (await sim.close()).map(({ owner, kind, count }) => [owner, kind, count]),
    [['c', 'call', 1]],
  );
});

test('a stop function that hangs or throws does not prevent close(), which reports the node', async (t) => {
  for (const stop of [
    () => new Promise(() => {}),
    () => {
      throw new Error('no');
    },
  ]) {
    const sim = createSimulation({ seed: 1 }).node('b', server());
    sim.node('hanging', async (context) => {
      await startTransport(context);
      return stop;
    });
    await sim.run(10);
    const said = await sim.close().then(
      (leaks) => leaks.map(({ what }) => what).join(),
      (error: Error) => error.message,
    );
    t.regex(said, /hanging/);
    t.deepEqual([sim.isUp('b'), sim.isUp('hanging')], [false, false]);
  }
});

test('an uncaught error of a node fails the run with the name of the node', async (t) => {
  await using sim = createSimulation({ seed: 1 }).node(
    'a',
    ({ clock }) =>
      void clock.setTimeout(() => {
        throw new RangeError('oops');
      }, 5),
  );
  const error = await failure(sim.run(10));
  t.regex(error.message, /^no uncaught error: a threw RangeError: oops \(seed 1, at 5 ms\)/);
});

test('the pause of a node ends with its crash: after a restart the network is calm', async (t) => {
  await using sim = createSimulation({ seed: 1 }).node('a', () => {});
  await sim.run(1);
  sim.pause('a', 10_000);
  t.is(sim.calmSince, undefined);
  sim.crash('a');
  sim.pause('a', 20_000);
  sim.restart('a');
  t.is(sim.calmSince, 1);
  sim.pause('a', 10);
  await sim.run(20);
  t.is(sim.calmSince, 11);
});
