// Tests of reachability: partitions, cuts, holds, resets, refusals, and their effect on messages in
// flight.

import { createSimulation, type Simulation } from './index.ts';
import test from './testing/serial.ts';
import {
  ask,
  outcome,
  server,
  startTransport,
  type TestTransport,
  type TestTransportOptions,
  testProtocol,
} from './testing/test-protocol.ts';

const NAMES = ['n1', 'n2', 'n3', 'n4', 'n5'];

interface Cluster {
  readonly sim: Simulation;
  readonly nodes: Record<string, TestTransport>;
  readonly heard: Record<string, string[]>;
  /** Resolves to the pairs of nodes that reach each other now, as 'n1>n2'. */
  reach(): Promise<string[]>;
}

async function cluster(
  options: Partial<Parameters<typeof createSimulation>[0]> = {},
  testProtocol: TestTransportOptions = {},
): Promise<Cluster> {
  const sim = createSimulation({ seed: 1, ...options });
  const nodes: Record<string, TestTransport> = {};
  const heard: Record<string, string[]> = {};
  for (const name of NAMES) {
    heard[name] = [];
    sim.node(name, async (context) => {
      const node = (nodes[name] = await startTransport(context, (hint) => heard[name]!.push(hint), {
        dialTimeout: 500,
        ...testProtocol,
      }));
      return () => node.close();
    });
  }
  await sim.run(10);
  // After a cut, a stream waits for the next retransmission of TCP.
  const timeout = options.level === 'stream' ? 3_000 : 300;
  const reach = async () => {
    const pairs = NAMES.flatMap((from) =>
      NAMES.filter((to) => to !== from).map((to) => [from, to] as const),
    );
    const results = await sim.settle(
      Promise.all(
        pairs.map(([from, to]) => outcome(nodes[from]!.send(to, 'echo', 'ok', { timeout }))),
      ),
    );
    return pairs.filter((_, i) => results[i] === 'ok').map(([from, to]) => `${from}>${to}`);
  };
  return { sim, nodes, heard, reach };
}

const within = (...groups: string[][]) =>
  NAMES.flatMap((from) =>
    NAMES.filter(
      (to) => to !== from && groups.some((group) => group.includes(from) && group.includes(to)),
    ).map((to) => `${from}>${to}`),
  );

for (const level of ['message', 'stream'] as const) {
  test(`partitions have groups, isolated nodes outside them and bridges in several; the last one counts, and heal ends it (${level})`, async (t) => {
    const { sim, reach } = await cluster({ level });
    t.deepEqual(await reach(), within(NAMES));
    for (const groups of [
      [
        ['n1', 'n2'],
        ['n3', 'n4', 'n5'],
      ],
      [['n1', 'n2', 'n3', 'n4']],
      [
        ['n1', 'n2', 'n3'],
        ['n3', 'n4', 'n5'],
      ],
      [[]],
    ]) {
      sim.partition(...groups);
      t.deepEqual(await reach(), within(...groups), JSON.stringify(groups));
    }
    sim.heal();
    await sim.run(20_000);
    t.deepEqual(await reach(), within(NAMES));
    await sim.close();
  });

  test(`a one-way cut loses requests in one direction and answers in the other (${level})`, async (t) => {
    const { sim, nodes, heard } = await cluster({ level });
    await sim.settle(nodes['n1']!.send('n2', 'echo', 'x'));
    const [back] = nodes['n2']!.remotes();
    sim.cut('n1', 'n2', { direction: 'one-way' });
    t.is(await ask(sim, nodes['n1']!, 'n2', 'x', { timeout: 100 }), 'deadline_exceeded');
    await sim.settle(nodes['n2']!.send(back!, 'hint', 'passes'));
    await sim.run(100);
    t.deepEqual(heard['n1'], ['passes']);
    t.is(await ask(sim, nodes['n2']!, back!, 'x', { timeout: 100 }), 'deadline_exceeded');
    t.is(await ask(sim, nodes['n2']!, 'n1', 'x', { timeout: 100 }), 'deadline_exceeded');
    sim.heal();
    t.is(await sim.settle(nodes['n2']!.send('n1', 'echo', 'x')), 'x');
    await sim.close();
  });

  test(`faults affect messages in transit (${level})`, async (t) => {
    const { sim, nodes, heard } = await cluster({ level, link: { latency: 100, fragment: 0 } });
    await sim.settle(nodes['n1']!.dial('n2'));
    await sim.run(1_000);
    void nodes['n1']!.send('n2', 'hint', 'on its way');
    await sim.run(50);
    sim.cut('n1', 'n2');
    await sim.run(1_000);
    t.deepEqual(heard['n2'], []);
    sim.heal();
    await sim.run(1_000);
    // Messages are lost; streams only delay data, because they have no gaps.
    t.deepEqual(heard['n2'], level === 'message' ? [] : ['on its way']);
    await sim.close();
  });

  test(`hold keeps messages in transit and new ones, and release delivers all of them in order (${level})`, async (t) => {
    const { sim, nodes, heard } = await cluster({ level, link: { latency: [5, 20] } });
    await sim.settle(nodes['n1']!.dial('n2'));
    await sim.run(100);
    const sent = Array.from({ length: 30 }, (_, i) => `${i}`);
    for (const hint of sent) {
      if (hint === '10') sim.hold('n1', 'n2', { direction: 'one-way' });
      void nodes['n1']!.send('n2', 'hint', hint);
      await sim.run(1);
    }
    await sim.run(3_000);
    t.true(heard['n2']!.length < 10);
    t.is(await sim.settle(nodes['n1']!.send('n3', 'echo', 'x')), 'x');
    sim.release('n1', 'n2', { direction: 'one-way' });
    void nodes['n1']!.send('n2', 'hint', 'after');
    await sim.run(100);
    t.deepEqual(heard['n2'], [...sent, 'after']);
    await sim.close();
  });

  test(`a held message arrives even if its sender left in order (${level})`, async (t) => {
    const { sim, nodes, heard } = await cluster({ level });
    // Both ends complete the hello first; otherwise the other end gives up the connection after 5
    // s.
    await sim.settle(nodes['n1']!.send('n2', 'echo', 'x'));
    sim.hold('n1', 'n2');
    await sim.settle(nodes['n1']!.send('n2', 'hint', 'held'));
    void nodes['n1']!.close();
    await sim.run(5_000);
    sim.release('n1', 'n2');
    await sim.run(1_000);
    t.deepEqual(heard['n2'], ['held']);
    await sim.close();
  });

  test(`reset breaks every connection between two nodes at once, and no other; the next call dials anew (${level})`, async (t) => {
    const { sim, nodes } = await cluster({ level, link: { latency: 20 } });
    for (const to of ['n2', 'n3']) await sim.settle(nodes['n1']!.send(to, 'echo', 'x'));
    await sim.settle(nodes['n2']!.send('n1', 'echo', 'x'));
    const call = outcome(nodes['n1']!.send('n2', 'echo', 'x'));
    const other = outcome(nodes['n1']!.send('n3', 'echo', 'y'));
    await sim.run(5);
    sim.reset('n2', 'n1');
    t.is(await sim.settle(call), 'unavailable/reset');
    t.is(await sim.settle(other), 'y');
    t.is(nodes['n2']!.remotes().length, 0);
    t.is(await sim.settle(nodes['n1']!.send('n2', 'echo', 'z')), 'z');
    await sim.close();
  });

  test(`a half-closed connection serves nothing, so both ends drop it (${level})`, async (t) => {
    const { sim, nodes } = await cluster({ level });
    await sim.settle(nodes['n1']!.send('n2', 'echo', 'x'));
    sim.inject({ do: 'halfClose', from: 'n1', to: 'n2' });
    await sim.run(50);
    t.deepEqual([nodes['n1']!.remotes().length, nodes['n2']!.remotes().length], [0, 0]);
    t.is(await sim.settle(nodes['n1']!.send('n2', 'echo', 'z')), 'z');
    await sim.close();
  });
}

