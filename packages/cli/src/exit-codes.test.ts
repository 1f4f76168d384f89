// Tests of the exit codes, of closed pipes, and of JSON on both outputs.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { EXIT_CODES } from './exit-codes.ts';
import { folder, startNode, trunkline } from './testing/fixture.ts';

const NOWHERE = ['-a', 'tcp://127.0.0.1:1'];

test('everything that is wrong with the arguments exits with 2', async (t) => {
  const { address } = await startNode(t);
  const path = await folder(t);
  const text = join(path, 'text');
  await writeFile(text, 'text');
  const env = { TRUNKLINE_CONTEXTS: join(path, 'contexts.json') };
  const mistakes = [
    ['cal'],
    ['call', 'demo/greet', '{name}', ...NOWHERE],
    ['call', 'demo/greet', '{"nme":"Ada"}', '-a', address],
    ['call', 'demo/greet', '--from-file', text, ...NOWHERE],
    ['call', 'demo/greet', '--schema', text, ...NOWHERE],
    ['ls', '-a', 'nonsense'],
    ['ls', '-a', 'http://127.0.0.1:1'],
    ['ls', '-a', 'me@tcp://127.0.0.1:1'],
    ['pub', 'news', '1', '-a', 'nonsense'],
    ['sub', 'news', '-a', 'nonsense'],
    ['sub', 'news', '-a', 'ws://'],
    ['dashboard', 'nonsense'],
    ['dashboard', 'tcp://127.0.0.1:1', '--port', '70000'],
    ['signal', '--bind', 'nonsense'],
    ['signal', '--advertise', 'nonsense'],
    ['proxy', 'nonsense'],
    ['schema', 'diff', 'http://127.0.0.1:1', 'http://127.0.0.1:1'],
    ['context', 'add', 'x', '-a', 'nonsense'],
    ['ls', '--network', '', ...NOWHERE],
    ['sub', 'news', '--network', '', ...NOWHERE],
    ['ls', '--cert', text, '--key', text, ...NOWHERE],
    ['cert', 'show', text],
    ['replay', text],
    ['bench', 'demo/greet', '-n', '1e9', ...NOWHERE],
  ];
  for (const args of mistakes) {
    const { code, out, err } = await trunkline([...args, '--json'], { env });
    t.is(code, 2, `${args.join(' ')}: ${err}`);
    t.is(out, '');
    t.is(JSON.parse(err).error.code, 'invalid_argument', args.join(' '));
  }
});

test('whatever is named and does not exist exits with 15', async (t) => {
  const { address } = await startNode(t, { isWritable: true });
  const path = await folder(t);
  const schema = join(path, 'demo.json');
  await writeFile(schema, (await trunkline(['describe', 'demo', '--json', '-a', address])).out);
  const missing = join(path, 'missing', 'file');
  for (const args of [
    ['call', 'demos/greet', '{}'],
    ['call', 'demo/great', '{}'],
    ['call', 'demos/greet', '{}', '--schema', schema],
    ['call', 'demo/greet', '--from-file', missing],
    ['bench', 'demo/great'],
    ['describe', 'demo/great'],
    ['schema', 'export', 'demos'],
    ['disconnect', 'in-99'],
    ['ls', '--context', 'nothing'],
    ['context', 'use', 'nothing'],
    ['context', 'rm', 'nothing'],
    ['ls', '--cert', missing, '--key', missing],
    ['cert', 'ca', '-o', missing],
  ]) {
    const { code, err } = await trunkline([...args, '--json', '-a', address]);
    t.is(code, 15, `${args.join(' ')}: ${err}`);
    t.is(JSON.parse(err).error.code, 'not_found');
  }
});

test('addresses on which nothing can listen give the code of their error', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  for (const args of [
    ['proxy', '127.0.0.1:1', '-l', `127.0.0.1:${port}`],
    ['signal', '--bind', `127.0.0.1:${port}`],
    ['dashboard', 'tcp://127.0.0.1:1', '--port', String(port)],
  ]) {
    const { code, err } = await trunkline(args);
    t.is(code, 24, `${args.join(' ')}: ${err}`);
    t.regex(err, /EADDRINUSE/);
  }
});

test('with --json, every line of both outputs is JSON', async (t) => {
  const node = await startNode(t, { hasGossip: true });
  const env = { TRUNKLINE_CONTEXTS: join(await folder(t), 'contexts.json') };
  const topic = node.gossip!.topic('news', (await import('@trunkline/transport-core')).bytes);
  topic.close();
  const end = new AbortController();
  const interrupt = () => end.abort(new Error('interrupted'));
  const commands: [args: string[], onOut?: () => void][] = [
    [['call', 'demo/note', '"hi"']],
    [['pub', 'news', '1', '--min', '0']],
    [['context', 'add', 'x']],
    [['cert']],
    [[]],
    [['--help']],
    [['call', '--help']],
    [['help']],
    [['--version']],
    [['sub', 'news'], interrupt],
    [['proxy', '127.0.0.1:1'], interrupt],
    [['dashboard', node.address, '--open'], interrupt],
  ];
  for (const [args, onErr] of commands) {
    const isWaiting = onErr !== undefined;
    const { out, err } = await trunkline([...args, '--json', '-a', node.address], {
      env,
      interrupted: isWaiting ? end.signal : undefined,
      onErr,
      onBrowse: () => {
        throw new Error('there is no browser');
      },
    });
    const lines = `${out}${err}`.trimEnd().split('\n');
    for (const line of lines) t.notThrows(() => JSON.parse(line), `${args.join(' ')}: ${line}`);
  }
});

test('a closed pipe ends a command with 141, without a message', async (t) => {
  const { address } = await startNode(t);
  const child = start(t, ['ping', '--count', '9', '--interval', '1ms', '-a', address]);
  child.stdout!.destroy();
  t.deepEqual(await outcomeOf(child), { code: 141, err: '' });
});

test('messages that nobody reads do not change the exit code', async (t) => {
  const child = start(t, ['cal']);
  child.stderr!.destroy();
  t.is((await outcomeOf(child)).code, 2);
});

test('an output that takes nothing is an error', async (t) => {
  if (!existsSync('/dev/full')) return t.pass('only Linux has /dev/full');
  const { address } = await startNode(t);
  for (const args of [['ls', '-a', address], ['completion', 'bash'], ['--help']]) {
    const { code, err } = await outcomeOf(start(t, args, openSync('/dev/full', 'w')));
    t.is(code, 18, err);
    t.regex(
      err,
      /^trunkline: resource_exhausted: cannot write: the standard output: [^\n]*ENOSPC[^\n]*\n$/,
    );
  }
});

test('the help lists every exit code', async (t) => {
  const { out } = await trunkline(['--help']);
  const codes = EXIT_CODES.map(([code]) => code);
  t.deepEqual(codes, [0, 1, 2, ...Array.from({ length: 16 }, (_, i) => i + 11), 130, 141]);
  for (const code of codes) t.true(out.includes(` ${code} `), String(code));
});

function start(t: ExecutionContext, args: readonly string[], stdout: 'pipe' | number = 'pipe') {
  const main = fileURLToPath(new URL('./main.js', import.meta.url));
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', stdout, 'pipe'] });
  t.teardown(() => child.kill('SIGKILL'));
  return child;
}

async function outcomeOf(child: ReturnType<typeof start>): Promise<{ code: number; err: string }> {
  let err = '';
  child.stderr!.on('data', (chunk) => (err += chunk));
  const [code] = await once(child, 'close');
  return { code, err };
}
