// Tests of workers that crash at their start, never join, or hang.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TransportError } from '@trunkline/transport-core';
import { createCluster } from '../index.cluster.ts';
import test from '../testing/serial.ts';
import { client, connect } from './testing/clients.ts';
import { milliseconds } from './testing/protocol.ts';
import { start, WORKER } from './testing/start.ts';
import { isAlive, until } from './testing/until.ts';

const NONE = new Uint8Array(0);

test('a worker that crashes at its start makes createCluster reject after three attempts', async (t) => {
  const retries: number[] = [];
  const error = (await t.throwsAsync<TransportError>(
    createCluster({
      worker: WORKER,
      workers: 1,
      args: ['tcp://127.0.0.1:0', 'crash'],
      onEvent: (event) => event.type === 'retrying' && retries.push(event.retryIn),
    }),
  ))!;
  t.is(error.code, 'failed_precondition');
  t.regex(error.message, /worker 0 \(process \d+\) ended before it has joined \(SIGKILL\)/);
  t.is(retries.length, 2);
});

test('a worker that never joins makes createCluster reject at startTimeout', async (t) => {
  const pids: number[] = [];
  const error = (await t.throwsAsync<TransportError>(
    createCluster({
      worker: fileURLToPath(WORKER),
      workers: 1,
      startTimeout: 400,
      args: ['tcp://127.0.0.1:0', 'mute'],
      onEvent: (event) => event.type === 'exited' && pids.push(event.pid),
    }),
  ))!;
  t.is(error.code, 'deadline_exceeded');
  t.is(pids.length, 3);
  t.false(pids.some(isAlive));
});

test('a restart whose workers crash keeps the old ones, which serve on', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-cluster-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const fault = join(folder, 'fault');
  const { cluster, address } = await start(t, { args: ['tcp://127.0.0.1:0', `file:${fault}`] });
  const before = await cluster.snapshot();
  writeFileSync(fault, '');
  const error = await t.throwsAsync<TransportError>(cluster.restart());
  t.is(error!.code, 'failed_precondition');
  const { spread } = await connect(t, address, 10);
  t.deepEqual([...spread.keys()].sort(), before.workers.map(({ pid }) => `${pid}/0`).sort());
});

test('a worker that hangs is missing in the snapshot, gets no further connections, and is replaced by a restart', async (t) => {
  const { cluster, address } = await start(t, { grace: 100 });
  const first = client(t);
  await first.send(address, 'block', milliseconds(60_000));
  await until(async () => (await cluster.snapshot({ timeout: 200 })).total.workers === 1);
  const { workers, total } = await cluster.snapshot({ timeout: 200 });
  const hung = workers.find(({ error }) => error !== undefined)!;
  t.is(hung.error!.code, 'deadline_exceeded');
  t.is(total.workers, 1);
  // One connection may already be on its way to the worker.
  const others = Array.from({ length: 10 }, () => client(t));
  const served = await Promise.allSettled(
    others.map((each) => each.send(address, 'echo', NONE, { timeout: 2_000 })),
  );
  t.true(served.filter(({ status }) => status === 'rejected').length <= 1);
  await cluster.restart();
  t.false(isAlive(hung.pid));
  t.is((await cluster.snapshot()).total.workers, 2);
});

test('a connection that a worker has not taken is closed when the worker ends', async (t) => {
  const { cluster, address } = await start(t);
  const { pid } = (await cluster.snapshot()).workers[0]!;
  process.kill(pid, 'SIGSTOP');
  const clients = Array.from({ length: 6 }, () => client(t));
  const waiting = new Set(clients);
  const calls = clients.map(async (each) => {
    await each.send(address, 'echo', NONE);
    waiting.delete(each);
  });
  const ended = Promise.allSettled(calls);
  // One connection was handed to the stopped worker. The others do not wait for it.
  await until(() => waiting.size === 1);
  process.kill(pid, 'SIGKILL');
  const failures = (await ended).flatMap((each) => (each.status === 'rejected' ? each.reason : []));
  t.deepEqual(
    failures.map(({ code, reason, sent }) => ({ code, reason, sent })),
    [{ code: 'unavailable', reason: 'reset', sent: false }],
  );
  await [...waiting][0]!.send(address, 'echo', NONE);
});
