// Tests the cluster that stays: as a new user would, with the command line that it prints.

import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test from 'ava';
import { runMain } from '../testing/run-main.ts';
import { CLI, runLive } from './live.ts';

/** Runs the command line. */
const trunkline = (contexts: string, ...args: string[]) =>
  runMain([CLI], args, { TRUNKLINE_CONTEXTS: contexts });

test('a user calls the cluster over TLS, but not the protocol of Raft', async (t) => {
  t.timeout(120_000);
  const end = new AbortController();
  let live: Promise<void> | undefined;
  t.teardown(() => {
    end.abort();
    return live;
  });
  const contexts = await new Promise<string>((resolve, reject) => {
    const print = (text: string) => {
      const path = /TRUNKLINE_CONTEXTS=(\S+)/.exec(text)?.[1];
      if (path !== undefined) resolve(path);
    };
    live = runLive({ nodes: 3, dashboard: true, print, signal: end.signal });
    live.catch(reject);
  });
  const set = await trunkline(contexts, 'call', 'store/set', '{"key":"color","value":"blue"}');
  t.deepEqual(set, { code: 0, out: '{}\n', err: '' });
  const got = await trunkline(contexts, 'call', 'store/get', '{"key":"color"}');
  t.is(got.out, '{"value":"blue"}\n');

  const { demo } = JSON.parse(await readFile(contexts, 'utf8')).contexts;
  t.is(dirname(demo.key), dirname(contexts));
  const failed = await trunkline(contexts, 'call', 'raft/propose', '""');
  t.is(failed.code, 17, failed.err);
  t.regex(failed.err, /^trunkline: .*only members .*; call 'store' instead.*\n$/);
  end.abort();
  await live;
  await t.throwsAsync(readFile(join(dirname(contexts), 'me.key')), { code: 'ENOENT' });
});
