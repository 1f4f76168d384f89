// The whole harness, in short: processes start, every reply is checked, figures come, and nothing keeps a closed process alive.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import test from 'ava';

test('a smoke run measures every scenario of every column that it suits, and ends by itself', async (t) => {
  const { code, output, errors } = await bench('--smoke', '--json');
  t.is(code, 0, errors);
  const { rounds, verdicts } = JSON.parse(output);
  t.is(rounds.length, 1);
  for (const scenario of ['s1', 's2', 's6']) {
    for (const column of ['limit-net', 'limit-net again', 'trunkline-tcp']) t.true(rounds[0][scenario][column].rate > 0, `${scenario} of ${column}`);
  }
  t.deepEqual(Object.keys(rounds[0]['s6-elsewhere']), ['trunkline-tcp']);
  t.deepEqual(verdicts, []);
});

test('the table names the scenarios, and progress is told while it runs', async (t) => {
  const { code, output, errors } = await bench('--smoke', '--only', 's2');
  t.is(code, 0, errors);
  t.regex(output, /64 B, 128 in flight +calls\/s +[\d,]+ +[\d,.]+ +\([\d.]+\)/);
  t.regex(errors, /round 1 of 1: 64 B, 128 in flight, trunkline-tcp/);
});

test('a wrong option is named, with the usage', async (t) => {
  for (const [args, named] of [
    [['--rounds', 'few'], /--rounds: .*'few'/],
    [['--only', 's9'], /--only: .*'s9'/],
    [['--fast'], /--fast/],
  ] as const) {
    const { code, errors } = await bench(...args);
    t.is(code, 2);
    t.regex(errors, named);
    t.regex(errors, /usage:/);
  }
});

async function bench(...args: string[]): Promise<{ code: number; output: string; errors: string }> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./index.js', import.meta.url)), ...args]);
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, output, errors };
}
