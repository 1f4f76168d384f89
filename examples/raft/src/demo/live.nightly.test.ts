// Tests the cluster that stays: as a new user would, with the command line that it prints.

import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import test from 'ava';
import { runMain } from '../testing/run-main.ts';
import { CLI, runLive } from './live.ts';

/** Runs the command line. */
const trunkline = (contexts: string, ...args: string[]) =>
  runMain([CLI], args, { TRUNKLINE_CONTEXTS: contexts });

test('a user calls the cluster over TLS, and a mistake gives one clear line', async (t) => {
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
  const stranger = join(dirname(contexts), 'stranger');
  const other = join(dirname(contexts), 'other');
  const issue = ['issue', '--authority', other, '-o', stranger];
  for (const args of [['ca', '-o', other], issue])
    t.is((await trunkline(contexts, 'cert', ...args)).code, 0);
  const asStranger = ['--ca', demo.ca, '--cert', `${stranger}.crt`, '--key', `${stranger}.key`];
  const get = ['store/get', '{"key":"color"}'];
  const failures = [
    { args: ['store/gte', '{}'], code: 15, says: /no method 'gte'; it has get, set/ },
    { args: ['store/get', '{"kee":"color"}'], code: 2, says: /kee: unknown field; .* key/ },
    { args: ['raft/propose', '""'], code: 17, says: /only members .*; call 'store' instead/ },
    { args: [...get, '-a', 'tcp://127.0.0.1:1'], code: 24, says: /connection_refused/ },
    { args: [...get, ...asStranger], code: 26, says: /bad_certificate/ },
  ];
  for (const { args, code, says } of failures) {
    const failed = await trunkline(contexts, 'call', ...args, '--context', 'demo');
    t.is(failed.code, code, failed.err);
    t.regex(failed.err, /^trunkline: [^\n]+\n$/);
    t.regex(failed.err, says);
    t.is(failed.out, '');
  }
  end.abort();
  await live;
  await t.throwsAsync(readFile(join(dirname(contexts), 'me.key')), { code: 'ENOENT' });
});
