// Runs short benchmarks of forwarding, in virtual time and over loopback.

import test from 'ava';
import { run } from './testing/run.ts';

test('a short run reports times, their ratio, and the sent bytes', async (t) => {
  t.timeout(60_000);
  const { code, output, errors } = await run(
    'gossip-relay.js',
    '--receivers',
    '8',
    '--size',
    '256',
  );
  t.is(code, 0, errors);
  const cells = output
    .split('\n')
    .find((line) => / 256 /.test(line))!
    .trim()
    .split(/ +/);
  const [ratio, published] = [Number(cells[4]), Number(cells[8])];
  t.true(ratio > 0.1 && ratio < 1, output);
  t.true(published >= 3 && published < 3.2, output);
});

test('a short run works over loopback, too', async (t) => {
  t.timeout(60_000);
  const { code, output, errors } = await run(
    'gossip-relay.js',
    '--loopback',
    '--receivers',
    '5',
    '--size',
    '256',
    '--rounds',
    '1',
  );
  t.is(code, 0, errors);
  t.regex(output, /^ +5 +256 /m);
});

test('invalid options are reported with exit code 2', async (t) => {
  for (const args of [['--fanout', 'none'], ['--size', '1,x'], ['--fast']])
    t.is((await run('gossip-relay.js', ...args)).code, 2);
});
