// Runs the two programs of docs/start.md as two processes, and calls the server of docs/cli.md.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type CliTerminal, runCli } from '@trunkline/cli';
import { systemClock } from '@trunkline/transport-core';
import test, { type ExecutionContext } from 'ava';

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

test('the command line calls the server with TLS and reflection', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-start-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const ca = join(folder, 'ca');
  const me = join(folder, 'me');
  await trunkline(t, folder, 'cert', 'ca', '-o', ca);
  for (const out of [join(folder, 'node'), me])
    await trunkline(t, folder, 'cert', 'issue', '--authority', ca, '-o', out);
  const server = start('tls-server', 'tcp://127.0.0.1:0', folder);
  t.teardown(() => server.kill());
  const [line] = (await once(createInterface(server.stdout), 'line')) as [string];
  const address = /^listening on (\S+)$/.exec(line)?.[1];
  t.truthy(address, line);
  const files = ['--ca', `${ca}.crt`, '--cert', `${me}.crt`, '--key', `${me}.key`];
  await trunkline(t, folder, 'context', 'add', 'greeter', '-a', address!, ...files, '--use');
  t.regex(await trunkline(t, folder, 'ls'), /\ngreeter +1 +61/);
  t.regex(await trunkline(t, folder, 'describe', 'greeter/greet'), /unary/);
  const greet = ['call', 'greeter/greet', '{"name":"Ada"}'];
  t.is(await trunkline(t, folder, ...greet), '"Hello, Ada!"\n');
});

function start(name: string, address: string, cwd?: string) {
  const path = fileURLToPath(new URL(`${name}.js`, import.meta.url));
  return spawn(process.execPath, [path, address], { stdio: ['ignore', 'pipe', 'inherit'], cwd });
}

/** Runs the command line with the contexts of a folder, and returns its output. */
async function trunkline(t: ExecutionContext, folder: string, ...args: string[]): Promise<string> {
  const terminal: CliTerminal = {
    out: async (text) => void (out += text),
    err: (text) => void (err += text),
    input: (async function* () {})(),
    isTerminal: false,
    showsProgress: false,
    size: { columns: 100, rows: 30 },
    keys: () => (async function* () {})(),
    browse: async () => {},
    env: { TRUNKLINE_CONTEXTS: join(folder, 'contexts.json') },
    interrupted: new AbortController().signal,
    clock: systemClock,
    date: () => 0,
  };
  let out = '';
  let err = '';
  t.is(await runCli(args, terminal), 0, err);
  return out;
}
