// Tests that the network compensates for losses at message level: a lost message never leaks
// credit, an id or a place in the table of calls, and answers are never mixed up.

import { type ConnectionEvent, serve } from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';
import type { ExecutionContext } from 'ava';
import { createSimulation, type LinkOptions, type Simulation } from './index.ts';
import { seeds } from './testing/seeds.ts';
import test from './testing/serial.ts';
import {
  ask,
  drain,
  items,
  outcome,
  server,
  startTransport,
  type TestTransport,
  type TestTransportOptions,
  testProtocol,
} from './testing/test-protocol.ts';

const KIB = 1024;
const LONG = 'x'.repeat(200 * KIB);
/** Small limits, so that a leak exhausts them soon. */
const options: TestTransportOptions = {
  maxPool: 1,
  idleTimeout: Number.POSITIVE_INFINITY,
  limits: {
    calls: 512,
    streams: 64,
    credit: {
      pipe: 256 * KIB,
      inbox: 1024 * KIB,
      stream: 16 * KIB,
    },
  },
};
const BAD: LinkOptions = { latency: [1, 20], loss: 0.1, duplicate: 0.1, reorder: 0.1 };

type Down = Extract<ConnectionEvent, { type: 'down' }>;

interface CallTally {
  made: number;
  settled: number;
  wrong: string[];
  codes: Map<string, number>;
}

const shapes = [
  'short',
  'request',
  'response',
  'hint',
  'long hint',
  'collect',
  'feed',
  'mirror',
  'cancelled',
  'hurried',
] as const;
type Shape = (typeof shapes)[number];

for (const seed of seeds(20)) {
  test(`nothing leaks with loss, duplicates, reordering, cuts and interceptors: seed ${seed}`, async (t) => {
    const { sim, nodes, downs } = pair(seed);
    const tally: CallTally = { made: 0, settled: 0, wrong: [], codes: new Map() };
    await sim.run(1);
    await sim.settle(Promise.all([nodes.a!.dial('b'), nodes.b!.dial('a')]));
    sim.link('a', 'b', BAD);
    const random = seededRandom(seed);
    let judged = 0;
    const remove = sim.intercept(({ kind, method, payload }) => {
      if (kind === 'item') return ++judged % 200 === 0 ? 'drop' : 'pass';
      if (payload.length > 60_000 || !['echo', 'copy', 'hint'].includes(method)) return 'pass';
      const draw = random();
      return draw < 0.02 ? 'drop' : draw < 0.04 ? { delay: 50 } : 'pass';
    });
    for (let i = 0; i < 1_200; i++) {
      const to = i % 3 === 0 ? 'a' : 'b';
      const pick = random();
      const shape =
        pick < 0.4 ? 'short' : pick < 0.55 ? 'hint' : shapes[Math.floor(random() * shapes.length)]!;
      const from = to === 'a' ? nodes.b! : nodes.a!;
      void call(tally, { from, to, shape, tag: `${i}.` }, random);
      if (i % 10 === 0) await sim.run(10);
      if (i % 300 === 150) sim.cut('a', 'b', { direction: i % 2 === 0 ? 'both' : 'one-way' });
      if (i % 300 === 170) {
        sim.heal();
        sim.link('a', 'b', BAD);
      }
    }
    sim.heal();
    remove();
    await sim.run(40_000);
    t.is(tally.settled, tally.made);
    t.deepEqual(
      downs.map(({ cause }) => cause?.message),
      [],
    );
    for (const node of [nodes.a!, nodes.b!]) quiet(t, node);
    await works(t, sim, nodes.a!, 'b');
    await works(t, sim, nodes.b!, 'a');
    t.true((tally.codes.get('deadline_exceeded') ?? 0) > 20);
    t.deepEqual(tally.wrong, []);
    await sim.close();
  });
}

async function call(
  tally: CallTally,
  { from, to, shape, tag }: { from: TestTransport; to: string; shape: Shape; tag: string },
  random: () => number,
): Promise<void> {
  tally.made++;
  const [made, right] = callOf(from, to, shape, tag, random);
  const got = await outcome(made);
  tally.settled++;
  const code = /^(?:.*,)?([a-z_]+)$/.exec(got)?.[1];
  if (code !== undefined) tally.codes.set(code, (tally.codes.get(code) ?? 0) + 1);
  if (got !== right && (code === undefined || !right.startsWith(got.slice(0, -code.length))))
    tally.wrong.push(`${shape} ${tag}: ${got.slice(0, 200)}`);
}

