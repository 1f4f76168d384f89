// A rolling restart: two processes serve a client under load, and one of them gets SIGTERM.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import test, { type ExecutionContext } from 'ava';
import { createTransport, defineProtocol, json, tcp } from 'trunkline';
import { z } from 'zod';
import { failover } from './failover.ts';

const work = defineProtocol({
  name: 'work',
  version: 1,
  channel: 0x20,
  methods: {
    double: { id: 1, request: json(z.int()), response: json(z.int()) },
    upTo: { id: 2, request: json(z.int()), download: json(z.int()) },
  },
});

async function start(t: ExecutionContext) {
  const child = fork(new URL('./service.js', import.meta.url), { silent: true });
  t.teardown(() => child.kill('SIGKILL'));
  const [line] = (await once(child.stdout!, 'data')) as [Buffer];
  const [address, port] = line.toString().trim().split(' ');
  return { child, address: address!, probes: `http://127.0.0.1:${port}` };
}

const exitOf = (child: ChildProcess) =>
  once(child, 'exit').then(([code, signal]) => ({ code, signal }));

test('no call fails when one of two processes gets SIGTERM', async (t) => {
  const [first, second] = [await start(t), await start(t)];
  const client = createTransport({
    protocol: work,
    backends: [tcp()],
    interceptors: { client: [failover([first.address, second.address])] },
  });
  t.teardown(() => client.close());
  const statusOf = async (url: string) => (await fetch(url)).status;
  t.is(await statusOf(`${first.probes}/readyz`), 200);

  let isOver = false;
  let calls = 0;
  const failures: unknown[] = [];
  const load = Array.from({ length: 20 }, async () => {
    while (!isOver) {
      const number = ++calls;
      try {
        if (number % 2 === 0) t.is(await client.send(first.address, 'double', number), number * 2);
        else {
          let last = 0;
          for await (const item of client.send(first.address, 'upTo', 3)) last = item;
          t.is(last, 3);
        }
      } catch (error) {
        failures.push(error);
      }
    }
  });
  const until = async (count: number) => {
    while (calls < count) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  await until(200);
  const exited = exitOf(first.child);
  first.child.kill('SIGTERM');
  t.deepEqual(await exited, { code: 0, signal: null });
  await until(calls + 200); // the other process serves on
  isOver = true;
  await Promise.all(load);
  t.deepEqual(failures, []);
  t.is(await statusOf(`${second.probes}/healthz`), 200);
  const ended = exitOf(second.child);
  second.child.kill('SIGTERM');
  t.deepEqual(await ended, { code: 0, signal: null });
});
