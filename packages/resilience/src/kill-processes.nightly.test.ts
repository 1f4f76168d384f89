// Three processes serve 2,000 calls a second over TCP, and one of them gets SIGKILL.

import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { createTransport, systemClock } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import type { ExecutionContext } from 'ava';
import { createBalancer } from './balancing/balancer.ts';
import { createRetries } from './retries/retries.ts';
import { createStaticResolver } from './static-resolver.ts';
import { checkKill } from './testing/check-kill.ts';
import { KillRecorder, ledger, METHODS, THROTTLE } from './testing/kill-scenario.ts';
import test from './testing/serial.ts';

/** Starts a server, and records the ids that it handles. */
async function start(t: ExecutionContext, recorder: KillRecorder) {
  const child = fork(new URL('./testing/ledger.child.js', import.meta.url), { silent: true });
  t.teardown(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout! });
  const address = await new Promise<string>((resolve) => lines.once('line', resolve));
  lines.on('line', (line) => recorder.handle(Number(line)));
  const ended = new Promise<void>((resolve) => lines.once('close', resolve));
  return { child, address, ended };
}

test('kill -9 of one of three processes fails no idempotent call and doubles no other', async (t) => {
  t.timeout(60_000);
  const recorder = new KillRecorder();
  const servers = [await start(t, recorder), await start(t, recorder), await start(t, recorder)];
  const balancer = createBalancer({
    resolve: createStaticResolver({ ledger: servers.map(({ address }) => address) }),
  });
  const retries = createRetries({ methods: METHODS, throttle: THROTTLE });
  const client = createTransport({
    protocol: ledger,
    backends: [tcp()],
    interceptors: { client: [retries.interceptor, balancer.interceptor] },
  });
  const { clock } = client;
  const began = clock.now();
  const now = () => clock.now() - began;
  const pending: Promise<void>[] = [];
  let killedAt = Number.POSITIVE_INFINITY;
  let id = 0;
  // The clock determines the number of calls that are due by now.
  while (now() < killedAt + 3_500) {
    for (; id < now() * 2; id++) {
      const method = id % 2 === 0 ? 'read' : 'append';
      pending.push(recorder.follow(method, now(), now, client.send('ledger', method, id)));
    }
    if (killedAt === Number.POSITIVE_INFINITY && now() > 1_500) {
      servers[1]!.child.kill('SIGKILL');
      killedAt = now();
    }
    await systemClock.sleep(2);
  }
  await Promise.all(pending);
  const seconds = now() / 1_000;
  for (const { child } of servers) child.kill('SIGKILL');
  await Promise.all(servers.map(({ ended }) => ended));
  await client.close();
  balancer.close();
  const result = recorder.result(killedAt);
  const { retries: repeated, throttled } = retries.snapshot();
  t.log(
    `${result.calls} calls in ${seconds.toFixed(1)} s, ${result.failedAppends} appends failed, ` +
      `${repeated} retries, ${throttled} throttled, p99 ${result.before.toFixed(1)} -> ${result.after.toFixed(1)} ms`,
  );
  t.is(balancer.snapshot().names.length, 0);
  // The machine may be busy with other tests, so the bound is wide; the log contains the figures.
  checkKill(t, 'processes', result, 100);
  t.true(result.calls / seconds > 1_900, `${result.calls / seconds} calls a second`);
});
