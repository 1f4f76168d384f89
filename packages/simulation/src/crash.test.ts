// Tests of crashes: no cleanup runs, no event of the ended incarnation happens afterwards, and
// peers see the right errors.

import { createSimulation, type NodeContext } from './index.ts';
import test from './testing/serial.ts';
import {
  ask,
  outcome,
  server,
  startTransport,
  type TestTransport,
  testProtocol,
} from './testing/test-protocol.ts';

for (const level of ['message', 'stream'] as const) {
  test(`after a crash others see a reset at once, and a refusal until the node restarts (${level})`, async (t) => {
    await using sim = createSimulation({ seed: 1, level, link: { latency: 10 } }).node(
      'b',
      server(),
    );
    const client = sim.client(testProtocol);
    await sim.settle(client.send('b', 'echo', 'x'));
    const call = outcome(client.send('b', 'echo', 'x'));
    await sim.run(3);
    sim.crash('b');
    const crashed = sim.now;
    t.is(await sim.settle(call), 'unavailable/reset');
    t.is(sim.now - crashed, 10);
    t.is(await ask(sim, client, 'b', 'x'), 'unavailable/connection_refused');
    sim.restart('b');
    await sim.run(20_000);
    t.is(await ask(sim, client, 'b', 'x'), 'x');
  });

  test(`after a power loss there is silence until ping_timeout, or until the node is back and answers with a reset (${level})`, async (t) => {
    for (const back of [false, true]) {
      await using sim = createSimulation({ seed: 1, level }).node('b', server());
      const client = sim.client(testProtocol, { keepAlive: { interval: 2_000, timeout: 1_000 } });
      await sim.settle(client.send('b', 'echo', 'x'));
      sim.crash('b', { power: 'lost' });
      const crashed = sim.now;
      const call = outcome(client.send('b', 'echo', 'x', { timeout: 10_000 }));
      await sim.run(500);
      if (back) sim.restart('b');
      t.is(await sim.settle(call), back ? 'unavailable/reset' : 'unavailable/ping_timeout');
      t.true(sim.now - crashed > 1_900 && sim.now - crashed <= 3_001, `${sim.now - crashed}`);
      t.is(
        await ask(sim, client, 'b', 'x', { timeout: 10_000 }),
        back ? 'x' : 'unavailable/dial_timeout',
      );
    }
  });

  test(`messages that are in transit from a node that crashed still arrive (${level})`, async (t) => {
    for (let seed = 1; seed <= 20; seed++) {
      await using sim = createSimulation({ seed, level, link: { latency: [1, 30] } });
      const heard: string[] = [];
      sim.node(
        'b',
        server((hint) => heard.push(hint)),
      );
      let node: TestTransport | undefined;
      sim.node('a', async (context) => void (node = await startTransport(context)));
      await sim.run(100);
      await sim.settle(node!.dial('b'));
      await sim.run(200);
      for (const hint of ['1', '2', '3']) void node!.send('b', 'hint', hint);
      await sim.run(0.5);
      sim.crash('a');
      await sim.run(1_000);
      t.deepEqual(heard, ['1', '2', '3'], `seed ${seed}`);
    }
  });
}

