// Tests of clusters of real processes behind one port. They are serial: node:cluster gives all
// workers of this process that listen on port 0 the same port.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { TransportError } from '@trunkline/transport-core';
import type { ExecutionContext } from 'ava';
import { clusterSlot, createCluster } from '../index.cluster.ts';
import test from '../testing/serial.ts';
import { connect, Load, unevenness } from './testing/clients.ts';
import { milliseconds } from './testing/protocol.ts';
import { start, WORKER } from './testing/start.ts';
import { isAlive, until } from './testing/until.ts';

const NONE = new Uint8Array(0);

test('connections are spread over the workers within 20 %, and one snapshot has them all', async (t) => {
  const { cluster, address, events } = await start(t);
  const { spread } = await connect(t, address, 100);
  t.is(spread.size, 2);
  t.true(unevenness(spread, 2) <= 0.2, JSON.stringify([...spread]));
  const { workers, total, kind, state } = await cluster.snapshot();
  t.is(kind, 'process');
  t.is(state, 'open');
  t.deepEqual(
    workers.map(({ slot }) => slot),
    [0, 1],
  );
  for (const { pid, connections } of workers) t.is(spread.get(`${pid}/0`), connections);
  t.is(total.workers, 2);
  t.is(total.connections, 100);
  t.is(total.calls.served, 100);
  t.deepEqual(
    events.flatMap((event) => (event.type === 'joined' ? event.addresses : [])),
    [address, address],
  );
});

test('a worker that is killed under load fails its calls and at most one dial, and is replaced', async (t) => {
  const { cluster, address, events } = await start(t);
  const { clients } = await connect(t, address, 20);
  const load = new Load(clients, address);
  await load.more(500);
  const { pid } = (await cluster.snapshot()).workers[0]!;
  process.kill(pid, 'SIGKILL');
  await until(() => events.filter(({ type }) => type === 'joined').length === 3);
  await load.more(500);
  await load.stop();
  t.true(load.failures.length <= 20, `${load.failures.length} failures`);
  for (const { code, reason } of load.failures)
    t.deepEqual({ code, reason }, { code: 'unavailable', reason: 'reset' });
  // One connection may have been on its way to the worker.
  t.true(load.failures.filter(({ sent }) => !sent).length <= 1);
  const exit = events.find((event) => event.type === 'exited')!;
  t.like(exit, { pid, signal: 'SIGKILL', expected: false });
  const { workers } = await cluster.snapshot();
  t.deepEqual(
    workers.map(({ slot, state, restarts }) => [slot, state, restarts]),
    [
      [0, 'ready', 1],
      [1, 'ready', 0],
    ],
  );
  t.false(workers.some((worker) => worker.pid === pid));
});

test('no call fails during a restart under load, and new connections are spread evenly after it', async (t) => {
  const { cluster, address } = await start(t);
  const { clients } = await connect(t, address, 40);
  const before = await cluster.snapshot();
  const load = new Load(clients, address);
  await load.more(500);
  await cluster.restart();
  await load.more(500);
  await load.stop();
  t.deepEqual(load.failures, []);
  const after = await cluster.snapshot();
  t.is(after.workers.length, 2);
  for (const { pid } of before.workers) {
    t.false(after.workers.some((worker) => worker.pid === pid));
    t.false(isAlive(pid));
  }
  // The clients under load went to the workers that were free when they connected again.
  const { spread } = await connect(t, address, 40);
  t.true(unevenness(spread, 2) <= 0.2, JSON.stringify([...spread]));
});

test('no call fails when a worker gets SIGTERM under load; calls in flight finish', async (t) => {
  const { cluster, address, events } = await start(t);
  const { clients } = await connect(t, address, 20);
  const load = new Load(clients, address);
  const long = clients.map((each) => each.send(address, 'slow', milliseconds(700)));
  await load.more(200);
  process.kill((await cluster.snapshot()).workers[1]!.pid, 'SIGTERM');
  await until(() => events.some(({ type }) => type === 'exited'));
  await load.more(200);
  await load.stop();
  t.deepEqual(load.failures, []);
  await t.notThrowsAsync(Promise.all(long));
  t.like(
    events.find((event) => event.type === 'exited'),
    { code: 0, signal: null, expected: true, slot: 1 },
  );
  t.deepEqual(
    (await cluster.snapshot()).workers.map(({ slot }) => slot),
    [0, 1],
  );
});

