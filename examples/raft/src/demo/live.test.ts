// Tests the cluster that stays: as a new user would, with the command line that it prints.

import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run, type Terminal } from '@trunkline/cli';
import { systemClock } from '@trunkline/transport-core';
import test from 'ava';
import { runLive } from './live.ts';

/** Runs the command line. */
async function trunkline(contexts: string, ...args: string[]) {
  let out = '';
  let err = '';
  const terminal: Terminal = {
    out: async (text) => void (out += text),
    err: (text) => void (err += text),
    input: (async function* () {})(),
    isTerminal: false,
    showsProgress: false,
    size: { columns: 100, rows: 30 },
    keys: () => (async function* () {})(),
    browse: async () => {},
    env: { TRUNKLINE_CONTEXTS: contexts },
    interrupted: new AbortController().signal,
    clock: systemClock,
    date: () => 0,
  };
  const code = await run(args, terminal);
  return { code, out, err };
}

test('a user calls the cluster over TLS, and a mistake gives one clear line', async (t) => {
  t.timeout(120_000);
  const end = new AbortController();
  let told = (_: string) => {};
  const printed = new Promise<string>((resolve) => (told = resolve));
  const print = (text: string) => {
    const contexts = /TRUNKLINE_CONTEXTS=(\S+)/.exec(text)?.[1];
    if (contexts !== undefined) told(contexts);
  };
  const live = runLive({ nodes: 3, dashboard: true, print, signal: end.signal });
  t.teardown(() => {
    end.abort();
    return live;
  });
  const contexts = await Promise.race([printed, live.then(() => '')]);
  const set = await trunkline(contexts, 'call', 'store/set', '{"key":"color","value":"blue"}');
  t.deepEqual(set, { code: 0, out: '{}\n', err: '' });
  const get = await trunkline(contexts, 'call', 'store/get', '{"key":"color"}');
  t.is(get.out, '{"value":"blue"}\n');

  const failures = [
    { args: ['store/gte', '{}'], code: 22 },
    { args: ['store/get', '{"kee":"color"}'], code: 13 },
    { args: ['store/get', '{"key":"color"}', '-a', 'tcp://127.0.0.1:1'], code: 24 },
  ];
  for (const { args, code } of failures) {
    const failed = await trunkline(contexts, 'call', ...args, '--context', 'demo');
    t.is(failed.code, code, failed.err);
    t.regex(failed.err, /^trunkline: [^\n]+\n$/);
  }
  const { contexts: all } = JSON.parse(await readFile(contexts, 'utf8'));
  t.is(dirname(all.demo.key), dirname(contexts));
  end.abort();
  await live;
  await t.throwsAsync(readFile(join(dirname(contexts), 'me.key')), { code: 'ENOENT' });
});
