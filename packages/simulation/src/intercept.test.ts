// Tests of interceptors, which see each message as it arrives and decide what happens to it.

import { createSimulation, type InterceptedMessage, type Simulation } from './index.ts';
import test from './testing/serial.ts';
import {
  ask,
  drain,
  items,
  outcome,
  server,
  serving,
  type TestTransport,
  testProtocol,
} from './testing/test-protocol.ts';

const KIB = 1024;
const LONG = 'x'.repeat(200 * KIB);

function setUp(
  seed = 1,
  level: 'message' | 'stream' = 'message',
): { sim: Simulation; client: TestTransport; heard: string[] } {
  const heard: string[] = [];
  const sim = createSimulation({ seed, level });
  sim.node(
    'b',
    server((hint) => heard.push(hint)),
  );
  return { sim, client: sim.client(testProtocol, { name: 'c', maxPool: 1 }), heard };
}

test('an interceptor gets the ends, the kind and the time, decoded by the codec of the method', async (t) => {
  const { sim, client } = setUp();
  await sim.settle(client.dial('b'));
  const seen: InterceptedMessage[] = [];
  sim.intercept((message) => void seen.push(message));
  const at = sim.now;
  await sim.settle(client.send('b', 'echo', 'hi'));
  await sim.settle(client.send('b', 'hint', 'psst'));
  await sim.settle(drain(client.send('b', 'feed', 'f*1')));
  await sim.run(10);
  const shown = seen.map(({ from, to, kind, protocol, method, value }) => [
    from,
    to,
    kind,
    protocol,
    method,
    value,
  ]);
  t.deepEqual(shown, [
    ['c', 'b', 'request', 'lab', 'echo', 'hi'],
    ['b', 'c', 'response', 'lab', 'echo', 'hi'],
    ['c', 'b', 'oneway', 'lab', 'hint', 'psst'],
    ['c', 'b', 'request', 'lab', 'feed', 'f*1'],
    ['b', 'c', 'item', 'lab', 'feed', 'f0'],
  ]);
  t.is(seen[0]!.at, at + 1);
  t.is(new TextDecoder().decode(seen[0]!.payload), 'hi');
  await sim.close();
});

test('an interceptor gets an error as an error of its method', async (t) => {
  const { sim, client } = setUp();
  sim.node(
    'n',
    serving(testProtocol, {
      echo: () => {
        throw new Error('no');
      },
    }),
  );
  const kinds: string[] = [];
  sim.intercept(({ kind, method }) => void kinds.push(`${kind} ${method}`));
  t.is(await ask(sim, client, 'n', ''), 'internal');
  t.deepEqual(kinds, ['request echo', 'error echo']);
  await sim.close();
});

test('a dropped request, response or one-way message is lost; a removed interceptor gets nothing more', async (t) => {
  const { sim, client, heard } = setUp();
  for (const dropped of ['request', 'response'] as const) {
    const remove = sim.intercept(({ kind }) => (kind === dropped ? 'drop' : 'pass'));
    t.is(await ask(sim, client, 'b', 'x', { timeout: 100 }), 'deadline_exceeded');
    remove();
  }
  const remove = sim.intercept(({ value }) => (value === 'second' ? 'drop' : undefined));
  for (const hint of ['first', 'second', 'third']) await sim.settle(client.send('b', 'hint', hint));
  await sim.run(10);
  remove();
  await sim.settle(client.send('b', 'hint', 'second'));
  await sim.run(10);
  t.deepEqual(heard, ['first', 'third', 'second']);
  await sim.close();
});

test('a dropped item ends its call, because nothing may follow the gap', async (t) => {
  const { sim, client } = setUp();
  const remove = sim.intercept(({ kind, value }) =>
    kind === 'item' && value === 'f2' ? 'drop' : 'pass',
  );
  t.is(
    await sim.settle(drain(client.send('b', 'feed', 'f*5', { timeout: 100 }))),
    'f0,f1,deadline_exceeded',
  );
  remove();
  const other = sim.intercept(({ kind, value }) =>
    kind === 'item' && value === 'u2' ? 'drop' : 'pass',
  );
  t.is(
    await sim.settle(
      outcome(client.send('b', 'collect', '', { timeout: 100, upload: items('u', 5) })),
    ),
    'deadline_exceeded',
  );
  other();
  t.is(await sim.settle(client.send('b', 'collect', 'c', { upload: items('u', 3) })), 'c:u0,u1,u2');
  t.is(client.snapshot().connections[0]!.calls.out, 0);
  await sim.close();
});

test('a delayed message arrives late by the delay, and others overtake it', async (t) => {
  const { sim, client, heard } = setUp();
  await sim.settle(client.dial('b'));
  sim.intercept(({ value }) => (value === 'slow' ? { delay: 500 } : 'pass'));
  const at = sim.now;
  await sim.settle(client.send('b', 'hint', 'slow'));
  await sim.settle(client.send('b', 'hint', 'fast'));
  await sim.run(100);
  t.deepEqual(heard, ['fast']);
  await sim.until(() => heard.length === 2);
  t.is(sim.now - at, 501);
  t.deepEqual(heard, ['fast', 'slow']);
  await sim.close();
});

for (const kind of ['request', 'response'] as const) {
  test(`a delayed ${kind} of several packets arrives late and whole, or is refused by name; no connection is closed for it`, async (t) => {
    const { sim, client } = setUp();
    const remote = await sim.settle(client.dial('b'));
    sim.intercept((message) => (message.kind === kind ? { delay: 50 } : 'pass'));
    const answer = outcome(client.send('b', 'echo', LONG, { timeout: 5_000 }));
    await t.notThrowsAsync(async () =>
      t.is((await sim.settle(answer)).slice(0, 30), LONG.slice(0, 30)),
    );
    t.false(remote.closed);
    await sim.close().catch(() => {});
  });
}

