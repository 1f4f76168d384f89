// Tests of clusters of threads that share a port. Node 20 can't share ports, so there only the
// refusal is tested.

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { TransportError } from '@trunkline/transport-core';
import { createCluster } from '../index.cluster.ts';
import test from '../testing/serial.ts';
import { canSharePorts } from './reuse-port.ts';
import { connect, Load, spreadOf, unevenness } from './testing/clients.ts';
import { milliseconds } from './testing/protocol.ts';
import { start, WORKER } from './testing/start.ts';
import { until } from './testing/until.ts';

const shares = await canSharePorts();
const sharing = shares ? test : test.skip;
const [major = 0] = process.versions.node.split('.').map(Number);

/** Returns an address with a port that was free a moment ago. */
async function freeAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `tcp://127.0.0.1:${port}`;
}

const threads = async () => ({ kind: 'thread', args: [await freeAddress()] }) as const;

test('ports can be shared on newer Nodes on Linux, and not on Node 20', (t) => {
  if (major < 22) t.false(shares);
  if (major >= 24 && process.platform === 'linux') t.true(shares);
  t.pass();
});

test("kind 'auto' chooses threads if ports can be shared, otherwise processes", async (t) => {
  const { cluster } = await start(t, { ...(await threads()), kind: 'auto' });
  t.is(cluster.kind, shares ? 'thread' : 'process');
  t.is((await cluster.snapshot()).total.workers, 2);
});

(shares ? test.skip : test)("kind 'thread' is refused if ports can't be shared", async (t) => {
  const error = await t.throwsAsync<TransportError>(
    createCluster({ worker: WORKER, kind: 'thread' }),
  );
  t.is(error!.code, 'failed_precondition');
  t.regex(error!.message, /Node 22\.12 or newer on Linux, or kind 'process'/);
});

sharing('threads serve one port, and the kernel spreads the connections', async (t) => {
  const { cluster, address } = await start(t, await threads());
  const { spread } = await connect(t, address, 400);
  t.is(spread.size, 2);
  // Of 400 connections, 60 more or fewer than the mean are six times the standard deviation.
  t.true(unevenness(spread, 2) <= 0.3, JSON.stringify([...spread]));
  const { workers, total } = await cluster.snapshot();
  t.is(total.connections, 400);
  for (const { pid, threadId, connections } of workers)
    t.is(spread.get(`${pid}/${threadId}`), connections);
});

sharing('a thread that crashes is replaced, and the others serve on', async (t) => {
  const { cluster, address, events } = await start(t, await threads());
  const { clients } = await connect(t, address, 10);
  await clients[0]!.send(address, 'crash', new Uint8Array(0));
  await until(() => events.filter(({ type }) => type === 'joined').length === 3);
  const load = new Load(clients, address);
  await load.more(100);
  await load.stop();
  t.true(load.failures.every(({ code }) => code === 'unavailable'));
  t.is((await cluster.snapshot()).total.workers, 2);
  t.like(
    events.find(({ type }) => type === 'exited'),
    { code: 1, expected: false },
  );
});

sharing(
  'no call that a handler has seen fails during a restart of threads under load',
  async (t) => {
    const { cluster, address } = await start(t, await threads());
    const { clients } = await connect(t, address, 40);
    const before = await spreadOf(clients, address);
    const load = new Load(clients, address);
    await load.more(500);
    await cluster.restart();
    await load.more(500);
    await load.stop();
    // When a listener closes, connections that the kernel has assigned to it are reset before
    // anything is sent over them.
    for (const { code, sent } of load.failures)
      t.deepEqual({ code, sent }, { code: 'unavailable', sent: false });
    const after = await spreadOf(clients, address);
    for (const who of before.keys()) t.false(after.has(who));
  },
);

sharing(
  'a thread that hangs is missing in the snapshot, and is terminated by a restart',
  async (t) => {
    const { cluster, address } = await start(t, { ...(await threads()), grace: 100 });
    const { clients } = await connect(t, address, 1);
    await clients[0]!.send(address, 'block', milliseconds(60_000));
    await until(async () => (await cluster.snapshot({ timeout: 200 })).total.workers === 1);
    await cluster.restart();
    t.is((await cluster.snapshot()).total.workers, 2);
  },
);

sharing('a thread in an endless loop is replaced', async (t) => {
  const { cluster, address, events } = await start(t, { ...(await threads()), hangTimeout: 2_000 });
  const { clients } = await connect(t, address, 1);
  await clients[0]!.send(address, 'block', milliseconds(60_000));
  await until(() => events.filter(({ type }) => type === 'joined').length === 3);
  t.true(events.some(({ type }) => type === 'hung'));
  t.is((await cluster.snapshot()).total.workers, 2);
});

sharing('a thread with port 0 is refused, because each would get another port', async (t) => {
  const error = (await t.throwsAsync<TransportError>(
    createCluster({ worker: WORKER, workers: 1, kind: 'thread', args: ['tcp://127.0.0.1:0'] }),
  ))!;
  t.is(error.code, 'failed_precondition');
  t.regex((error.cause as Error).message, /reusePort: for port 0 .* give a fixed port/);
});
