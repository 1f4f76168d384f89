// While a simulation runs, real time, randomness and sockets throw errors that name
// them; before and after, they work as usual.

import dgram from 'node:dgram';
import net from 'node:net';
import { systemClock } from '@trunkline/transport-core';
import { createSimulation, SimulationError } from './index.ts';
import test from './testing/serial.ts';

const globals = globalThis as unknown as Record<string, any>;

const banned: [name: string, use: () => unknown][] = [
  ['setTimeout()', () => globals['setTimeout'](() => {}, 1)],
  ['setInterval()', () => globals['setInterval'](() => {}, 1)],
  ['setImmediate()', () => globals['setImmediate'](() => {})],
  ['AbortSignal.timeout()', () => globals['AbortSignal'].timeout(1)],
  ['performance.now()', () => globals['performance'].now()],
  ['systemClock.now()', () => systemClock.now()],
  ['systemClock.setTimeout()', () => systemClock.setTimeout(() => {}, 1)],
  ['systemClock.defer()', () => systemClock.defer(() => {})],
  ['systemClock.turn()', () => systemClock.turn?.(() => {})],
  ['Date.now()', () => globals['Date'].now()],
  ['new Date()', () => new globals['Date']()],
  ['new Date()', () => globals['Date']()],
  ['Math.random()', () => globals['Math'].random()],
  ['crypto.getRandomValues()', () => globals['crypto'].getRandomValues(new Uint8Array(1))],
  ['crypto.randomUUID()', () => globals['crypto'].randomUUID()],
  ['crypto.subtle.digest()', () => globals['crypto'].subtle.digest('SHA-256', new Uint8Array(1))],
  [
    'crypto.subtle.generateKey()',
    () => globals['crypto'].subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['sign']),
  ],
  ['fetch', () => globals['fetch']('http://127.0.0.1:1/')],
  ['net.Socket.connect()', () => net.connect(1, '127.0.0.1')],
  ['net.Socket.connect()', () => net.createConnection({ port: 1 })],
  ['net.Server.listen()', () => net.createServer().listen(0)],
  ['dgram.Socket.bind()', () => dgram.createSocket('udp4').unref().bind(0)],
  ['dgram.Socket.send()', () => dgram.createSocket('udp4').unref().send('x', 1, '127.0.0.1')],
];
// Global only in newer versions of Node.
if (globals['WebSocket'] !== undefined)
  banned.push(['WebSocket', () => new globals['WebSocket']('ws://127.0.0.1:1')]);

const state = () => ({
  Date: globals['Date'],
  setTimeout: globals['setTimeout'],
  random: globals['Math'].random,
  now: globals['Date'].now,
  connect: net.Socket.prototype.connect,
  listen: net.Server.prototype.listen,
});
const before = state();

for (const [name, use] of banned) {
  test(`${name} fails by name, even if the code of the node catches the error: ${use.toString().slice(6, 60)}`, async (t) => {
    for (const caught of [false, true]) {
      await using sim = createSimulation({ seed: 1 });
      let went = false;
      sim.node('a', async ({ clock }) => {
        await clock.sleep(5);
        if (!caught) return void use();
        try {
          use();
        } catch {
          went = true;
        }
      });
      const error = (await t.throwsAsync(sim.run(100), {
        instanceOf: SimulationError,
      })) as SimulationError;
      t.is(error.invariant, 'no real time, chance or sockets');
      t.true(error.message.includes(`${name} inside a simulation: `), error.message);
      t.is(error.at, 5);
      t.is(went, caught);
      t.deepEqual(state(), before);
    }
  });
}

test('banned globals work before, between and after runs, after a failed run, and after close', async (t) => {
  const works = () => {
    t.true(globals['Date'].now() > 1_600_000_000_000);
    t.true(globals['performance'].now() > 0);
    t.true(globals['Math'].random() < 1);
    t.true(systemClock.now() > 0);
    t.is(new globals['Date'](5).getTime(), 5);
    globals['clearTimeout'](globals['setTimeout'](() => {}, 0));
    t.deepEqual(state(), before);
  };
  const sim = createSimulation({ seed: 1 }).node(
    'a',
    ({ clock }) =>
      void clock.setTimeout(() => {
        throw new Error('x');
      }, 10),
  );
  works();
  await sim.run(5);
  works();
  await t.throwsAsync(sim.run(10));
  works();
  await sim.run(10);
  await t.throwsAsync(
    sim.until(() => {
      throw new Error('mine');
    }),
  );
  works();
  await sim.close();
  works();
});

test('strict bans the same globals, also after turns of the event loop', async (t) => {
  await using sim = createSimulation({ seed: 1, strict: true }).node('a', async ({ clock }) => {
    await clock.sleep(5);
    await undefined;
    globals['Date'].now();
  });
  await t.throwsAsync(sim.run(100), { instanceOf: SimulationError, message: /Date\.now\(\)/ });
  t.deepEqual(state(), before);
});

test('harmless globals remain: explicit dates, console, queueMicrotask, TextEncoder, structuredClone', async (t) => {
  await using sim = createSimulation({ seed: 1 });
  const seen: unknown[] = [];
  const { log } = console;
  console.log = (line: unknown) => void seen.push(line);
  t.teardown(() => (console.log = log));
  sim.node('a', async () => {
    const date = new Date(0);
    seen.push(
      date.toISOString(),
      date instanceof Date,
      Date.UTC(2020, 0, 1),
      Date.parse('2020-01-01T00:00:00Z'),
      new Date(2020, 1).getFullYear(),
    );
    console.log('told');
    queueMicrotask(() => seen.push('microtask'));
    await undefined;
    seen.push(structuredClone({ a: 1 }), Math.max(1, 2));
  });
  await sim.run(10);
  t.deepEqual(seen, [
    '1970-01-01T00:00:00.000Z',
    true,
    1_577_836_800_000,
    1_577_836_800_000,
    2020,
    'told',
    'microtask',
    { a: 1 },
    2,
  ]);
});

test('console.log itself works inside a run', async (t) => {
  await using sim = createSimulation({ seed: 1 }).node('a', () =>
    console.log('# a line of a simulated node'),
  );
  await t.notThrowsAsync(sim.run(10));
});

test('the ban also covers a set-up that runs because the test restarts its node between two runs', async (t) => {
  await using sim = createSimulation({ seed: 1 });
  let lives = 0;
  sim.node('a', () => {
    if (lives++ > 0) globals['Date'].now();
  });
  await sim.run(10);
  sim.restart('a');
  await t.throwsAsync(sim.run(10), { instanceOf: SimulationError, message: /Date\.now\(\)/ });
});