test('a delayed request of an upload is not overtaken by its items', async (t) => {
  const { sim, client } = setUp();
  sim.intercept(({ kind }) => (kind === 'request' ? { delay: 50 } : 'pass'));
  t.is(
    await sim.settle(
      outcome(client.send('b', 'collect', 'c', { timeout: 5_000, upload: items('u', 3) })),
    ),
    'c:u0,u1,u2',
  );
  await sim.close();
});

for (const delay of [0, 1, 2])
  test(`an item delayed by ${delay} ms is not overtaken by items that arrive when its delay ends`, async (t) => {
    const { sim, client } = setUp();
    await sim.settle(client.dial('b'));
    const upload = async function* () {
      for (let i = 0; i < 4; i++) {
        yield `u${i}`;
        await new Promise<void>((resolve) => sim.at(sim.now + 1, resolve));
      }
    };
    sim.intercept(({ value }) => (value === 'u0' ? { delay } : 'pass'));
    const answer = outcome(client.send('b', 'collect', 'c', { timeout: 5_000, upload: upload() }));
    t.is(await sim.settle(answer), 'c:u0,u1,u2,u3');
    await sim.close();
  });

test('a mutated message arrives as the other value: a Byzantine node may answer anything', async (t) => {
  const { sim, client, heard } = setUp();
  sim.intercept(({ from, kind, value }) =>
    from === 'b' && kind === 'response' ? { mutate: `${value}, or not` } : 'pass',
  );
  sim.intercept(({ kind }) => (kind === 'oneway' ? { mutate: 'lies' } : 'pass'));
  sim.intercept(({ kind, value }) =>
    kind === 'item' ? { mutate: String(value).toUpperCase() } : 'pass',
  );
  t.is(await sim.settle(client.send('b', 'echo', 'yes')), 'yes, or not');
  await sim.settle(client.send('b', 'hint', 'truth'));
  t.is(await sim.settle(drain(client.send('b', 'feed', 'f*2'))), 'F0,F1');
  t.deepEqual(heard, ['lies']);
  await sim.close();
});

test('an answer that is dropped after its call was canceled does not leak a place among the calls', async (t) => {
  for (const method of ['echo', 'feed'] as const) {
    const { sim, client } = setUp();
    await sim.settle(client.dial('b'));
    sim.intercept(({ from }) => (from === 'b' ? 'drop' : 'pass'));
    // The cancellation arrives while the callee's answer is in flight, or is answered with an
    // error.
    sim.hold('c', 'b', { direction: 'one-way' });
    const call =
      method === 'echo'
        ? outcome(client.send('b', 'echo', '', { timeout: 50 }))
        : drain(client.send('b', 'feed', 'f*5', { timeout: 50 }));
    await sim.settle(call);
    sim.release('c', 'b', { direction: 'one-way' });
    await sim.run(20_000);
    t.deepEqual(
      client.snapshot().connections.map(({ calls, streams }) => [calls.out, streams]),
      [[0, 0]],
      method,
    );
    await sim.close();
  }
});

for (const verdict of [
  'maybe',
  7,
  {},
  null,
  { delay: -5 },
  { delay: Number.NaN },
  { delay: 'soon' },
]) {
  test(`an invalid verdict fails the run by name: ${JSON.stringify(verdict)} ${String(Object.values(verdict ?? {})[0])}`, async (t) => {
    const { sim, client } = setUp();
    const remove = sim.intercept(() => verdict as never);
    const error = await ask(sim, client, 'b', 'x').then(
      () => new Error(`${String(verdict)} was taken`),
      (error: Error) => error,
    );
    remove();
    t.regex(error.message, /intercept: /);
    await sim.close();
  });
}

test('an interceptor that throws fails the run', async (t) => {
  const { sim, client } = setUp();
  sim.intercept(() => {
    throw new Error('my own bug');
  });
  await t.throwsAsync(sim.settle(client.send('b', 'echo', 'x')), {
    name: 'SimulationError',
    message: /my own bug/,
  });
  await sim.close();
});

test('an interceptor sees chunks of a stream as bytes: dropping ends the connection, mutating changes bytes, delaying is refused', async (t) => {
  const { sim, client } = setUp(1, 'stream');
  const remote = await sim.settle(client.dial('b'));
  const kinds = new Set<string>();
  const remove = sim.intercept(({ kind }) => void kinds.add(kind));
  t.is(await sim.settle(client.send('b', 'echo', 'x')), 'x');
  t.deepEqual([...kinds], ['bytes']);
  remove();
  const drop = sim.intercept(() => 'drop');
  t.is(await ask(sim, client, 'b', 'x'), 'unavailable/reset');
  t.true(remote.closed);
  drop();
  t.is(await sim.settle(client.send('b', 'echo', 'x')), 'x');
  const swap = sim.intercept(({ payload }) => ({
    mutate: payload.map((byte) => (byte === 0x78 ? 0x79 : byte)),
  }));
  t.is(await sim.settle(client.send('b', 'echo', 'x')), 'y');
  swap();
  const delay = sim.intercept(() => ({ delay: 5 }));
  await t.throwsAsync(sim.settle(client.send('b', 'echo', 'x')), {
    name: 'SimulationError',
    message: /chunk.*latency/,
  });
  delay();
  await sim.close();
});

test('close() does not call interceptors', async (t) => {
  const { sim, client } = setUp(1, 'stream');
  await sim.settle(client.dial('b'));
  sim.intercept(() => {
    throw new Error('asked');
  });
  await t.notThrowsAsync(sim.close());
});
