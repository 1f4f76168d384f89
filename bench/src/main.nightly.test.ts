// Runs every benchmark in short, as its users do: processes start, every reply is checked, figures
// are reported, and nothing keeps a closed process alive.

import { fileURLToPath } from 'node:url';
import { unable as noNats } from '@trunkline/local-nats';
import test from 'ava';
import { isInstalled } from './adapters/peers.ts';
import { BARE, OURS, PEERS } from './real/library.ts';
import type { SummaryRow } from './summary.ts';
import { run } from './testing/run.ts';
import { unable as noChromium } from './webrtc/chromium.ts';

const HERE = fileURLToPath(new URL('../../', import.meta.url));
const both = (groups: readonly string[], names: readonly string[]) =>
  groups.flatMap((group) => names.map((name) => `${group} ${name}`));

const REAL_ROWS = [BARE, OURS, ...(isInstalled() ? Object.keys(PEERS) : [])]
  .flatMap((library) => [`${library} over TCP`, `${library} over TLS`])
  .concat(`${OURS} over Noise`);

/** A run: its arguments, and the rows that it must have, each with figures above 0. */
const RUNS: readonly (readonly [args: string, rows: readonly string[], figure: string])[] = [
  [
    'calls --scenario s1,s6',
    both(['s1', 's6'], ['limit-net', 'trunkline-tcp', 'trunkline-ws']),
    'p50',
  ],
  [
    'calls --scenario s6 --adapter trunkline-tls,trunkline-noise',
    both(['s6'], ['limit-tls', 'trunkline-tls', 'trunkline-noise']),
    'p50',
  ],
  [
    'calls --scenario s2',
    both(['s2'], ['trunkline-tcp-consumer', 'trunkline-tcp-json', 'trunkline-inmem']),
    'rate',
  ],
  [
    'calls --scenario s7,s8',
    ['s7 trunkline-tcp', 's7 limit-net', 's8 trunkline-tcp', 's8 limit-net'],
    '',
  ],
  [
    `calls --scenario s2 --adapter trunkline-tcp --beside ${process.execPath}`,
    both(['s2', `s2 on ${process.version}`], ['limit-net', 'trunkline-tcp']),
    'rate',
  ],
  [
    'connections --count 20 --only limit,trunkline',
    both(
      [''],
      [
        'limit-net',
        'limit-net-pooled',
        'limit-tls',
        'trunkline-tcp',
        'trunkline-tls',
        'trunkline-noise',
      ],
    ),
    'connects',
  ],
  ['gossip', both(['4 processes, 200 messages/s'], ['tree', 'mesh', 'flood']), 'p50'],
  [
    `observing --before ${HERE}`,
    both(
      ['s1, tcp', 's3, inmem'],
      ['plain', 'plain, the checkout before', 'two interceptors at each end'],
    ),
    'rate',
  ],
  ...['one,small', 'order,list,download'].map(
    (tasks) =>
      [
        `real --task ${tasks}${isInstalled() ? ' --peers' : ''}`,
        both(tasks.split(','), REAL_ROWS),
        'rate',
      ] as const,
  ),
  ['relay', both(['5 receivers, 256 KiB'], ['direct', 'relays']), 'last'],
  ['relay --loopback', both(['5 receivers, 256 KiB'], ['direct', 'relays']), 'last'],
  [
    'scale',
    both(['1 in flight', '0 B', '1 KiB', '20 connections'], ['limit-net', 'trunkline-tcp']),
    'rate',
  ],
  [
    'simulation',
    both([''], ['bare heap and microtask loop', 'message level', 'stream level']),
    'events',
  ],
  ['simulation --memory', [' 20 nodes with 100 links'], 'heap'],
  [
    `simulation-loads --load calls --before ${HERE}`,
    both(
      [''],
      ['five nodes, calls with JSON and zod', 'five nodes, calls with JSON and zod, before'],
    ),
    'times',
  ],
  ['start', both([''], ['bare Node', 'core + tcp', 'gossip', 'trunkline']), 'time'],
  ['types', both([''], ['plain functions', 'trunkline']), 'time'],
  [
    'webrtc',
    both(noChromium() === undefined ? ['node', 'chromium'] : ['node'], [
      'bare-channel',
      'trunkline-webrtc',
      'bare-ws',
      'trunkline-ws',
    ]),
    'calls',
  ],
  ...(noNats() === undefined
    ? [['nats', both([''], ['bare-nats', 'trunkline-nats']), 'bulk'] as const]
    : []),
];

for (const [args, wanted, figure] of RUNS)
  test.serial(
    `bench ${args.replaceAll(HERE, 'here').replace(process.execPath, 'node')}`,
    async (t) => {
      t.timeout(180_000); // A busy machine may need a minute.
      const { code, output, errors } = await run(
        'main.js',
        ...args.split(' '),
        '--smoke',
        '--json',
      );
      t.is(code, 0, errors);
      const { rows, verdicts } = JSON.parse(output) as { rows: SummaryRow[]; verdicts: unknown[] };
      for (const name of wanted) {
        const row = rows.find((each) => `${each.group} ${each.name}` === name);
        t.true(row !== undefined, `${name} of ${rows.map((each) => `${each.group} ${each.name}`)}`);
        if (figure !== '') t.true(row!.figures[figure]!.median > 0, name);
      }
      t.deepEqual(verdicts, []);
      t.regex(errors, /round 1 of 1: /);
    },
  );

test.serial('bench line uses its own line, or reports why there is none', async (t) => {
  const args = ['--smoke', '--json', '--backend', 'tcp', '--task', 'upload,get', '--mib', '1'];
  const { code, output, errors } = await run('main.js', 'line', ...args);
  if (code === 3) return t.regex(errors, /bench line cannot run here: /);
  t.is(code, 0, errors);
  for (const { figures } of JSON.parse(output).rows)
    t.true((figures.mbits ?? figures.trips).median > 0);
});

test('gossip delivers every message once, and no kept connection is lost', async (t) => {
  const gossip = await run('main.js', 'gossip', '--smoke', '--json', '--adapter', 'tree,mesh');
  for (const { figures } of JSON.parse(gossip.output).rows)
    for (const fault of ['lost', 'twice', 'strange', 'lostInWarmUp'])
      t.is(figures[fault].median, 0, fault);
  const kept = await run('main.js', 'connections', '--smoke', '--json', '--only', 'trunkline-tls');
  t.is(JSON.parse(kept.output).rows[0].figures.lost.median, 0);
});

test('a wrong option is reported with the usage', async (t) => {
  for (const [args, named] of [
    ['calls --rounds few', /--rounds: .*'few'/],
    ['calls --scenario s9', /--scenario: .*'s9'/],
    ['calls --adapter smoke-signals', /--adapter: .*'smoke-signals'/],
    ['calls --beside /no/node', /--beside: .*'\/no\/node'/],
    ['connections --count 4000000000', /--count: .* open files/],
    ['connections --only carrier-pigeon', /--only: .*'carrier-pigeon'/],
    ['gossip --nodes 1', /--nodes: .*'1'/],
    ['gossip --size 8', /--size: .*8/],
    ['observing --before /no/checkout', /--before: .*'\/no\/checkout'/],
    ['real --task chess', /--task: .*'chess'/],
    ['scale --sizes 4', /--sizes: .*'4'/],
    ['simulation-loads --load chess', /--load: .*'chess'/],
    ['start --fast', /--fast/],
  ] as const) {
    const { code, errors } = await run('main.js', ...args.split(' '));
    t.is(code, 2, args);
    t.regex(errors, named);
    t.regex(errors, /usage:/);
  }
});
