// Runs the programs of the page about clusters.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Cluster, createCluster } from '@trunkline/resilience/cluster';
import test, { type ExecutionContext } from 'ava';
import { createTransport, defineProtocol, json, tcp } from 'trunkline';
import { z } from 'zod';

const greeter = defineProtocol({
  name: 'greeter',
  version: 1,
  channel: 0x20,
  methods: { greet: { id: 1, request: json(z.string()), response: json(z.string()) } },
});

/** Returns the first match of the output of a process from now on. */
async function printed(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  let output = '';
  for (;;) {
    const [chunk] = (await once(child.stdout!, 'data')) as [Buffer];
    output += chunk.toString();
    const match = pattern.exec(output);
    if (match !== null) return match;
  }
}

async function ask(t: ExecutionContext, address: string): Promise<string> {
  const client = createTransport({ protocol: greeter, backends: [tcp()] });
  t.teardown(() => client.close());
  return client.send(address, 'greet', 'Ada');
}

test('the main program serves, restarts on SIGHUP, and ends on SIGTERM', async (t) => {
  const main = spawn(process.execPath, [fileURLToPath(new URL('./main.js', import.meta.url))], {
    env: { ...process.env, ADDRESS: 'tcp://127.0.0.1:0', HTTP_PORT: '0' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.teardown(() => main.kill('SIGKILL'));
  const started = await printed(main, /worker \d+ on (\S+)[\s\S]*metrics on .*"port":(\d+)/);
  const [, address = '', port] = started;
  t.regex(await ask(t, address), /^Hello, Ada, from process \d+!$/);
  const get = async (path: string) => fetch(`http://127.0.0.1:${port}${path}`);
  t.is((await get('/readyz')).status, 200);
  const scrape = await (await get('/metrics')).text();
  t.regex(
    scrape,
    /rpc_server_call_duration_seconds_count\{.*rpc_method="greeter\/greet".*worker="\d+"\} 1/,
  );
  const restarted = printed(main, /worker \d+ on/);
  main.kill('SIGHUP');
  await restarted;
  t.regex(await ask(t, address), /^Hello, Ada/);
  const exited = once(main, 'exit');
  main.kill('SIGTERM');
  t.deepEqual(await exited, [0, null]);
});

test('each worker can be a node of its own', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-cluster-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const addresses: string[] = [];
  // Ports below those that the system assigns by itself.
  const first = 20_000 + ((process.pid * 31) % 12_000);
  const options = {
    worker: new URL('./own-node.js', import.meta.url),
    workers: 2,
    overlap: false,
    args: [folder, String(first), `tcp://127.0.0.1:${first}`],
  };
  const cluster: Cluster = await createCluster({
    ...options,
    onEvent: (event) => void (event.type === 'joined' && addresses.push(...event.addresses)),
  });
  t.teardown(() => cluster.close());
  t.deepEqual(addresses.sort(), [`tcp://127.0.0.1:${first}`, `tcp://127.0.0.1:${first + 1}`]);
  const meet = async () => {
    for (;;) {
      const { workers } = await cluster.snapshot();
      const [a, b] = workers.map(({ transport }) =>
        transport?.connections.map((each) => each.nodeId),
      );
      // A connection without an id is still in its handshake.
      const ids = [...(a ?? []), ...(b ?? [])];
      if (a?.length === 1 && ids.length === 2 && ids.every((id) => id !== undefined)) return ids;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const before = await meet();
  await cluster.restart();
  t.deepEqual(await meet(), before, 'they keep their ids');
});