/**
 * Makes a call, and returns its outcome and the correct result. Errors are also acceptable; on a
 * stream, an error may follow a part of the correct result.
 */
function callOf(
  from: TestTransport,
  to: string,
  shape: Shape,
  tag: string,
  random: () => number,
): [outcome: Promise<string>, right: string] {
  const all = [...Array(20).keys()].map((n) => `${tag}${n}`).join(',');
  const long = tag + LONG;
  const start = (text: string) => text.slice(0, 20);
  const nothing = () => '';
  const options = { timeout: 2_000 };
  const uploading = { ...options, upload: items(tag, 20) };
  switch (shape) {
    case 'short':
      return [from.send(to, 'echo', tag, options), tag];
    case 'request':
      return [from.send(to, 'copy', bytesOf(long), options).then(textOf).then(start), start(long)];
    case 'response':
      return [from.send(to, 'echo', long, options).then(start), start(long)];
    case 'hint':
      return [from.send(to, 'hint', tag, options).then(nothing), ''];
    case 'long hint':
      return [from.send(to, 'hint', long, options).then(nothing), ''];
    case 'collect':
      return [from.send(to, 'collect', tag, uploading), `${tag}:${all}`];
    case 'feed':
      return [drain(from.send(to, 'feed', `${tag}*20`, options)), all];
    case 'mirror':
      return [drain(from.send(to, 'mirror', '', uploading)), all];
    case 'cancelled': {
      const controller = new AbortController();
      void from.clock.sleep(random() * 40).then(() => controller.abort());
      const request = tag + LONG.slice(0, random() < 0.5 ? 10 : 90_000);
      const { signal } = controller;
      return [from.send(to, 'echo', request, { ...options, signal }).then(nothing), ''];
    }
    case 'hurried': {
      const timeout = 1 + random() * 40;
      return [from.send(to, 'copy', bytesOf(tag), { timeout }).then(textOf), tag];
    }
  }
}

/** Asserts that no call is open and nothing waits to be sent. */
function quiet(t: ExecutionContext, node: TestTransport): void {
  const { connections, memory, waiting } = node.snapshot();
  t.deepEqual(
    { memory, waiting, connections: connections.length },
    { memory: 0, waiting: 0, connections: 2 },
  );
  for (const { calls, streams, outbound, inbound } of connections) {
    t.deepEqual(
      [calls, streams, outbound, inbound],
      [{ out: 0, in: 0 }, 0, { messages: 0, bytes: 0 }, { calls: 0, bytes: 0 }],
    );
  }
}

/**
 * Asserts that every kind of call works, with three times as much data and as many calls as the
 * limits allow at once.
 */
async function works(
  t: ExecutionContext,
  sim: Simulation,
  from: TestTransport,
  to: string,
): Promise<void> {
  const many = <T>(count: number, make: (i: number) => Promise<T>) =>
    sim.settle(Promise.all(Array.from({ length: count }, (_, i) => make(i))), 60_000);
  const timeout = 20_000;
  const echoes = await many(3 * 512, (i) => from.send(to, 'echo', `e${i}`, { timeout }));
  t.deepEqual(
    echoes,
    echoes.map((_, i) => `e${i}`),
  );
  await many(3 * 8, () => from.send(to, 'hint', LONG.slice(0, 64 * KIB), { timeout }));
  await many(15, () => from.send(to, 'hint', LONG, { timeout }));
  const long = await many(15, (i) => from.send(to, 'echo', i + LONG, { timeout }));
  t.true(long.every((answer, i) => answer === i + LONG));
  t.deepEqual(
    await many(80, (i) => from.send(to, 'collect', `${i}`, { timeout, upload: items('', 2) })),
    Array.from({ length: 80 }, (_, i) => `${i}:0,1`),
  );
  t.deepEqual(
    await many(80, (i) => drain(from.send(to, 'feed', `${i}.*2`, { timeout }))),
    Array.from({ length: 80 }, (_, i) => `${i}.0,${i}.1`),
  );
  t.deepEqual(
    await many(80, (i) =>
      drain(from.send(to, 'mirror', `${i}.`, { timeout, upload: items('', 2) })),
    ),
    Array.from({ length: 80 }, (_, i) => `${i}.0,${i}.1`),
  );
}