test('the metrics of all workers are collected at once, with the slot as an attribute', async (t) => {
  const { cluster, address } = await start(t);
  await connect(t, address, 10);
  const metrics = await cluster.metrics.collect();
  const durations = metrics.find(({ name }) => name === 'rpc.server.call.duration')!;
  t.deepEqual(durations.points.map(({ attributes }) => attributes['worker']).sort(), ['0', '1']);
  t.is(
    durations.points.reduce((sum, { buckets }) => sum + buckets!.count, 0),
    10,
  );
  t.deepEqual(
    metrics.map(({ name }) => name),
    cluster.metrics.definitions.map(({ name }) => name),
  );
});

test('a process in an endless loop is replaced, and the others serve on', async (t) => {
  const { cluster, address, events } = await start(t, { hangTimeout: 2_000 });
  const { clients } = await connect(t, address, 10);
  await clients[0]!.send(address, 'block', milliseconds(60_000));
  await until(() => events.filter(({ type }) => type === 'joined').length === 3);
  const hung = events.find((event) => event.type === 'hung')!;
  t.like(
    events.find((event) => event.type === 'exited'),
    { slot: hung.slot, pid: hung.pid, signal: 'SIGKILL', expected: false },
  );
  t.false(isAlive(hung.pid));
  await Promise.all(clients.map((each) => each.send(address, 'echo', NONE).catch(() => {})));
  await Promise.all(clients.map((each) => each.send(address, 'echo', NONE)));
  const { workers, total } = await cluster.snapshot();
  t.is(total.workers, 2);
  t.deepEqual(workers.map(({ hangs }) => hangs).sort(), [0, 1]);
});

async function primary(t: ExecutionContext) {
  const child = fork(new URL('./testing/primary.child.js', import.meta.url), { silent: true });
  t.teardown(() => child.kill('SIGKILL'));
  const [line] = (await once(child.stdout!, 'data')) as [Buffer];
  const { address, pids } = JSON.parse(line.toString()) as { address: string; pids: number[] };
  t.teardown(() => {
    for (const pid of pids.filter(isAlive)) process.kill(pid, 'SIGKILL');
  });
  return { child, address, pids };
}

const exitOf = (child: ChildProcess) => once(child, 'exit').then(([code]) => code as number | null);

test('the workers end when the primary is killed, and calls in flight finish', async (t) => {
  const { child, address, pids } = await primary(t);
  const { clients } = await connect(t, address, 4);
  const long = clients.map((each) => each.send(address, 'slow', milliseconds(300)));
  await Promise.all(clients.map((each) => each.send(address, 'echo', NONE)));
  child.kill('SIGKILL');
  await t.notThrowsAsync(Promise.all(long));
  await until(() => !pids.some(isAlive));
  const error = await t.throwsAsync<TransportError>(clients[0]!.send(address, 'echo', NONE));
  t.is(error!.reason, 'connection_refused');
});

test('when the primary gets SIGTERM, calls in flight finish, and all others fail unsent', async (t) => {
  const { child, address, pids } = await primary(t);
  const { clients } = await connect(t, address, 10);
  const long = clients.map((each) => each.send(address, 'slow', milliseconds(300)));
  const load = new Load(clients, address);
  await load.more(50);
  const exited = exitOf(child);
  child.kill('SIGTERM');
  await t.notThrowsAsync(Promise.all(long));
  t.is(await exited, 0);
  await load.stop();
  for (const { code, sent } of load.failures)
    t.deepEqual({ code, sent }, { code: 'unavailable', sent: false });
  t.true(load.failures.length > 0);
  t.false(pids.some(isAlive));
});

test('a cluster that is closed leaves no process behind', async (t) => {
  const { cluster } = await start(t);
  const { workers } = await cluster.snapshot();
  await cluster.close();
  t.false(workers.some(({ pid }) => isAlive(pid)));
  t.is((await cluster.snapshot()).state, 'closed');
});

test('each worker knows its slot, and other processes have none', (t) => {
  t.is(clusterSlot(), undefined);
});

test('wrong options are named', async (t) => {
  await t.throwsAsync(createCluster({ worker: WORKER, workers: 0 }), {
    instanceOf: TypeError,
    message: 'createCluster: workers: must be an integer from 1 to 1024, got 0',
  });
  await t.throwsAsync(createCluster({ worker: WORKER, kind: 'fiber' as never }), {
    instanceOf: TypeError,
    message: /kind: must be 'process', 'thread' or 'auto'/,
  });
});
