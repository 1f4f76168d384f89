// A program ends although it never calls close(), unless it waits for something or serves
// something.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import ava, { type ExecutionContext } from 'ava';
import { createIdentity, secured, selfSigned } from './index.security.ts';
import { createTransport, serve, tcp, ws } from './index.ts';
import { echo } from './testing/echo.ts';

const test = ava.serial;
const program = fileURLToPath(new URL('./testing/never-closed.js', import.meta.url));
const { NODE_OPTIONS: _, ...plain } = process.env;
const kinds = ['tcp', 'ws', 'tls', 'wss', 'noise'] as const;

/**
 * Starts a server. `run` resolves with the output of a program that ends; `start` with a program
 * that has said 'up' or 'wait' to the server, and the function that answers it.
 */
async function serverOf(t: ExecutionContext, kind: (typeof kinds)[number]) {
  const [own, other] = [createIdentity(), createIdentity()];
  const tls = { key: own.key, cert: await selfSigned(own), allow: [other.nodeId] };
  const backend = {
    tcp: () => tcp(),
    ws: () => ws(),
    tls: () => tcp({ tls }),
    wss: () => ws({ tls }),
    noise: () => secured(tcp(), { identity: own, allow: [other.nodeId] }),
  }[kind]();
  const scheme = kind.startsWith('ws') ? kind : 'tcp';
  const server = createTransport(`${scheme}://127.0.0.1:0`, {
    protocol: echo,
    backends: [backend],
  });
  t.teardown(() => server.close());
  const arrived: (() => void)[] = [];
  let told = () => {};
  serve(server, {
    say: async (text) => {
      if (text === 'hello') return text;
      await new Promise<void>((resolve) => {
        arrived.push(resolve);
        told();
        if (text === 'up') resolve();
      });
      return text;
    },
    async *count(to) {
      for (let number = 1; number <= to; number++) yield number;
    },
  });
  await server.listen();
  const address = server.localAddr();
  const env = {
    ...plain,
    OWN_KEY: other.key,
    OWN_CERT: await selfSigned(other),
    SERVER: own.nodeId,
  };
  const run = async (what: string, to = address) => {
    const { stdout } = await promisify(execFile)(process.execPath, [program, what, kind, to], {
      env,
      timeout: 30_000,
    });
    return stdout;
  };
  const start = async (what: string) => {
    const saying = new Promise<void>((resolve) => (told = resolve));
    const child = spawn(process.execPath, [program, what, kind, address], { env });
    t.teardown(() => child.kill('SIGKILL'));
    await saying;
    return { child, answer: arrived.at(-1)! };
  };
  return { run, start };
}

/** Collects the output of a program, and waits until it has ended. */
async function outputOf(child: ChildProcess): Promise<string> {
  let output = '';
  child.stdout!.on('data', (chunk) => (output += chunk));
  const [code, signal] = await once(child, 'close');
  return `${output}${code ?? signal}`;
}

for (const kind of kinds)
  test(`over ${kind}, a program ends after its calls, and after a failed dial`, async (t) => {
    t.timeout(60_000);
    const { run, start } = await serverOf(t, kind);
    t.is(await run('calls'), 'hello\n1\n2\n3\n');
    const scheme = kind.startsWith('ws') ? kind : 'tcp';
    t.is(await run('a failed dial', `${scheme}://127.0.0.1:1`), 'unavailable/connection_refused\n');
    const { child, answer } = await start('a call in flight');
    const output = outputOf(child);
    await run('calls'); // starts and ends meanwhile
    answer();
    t.is(await output, 'wait\n0');
  });

test('a program ends after close(), and when it serves nothing any more', async (t) => {
  t.timeout(60_000);
  const { run } = await serverOf(t, 'tcp');
  t.is(await run('closing'), 'hello\nclosed\n');
  t.is(await run('a protocol that is no longer served'), 'hello\n');
});

test('what is held, served or listens keeps a program alive', async (t) => {
  t.timeout(60_000);
  const { run, start } = await serverOf(t, 'tcp');
  const programs: ChildProcess[] = [];
  for (const what of [
    'a held connection',
    'a held target that is down',
    'a served protocol',
    'a protocol that is served later',
    'a listener',
  ])
    programs.push((await start(what)).child);
  await run('calls');
  t.deepEqual(
    programs.map(({ exitCode }) => exitCode),
    programs.map(() => null),
  );
});

test('in memory, a program ends after its calls, and not before', async (t) => {
  t.timeout(60_000);
  const run = async (what: string) =>
    (await promisify(execFile)(process.execPath, [program, what, 'inmem', ''], { timeout: 30_000 }))
      .stdout;
  t.is(await run('calls in memory'), 'hello\n');
  t.is(await run('a deadline in memory'), 'deadline_exceeded\n');
});
