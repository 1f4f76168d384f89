// Runs the benchmark of open connections in short: processes start, connections are opened and
// kept, and none is lost.

import test from 'ava';
import { run } from './testing/run.ts';

test('a smoke run opens every kind of connection, and keeps those that can be kept', async (t) => {
  const { code, output, errors } = await run(
    'connections.js',
    '--smoke',
    '--json',
    '--count',
    '20',
    '--clients',
    '1',
    '--only',
    'bare,trunkline',
  );
  t.is(code, 0, errors);
  const { measurements, verdicts } = JSON.parse(output);
  t.deepEqual(
    measurements.map(
      ({ kind, connections, keeping }: { kind: string; connections: number; keeping?: object }) => [
        kind,
        connections,
        keeping !== undefined,
      ],
    ),
    [
      ['bare-tcp', 20, false],
      ['bare-tcp-pooled', 20, false],
      ['trunkline-tcp', 20, true],
      ['bare-tls', 20, false],
      ['trunkline-tls', 20, true],
      ['trunkline-noise', 20, true],
    ],
  );
  for (const { connects, opened } of measurements)
    t.true(connects > 0 && Number.isFinite(opened.rss));
  for (const { keeping } of measurements)
    if (keeping !== undefined) t.like(keeping, { up: 20, lost: 0 });
  t.is(verdicts.length, 3);
  t.regex(errors, /trunkline-tls: 20 kept, 0 lost/);
});

test('the table shows the cost of each kind, and how much more it is than bare node:tls', async (t) => {
  const { code, output, errors } = await run(
    'connections.js',
    '--smoke',
    '--count',
    '10',
    '--clients',
    '1',
  );
  t.is(code, 0, errors);
  t.regex(output, /^ +bare-tls +trunkline-tls$/m);
  t.regex(output, /^RSS, KiB +-?[\d.,]+ +-?[\d.,]+ \([+−][\d.,]+\)$/m);
  t.regex(output, /^lost +- +0$/m);
});

test('an invalid option is reported with the usage', async (t) => {
  for (const [args, named] of [
    [['--count', 'many'], /--count: .*'many'/],
    [['--count', '4000000000'], /--count: .* open files/],
    [['--minutes', '0'], /--minutes: .*'0'/],
    [['--only', 'carrier-pigeon'], /--only: .*'carrier-pigeon'/],
    [['--fast'], /--fast/],
  ] as const) {
    const { code, errors } = await run('connections.js', ...args);
    t.is(code, 2);
    t.regex(errors, named);
    t.regex(errors, /usage:/);
  }
});
