// The whole harness, in short: processes start, every reply is checked, figures come, and nothing keeps a closed process alive.

import test from 'ava';
import { run } from './testing/run.ts';

test('a smoke run measures every scenario of every column that it suits, and ends by itself', async (t) => {
  const { code, output, errors } = await run('index.js', '--smoke', '--json');
  t.is(code, 0, errors);
  const { rounds, verdicts } = JSON.parse(output);
  t.is(rounds.length, 1);
  for (const scenario of ['s1', 's2', 's6']) {
    for (const column of ALL) t.true(rounds[0][scenario][column].rate > 0, `${scenario} of ${column}`);
  }
  t.deepEqual(Object.keys(rounds[0]['s6-elsewhere']), ['trunkline-tcp', 'trunkline-tls', 'trunkline-noise']);
  t.deepEqual(verdicts, []);
});

test('the table names the scenarios, and progress is told while it runs', async (t) => {
  const { code, output, errors } = await run('index.js', '--smoke', '--only', 's2', '--adapter', 'trunkline-tls');
  t.is(code, 0, errors);
  t.regex(output, /^ +limit-tls +trunkline-tls\n +\(÷ limit-tls\)$/m);
  t.regex(output, /64 B, 128 in flight +calls\/s +[\d,.]+ +[\d,.]+ +\([\d.]+\)/);
  t.regex(errors, /round 1 of 1: 64 B, 128 in flight, trunkline-tls/);
});

test('a wrong option is named, with the usage', async (t) => {
  for (const [args, named] of [
    [['--rounds', 'few'], /--rounds: .*'few'/],
    [['--only', 's9'], /--only: .*'s9'/],
    [['--adapter', 'smoke-signals'], /--adapter: .*'smoke-signals'/],
    [['--fast'], /--fast/],
  ] as const) {
    const { code, errors } = await run('index.js', ...args);
    t.is(code, 2);
    t.regex(errors, named);
    t.regex(errors, /usage:/);
  }
});

const ALL = ['limit-net', 'limit-net again', 'trunkline-tcp', 'limit-tls', 'trunkline-tls', 'trunkline-noise'];