test('refuse rejects dials at once until heal, and existing connections continue', async (t) => {
  const { sim, nodes } = await cluster();
  await sim.settle(nodes['n1']!.send('n2', 'echo', 'x'));
  sim.refuse('n2');
  const started = sim.now;
  t.is(await ask(sim, nodes['n3']!, 'n2', 'x'), 'unavailable/connection_refused');
  t.is(sim.now - started, 2);
  t.is(await ask(sim, nodes['n1']!, 'n2', 'x'), 'x');
  sim.heal();
  await sim.run(20_000);
  t.is(await ask(sim, nodes['n3']!, 'n2', 'x'), 'x');
  await sim.close();
});

test('a dial into a cut hangs until dialTimeout; one whose first try is lost succeeds a second later', async (t) => {
  const { sim, nodes } = await cluster({}, { dialTimeout: 2_500 });
  sim.cut('n1', 'n2');
  let started = sim.now;
  t.is(await ask(sim, nodes['n1']!, 'n2', 'x'), 'unavailable/dial_timeout');
  t.is(sim.now - started, 2_500);
  started = sim.now;
  const dial = outcome(nodes['n1']!.dial('n3').then(() => 'up'));
  sim.cut('n1', 'n3');
  await sim.run(500);
  sim.heal();
  t.is(await sim.settle(dial), 'up');
  t.true(sim.now - started > 1_000 && sim.now - started < 1_020, `${sim.now - started}`);
  await sim.close();
});

test('a client is outside of partitions, and can be cut off by name', async (t) => {
  await using sim = createSimulation({ seed: 1 }).node('n1', server()).node('n2', server());
  const client = sim.client(testProtocol, { name: 'c' });
  sim.partition(['n1'], ['n2']);
  t.is(await ask(sim, client, 'n1', 'x'), 'x');
  t.is(await ask(sim, client, 'n2', 'x'), 'x');
  sim.cut('c', 'n1');
  t.is(await ask(sim, client, 'n1', 'x', { timeout: 100 }), 'deadline_exceeded');
});

test('after a cut a stream continues with the next retransmission, after a hold at once; messages are not sent again', async (t) => {
  const after = async (level: 'message' | 'stream', fault: 'cut' | 'hold') => {
    const sim = createSimulation({ seed: 1, level, link: { latency: 1, fragment: 0 } });
    sim.node('n1', async (context) => {
      const node = await startTransport(context, () => {});
      return () => node.close();
    });
    const client = sim.client(testProtocol);
    await sim.settle(client.send('n1', 'echo', 'up'));
    const begin = sim.now;
    sim[fault]('client-1', 'n1');
    const call = outcome(client.send('n1', 'echo', 'late', { timeout: 10_000 }));
    await sim.run(5_000);
    sim.heal();
    const answer = await sim.settle(call);
    const took = sim.now - begin;
    await sim.close();
    return [answer, took];
  };
  t.deepEqual(await after('stream', 'hold'), ['late', 5_002]);
  // The timeouts start at 222 ms (200, the round trip, and a delayed acknowledgment of 20) and
  // double each time, so the fifth retransmission is the first one after 5 s.
  t.deepEqual(await after('stream', 'cut'), ['late', 1 + 31 * 222 + 1]);
  t.deepEqual(await after('message', 'cut'), ['deadline_exceeded', 10_000]);
});