/** Creates two nodes that call each other. `downs` collects the connections that were lost. */
function pair(seed: number): {
  sim: Simulation;
  nodes: Record<string, TestTransport>;
  downs: Down[];
} {
  const sim = createSimulation({ seed });
  const nodes: Record<string, TestTransport> = {};
  const downs: Down[] = [];
  for (const name of ['a', 'b']) {
    sim.node(name, async (context) => {
      const node = (nodes[name] = await startTransport(context, () => {}, {
        ...options,
        resolve: undefined,
      }));
      void (async () => {
        for await (const event of node.connections())
          if (event.type === 'down' && event.cause?.reason !== 'closed') downs.push(event);
      })();
      return () => node.close();
    });
  }
  return { sim, nodes, downs };
}

const bytesOf = (value: string) => new TextEncoder().encode(value);
const textOf = (value: Uint8Array) => new TextDecoder().decode(value);

test('copies of one-way messages that nobody reads never take credit that the reader does not have', async (t) => {
  await using sim = createSimulation({ seed: 1, link: { duplicate: 1, latency: [1, 5] } });
  const downs: unknown[] = [];
  sim.node('b', async ({ transport }) => {
    const node = transport(testProtocol, { limits: { credit: { inbox: 16 * KIB } } });
    await node.listen();
    void (async () => {
      for await (const event of node.connections())
        if (event.type === 'down') downs.push(event.cause?.message);
    })();
  });
  const client = sim.client(testProtocol, { maxPool: 1 });
  await sim.settle(client.dial('b'));
  await sim.run(100);
  for (let i = 0; i < 20; i++)
    void client.send('b', 'hint', i % 4 === 3 ? LONG.slice(0, 60 * KIB) : `${i}`).catch(() => {});
  await sim.run(1_000);
  t.deepEqual(downs, []);
});

test('copies of requests take no place that belongs to the caller under limits.calls', async (t) => {
  await using sim = createSimulation({ seed: 1, link: { duplicate: 1, latency: [1, 5] } });
  sim.node('b', async ({ transport, clock }) => {
    const node = transport(testProtocol, { limits: { calls: 4 } });
    await node.listen();
    serve(node, {
      async echo(request) {
        await clock.sleep(10);
        return request;
      },
    });
  });
  const client = sim.client(testProtocol, { maxPool: 1 });
  await sim.settle(client.dial('b'));
  const answers = await sim.settle(
    Promise.all(Array.from({ length: 100 }, (_, i) => outcome(client.send('b', 'echo', `${i}`)))),
  );
  t.deepEqual(
    answers,
    answers.map((_, i) => `${i}`),
  );
});

test('a lost message keeps its call waiting until its deadline and no longer', async (t) => {
  await using sim = createSimulation({ seed: 1 });
  sim.node('b', server());
  const client = sim.client(testProtocol, { limits: { calls: 1 } });
  await sim.settle(client.dial('b'));
  for (const direction of ['request', 'response'] as const) {
    const remove = sim.intercept(({ kind }) => (kind === direction ? 'drop' : 'pass'));
    const started = sim.now;
    t.is(await ask(sim, client, 'b', 'lost', { timeout: 300 }), 'deadline_exceeded');
    t.is(sim.now - started, 300);
    remove();
    t.is(await sim.settle(client.send('b', 'echo', 'next')), 'next');
  }
});

test('canceled long one-way messages leave nothing at their reader, which takes further ones', async (t) => {
  const sim = createSimulation({ seed: 1 });
  const heard: number[] = [];
  sim.node(
    'b',
    server((hint) => heard.push(hint.length), options),
  );
  const client = sim.client(testProtocol, { ...options, name: 'c' });
  await sim.settle(client.dial('b'));
  const long = 'x'.repeat(900 * KIB);
  for (let i = 0; i < 30; i++) {
    const aborts = new AbortController();
    const sent = outcome(client.send('b', 'hint', long, { signal: aborts.signal }) as never);
    await sim.run(1.5);
    aborts.abort();
    t.is(await sim.settle(sent), 'cancelled');
    await sim.run(50);
  }
  await sim.settle(client.send('b', 'hint', long, { timeout: 1_000 }));
  await sim.run(1_000);
  t.deepEqual(heard, [long.length]);
  await sim.close();
});