test('the code of a crashed node continues without effect: sends, timers, store, log, new transports', async (t) => {
  await using sim = createSimulation({ seed: 1 });
  const heard: string[] = [];
  sim.node(
    'b',
    server((hint) => heard.push(hint)),
  );
  let old: NodeContext | undefined;
  let node: TestTransport | undefined;
  const settled: string[] = [];
  const lives: Promise<Uint8Array | undefined>[] = [];
  sim.node('a', async (context) => {
    lives.push(context.store.get('key'));
    if (old !== undefined) return;
    old = context;
    node = await startTransport(context);
  });
  await sim.run(10);
  await sim.settle(node!.dial('b'));
  sim.crash('a');
  const lines = sim.trace.timeline.length;
  const tick = (what: string) =>
    [() => void settled.push(what), () => void settled.push(what)] as const;
  void node!.send('b', 'hint', 'zombie').then(...tick('hint'));
  void node!.send('b', 'echo', 'zombie').then(...tick('echo'));
  void old!.clock.sleep(5).then(...tick('sleep'));
  void old!.store.set('key', new Uint8Array(1)).then(...tick('set'));
  void old!.store.sync().then(...tick('sync'));
  old!.clock.setTimeout(tick('timer')[0], 1);
  old!.log('a zombie speaks');
  const late = old!.transport(testProtocol, { name: 'late' });
  void late.listen().then(...tick('listen'));
  void late.send('b', 'hint', 'zombie').then(...tick('late hint'));
  await sim.run(60_000);
  t.deepEqual(heard, []);
  t.false(sim.trace.timeline.slice(lines).some((line) => /zombie/.test(line)));
  sim.restart('a');
  await sim.run(10);
  t.is(await sim.settle(lives[1]!), undefined);
  t.is(await ask(sim, sim.client(testProtocol), 'a/late', 'x'), 'unavailable/connection_refused');
  t.deepEqual(settled, []);
});

test('a handler that runs while its node crashes answers nobody; the caller sees its deadline or a reset', async (t) => {
  await using sim = createSimulation({ seed: 1 });
  let answers = 0;
  sim.node('b', async ({ transport, clock }) => {
    const node = transport(testProtocol);
    await node.listen();
    for await (const rpc of node.consumer('echo')) {
      void clock.sleep(50).then(() => {
        answers++;
        rpc.respond('late');
      });
    }
  });
  const client = sim.client(testProtocol);
  const call = outcome(client.send('b', 'echo', 'x', { timeout: 1_000 }));
  await sim.run(20);
  sim.crash('b');
  t.is(await sim.settle(call), 'unavailable/reset');
  await sim.run(1_000);
  t.is(answers, 0);
});

test('a restarted node is reachable under its name, also by earlier callers, whatever arrives late from its first incarnation', async (t) => {
  for (const level of ['message', 'stream'] as const) {
    await using sim = createSimulation({ seed: 3, level, link: { latency: [1, 40] } });
    let incarnation = 0;
    sim.node('b', async ({ transport }) => {
      const mine = ++incarnation;
      const node = transport(testProtocol);
      await node.listen();
      for await (const rpc of node.consumer()) if (rpc.method === 'echo') rpc.respond(`${mine}`);
    });
    const client = sim.client(testProtocol);
    t.is(await sim.settle(client.send('b', 'echo', 'x')), '1');
    for (let i = 2; i < 12; i++) {
      const calls = Array.from({ length: 10 }, () =>
        outcome(client.send('b', 'echo', 'x', { timeout: 500 })),
      );
      await sim.run(5);
      sim.restart('b');
      for (const result of await sim.settle(Promise.all(calls)))
        t.regex(result, new RegExp(`^(${i - 1}|${i}|unavailable.*|deadline_exceeded)$`));
      await sim.run(20_000);
      t.is(await sim.settle(client.send('b', 'echo', 'x')), `${i}`);
    }
  }
});

test('code of an ended incarnation adds nothing to the next one: no transport, and no stop function', async (t) => {
  const sim = createSimulation({ seed: 1 });
  let goOn = () => {};
  const gate = new Promise<void>((resolve) => (goOn = resolve));
  const stopped: number[] = [];
  let boots = 0;
  sim.node('a', async (context) => {
    const boot = ++boots;
    if (boot === 1) {
      await gate;
      context.transport(testProtocol);
    } else await startTransport(context);
    return () => void stopped.push(boot);
  });
  await sim.run(5);
  sim.restart('a');
  await sim.run(5);
  goOn();
  await sim.run(5);
  const leaks = await sim.close();
  t.deepEqual(stopped, [2]);
  t.is(leaks.filter(({ kind }) => kind === 'transport').length, 1);
});
