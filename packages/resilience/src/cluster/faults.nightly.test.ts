// Tests of workers that hang. Those that crash at their start or never join are in
// supervisor.test.ts.

import test from '../testing/serial.ts';
import { client } from './testing/clients.ts';
import { milliseconds } from './testing/protocol.ts';
import { start } from './testing/start.ts';
import { isAlive, until } from './testing/until.ts';

const NONE = new Uint8Array(0);

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
