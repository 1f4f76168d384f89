// Runs the demo as a process and checks its output and its exit codes.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { unable } from '@trunkline/local-nats';
import test from 'ava';

const demo = fileURLToPath(new URL('demo.js', import.meta.url));

type Outcome = { code: number | null; out: string; err: string };

/** @param first an argument, or variables of the environment */
function run(first: string | NodeJS.ProcessEnv, ...rest: string[]): Promise<Outcome> {
  const args = typeof first === 'string' ? [first, ...rest] : rest;
  const env = typeof first === 'string' ? process.env : { ...process.env, ...first };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [demo, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env,
    });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk) => (out += chunk));
    child.stderr.on('data', (chunk) => (err += chunk));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

test('the demo exits by itself, with a table and exit code 0', async (t) => {
  const { code, out, err } = await run('--transport', 'inmem', '--nodes', '3', '--writes', '20');
  t.is(code, 0, out + err);
  t.regex(out, /^backend +election +commits\/s +fail-over +write p50 +write p99 .* verdict$/m);
  t.regex(out, /^inmem( +[\d.]+){6} +\d+ KiB +ok$/m);
  t.is(err, '');
});

test('on secure backends it also reports who took part, was denied and was refused', async (t) => {
  const { code, out, err } = await run(
    '--transport',
    'tls,noise',
    '--nodes',
    '3',
    '--writes',
    '20',
  );
  t.is(code, 0, out + err);
  for (const name of ['tls  ', 'noise']) {
    t.regex(
      out,
      new RegExp(`^${name}  members( +[0-9a-f]{8}){3}, each proven to all others$`, 'm'),
    );
    t.regex(
      out,
      new RegExp(
        `^${name}  denied +[0-9a-f]{8}: disconnected in .* permission_denied \\(denied\\); 2 writes without it; back in`,
        'm',
      ),
    );
    t.regex(out, new RegExp(`^${name}  stranger +[0-9a-f]{8}: refused, `, 'm'));
    t.regex(out, new RegExp(`^${name}( +[\\d.]+){6} +\\d+ KiB +ok$`, 'm'));
  }
  t.is(err, '');
});

(unable() === undefined ? test : test.skip)(
  'over NATS it runs on one server, and on a cluster of which one is killed',
  async (t) => {
    const { code, out, err } = await run('--transport', 'nats', '--nodes', '3', '--writes', '20');
    t.is(code, 0, out + err);
    t.regex(out, /^nats-cluster server {4}nats:\/\/127\.0\.0\.1:\d+ was killed$/m);
    for (const name of ['nats', 'nats-cluster'])
      t.regex(out, new RegExp(`^${name}( +[\\d.]+){6} +\\d+ KiB +ok$`, 'm'));
    t.is(err, '');
  },
);

test('without nats-server it says how to install it, with exit code 3', async (t) => {
  const { code, out, err } = await run({ PATH: '' }, '--transport', 'nats');
  t.deepEqual([code, out], [3, '']);
  t.regex(err, /^apt-get install nats-server$/m);
});

test('with --peers it reports which nodes were found and where', async (t) => {
  const { code, out, err } = await run('--peers', '--transport', 'inmem', '--writes', '20');
  t.is(code, 0, out + err);
  t.regex(out, /^inmem {2}members( +[0-9a-f]{8}){5}, found through memory-1 in \d+ ms$/m);
  t.regex(out, /^backend +full mesh +election +commits\/s +back by id +without seed +verdict$/m);
  t.regex(out, /^inmem( +[\d.]+){5} +ok$/m);
  t.is(err, '');
});

test('invalid options are reported in one line, with exit code 2', async (t) => {
  for (const args of [
    ['--transport', 'udp'],
    ['--nodes', 'five'],
    ['--speed', '9'],
  ]) {
    const { code, out, err } = await run({}, ...args);
    t.deepEqual([code, out, err.trimEnd().split('\n').length], [2, '', 1], err);
  }
});

test('--help shows the options', async (t) => {
  const { code, out } = await run('--help');
  t.is(code, 0);
  for (const option of ['--transport', '--peers', '--nodes', '--writes'])
    t.true(out.includes(option));
});
