// Runs the benchmark of gossip between processes in short: a few processes receive from one of
// them, over every available adapter.

import test from 'ava';
import { run } from './testing/run.ts';

const SHORT = [
  '--nodes',
  '4',
  '--rate',
  '200',
  '--seconds',
  '0.5',
  '--warm',
  '0.2',
  '--rounds',
  '1',
];

test('every process gets every message once, over each overlay, the flood and, if installed, NATS', async (t) => {
  t.timeout(120_000);
  const { code, output, errors } = await run('gossip-processes.js', ...SHORT, '--json');
  t.is(code, 0, errors);
  const { measurements, verdicts } = JSON.parse(output);
  t.deepEqual(
    measurements
      .map(({ kind }: { kind: string }) => kind)
      .filter((kind: string) => kind !== 'nats'),
    ['tree', 'mesh', 'flood'],
  );
  for (const { kind, figures, lostInWarmUp } of measurements) {
    t.like(figures, { lost: 0, twice: 0, strange: 0 }, kind);
    t.is(lostInWarmUp, 0, kind);
    t.true(figures.p50 > 0 && figures.p99 >= figures.p50 && figures.longest >= figures.p99, kind);
    t.true(figures.copies >= 1 && figures.bytes > 256, kind);
  }
  t.deepEqual(
    verdicts.map(({ bar }: { bar: string }) => bar.split(',')[0]),
    ['tree', 'mesh'],
  );
  t.regex(errors, /round 1 of 1: mesh, 4 processes, 200 a second/);
});

test('tables have a block for each size and rate, and only requested ones are measured', async (t) => {
  t.timeout(120_000);
  const { code, output, errors } = await run(
    'gossip-processes.js',
    ...SHORT,
    '--nodes',
    '2,3',
    '--adapter',
    'flood',
  );
  t.is(code, 0, errors);
  for (const nodes of [2, 3])
    t.regex(output, new RegExp(`^${nodes} processes, 200 messages/s +flood$`, 'm'));
  t.regex(output, /^lost +0$/m);
  t.regex(output, /load average/);
  t.notRegex(output, /tree/);
});

test('an invalid option is reported with the usage', async (t) => {
  for (const [args, named] of [
    [['--nodes', '1'], /--nodes: .*'1'/],
    [['--rate', '1000,fast'], /--rate: .*'fast'/],
    [['--size', '8'], /--size: .*8/],
    [['--adapter', 'pigeons'], /--adapter: .*'pigeons'/],
    [['--find'], /--find/],
  ] as const) {
    const { code, errors } = await run('gossip-processes.js', ...args);
    t.is(code, 2);
    t.regex(errors, named);
    t.regex(errors, /usage:/);
  }
});
