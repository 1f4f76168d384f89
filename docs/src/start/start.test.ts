// Runs the two programs of docs/start.md as two processes.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import test from 'ava';

test('a client in another process is greeted', async (t) => {
  const server = start('server', 'tcp://127.0.0.1:0');
  t.teardown(() => server.kill());
  const [line] = (await once(createInterface(server.stdout), 'line')) as [string];
  const address = /^listening on (\S+)$/.exec(line)?.[1];
  t.truthy(address, line);
  const client = start('client', address!);
  t.teardown(() => client.kill());
  const [greeting] = await once(createInterface(client.stdout), 'line');
  t.is(greeting, 'Hello, Ada!');
  const [code] = await once(client, 'close');
  t.is(code, 0);
});

function start(name: string, address: string) {
  const path = fileURLToPath(new URL(`${name}.js`, import.meta.url));
  return spawn(process.execPath, [path, address], { stdio: ['ignore', 'pipe', 'inherit'] });
}
