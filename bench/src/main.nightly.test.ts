// Runs every benchmark in short, as its users do: processes start, every reply is checked, figures
// are reported, and nothing keeps a closed process alive.

import { fileURLToPath } from 'node:url';
import { unable as noNats } from '@trunkline/local-nats';
import test from 'ava';
import { ADAPTER_NAMES, isInstalled, REAL_PEERS } from './adapters/table.ts';
import { BARE, OURS } from './real/library.ts';
import type { SummaryRow } from './summary.ts';
import { run } from './testing/run.ts';
import { unable as noChromium } from './webrtc/chromium.ts';
import { COLUMNS } from './webrtc/columns.ts';

const HERE = fileURLToPath(new URL('../../', import.meta.url));
const both = (groups: readonly string[], names: readonly string[]) =>
  groups.flatMap((group) => names.map((name) => `${group} ${name}`));

const [LIMIT, TCP, TLS] = ['limit-net', 'trunkline-tcp', 'trunkline-tls,trunkline-noise'] as const;
const LOAD = 'five nodes, calls with JSON and zod';
const INTERCEPTED = 'two interceptors at each end';
const PEERS = isInstalled() ? ' --peers' : '';
const REAL_ROWS = [BARE, OURS, ...(isInstalled() ? REAL_PEERS : [])]
  .flatMap((library) => [`${library} over TCP`, `${library} over TLS`])
  .concat(`${OURS} over Noise`);

/** A run: its arguments, a figure above 0 in each row that it must have, and these rows. */
const RUNS: readonly (readonly [args: string, figure: string, rows: readonly string[]])[] = [
  ['calls --scenario s1,s6', 'p50', both(['s1', 's6'], [LIMIT, TCP, 'trunkline-ws'])],
  [`calls --scenario s6 --adapter ${TLS}`, 'p50', both(['s6'], ['limit-tls', ...TLS.split(',')])],
  ['calls --scenario s2', 'rate', both(['s2'], [`${TCP}-consumer`, 'trunkline-inmem'])],
  ['calls --scenario s4 --adapter limit,trunkline', 'bulk', both(['s4'], ADAPTER_NAMES)],
  [`calls --scenario s6${PEERS}`, 'p50', both(['s6'], isInstalled() ? ['birpc-ws', 'zeromq'] : [])],
  ['calls --scenario s7', 'rate', both(['s7'], [LIMIT, TCP])],
  ['calls --scenario s8', '', both(['s8'], [LIMIT, TCP])],
  ['gossip', 'p50', both(['4 processes, 200 messages/s'], ['tree', 'mesh', 'flood'])],
  [`observing --before ${HERE}`, 'rate', both(['s1, tcp', 's3, inmem'], ['plain', INTERCEPTED])],
  ...['one,small', 'order,list,download'].map(
    (tasks) => [`real --task ${tasks}${PEERS}`, 'rate', both(tasks.split(','), REAL_ROWS)] as const,
  ),
  ...['relay', 'relay --loopback'].map(
    (args) => [args, 'last', both(['5 receivers, 256 KiB'], ['direct', 'relays'])] as const,
  ),
  ['scale', 'rate', both(['1 in flight', '0 B', '1 KiB', '20 connections'], [LIMIT, TCP])],
  ['simulation', 'events', both([''], ['bare heap and microtask loop', 'stream level'])],
  [
    `simulation-loads --load calls --before ${HERE}`,
    'times',
    both([''], [LOAD, `${LOAD}, before`]),
  ],
  ['start', 'time', both([''], ['bare Node', 'core + tcp', 'gossip', 'trunkline'])],
  ['webrtc', 'calls', both(noChromium() === undefined ? ['node', 'chromium'] : ['node'], COLUMNS)],
  ...(noNats() === undefined
    ? [['nats', 'bulk', both([''], ['bare-nats', 'trunkline-nats'])] as const]
    : []),
];

for (const [args, figure, wanted] of RUNS)
  test.serial(`bench ${args.replaceAll(HERE, 'here')}`, async (t) => {
    t.timeout(180_000); // A busy machine may need a minute.
    const { code, output, errors } = await run('main.js', ...args.split(' '), '--smoke', '--json');
    t.is(code, 0, errors);
    const { rows, verdicts } = JSON.parse(output) as { rows: SummaryRow[]; verdicts: unknown[] };
    for (const name of wanted) {
      const row = rows.find((each) => `${each.group} ${each.name}` === name);
      t.true(row !== undefined, `${name} of ${rows.map((each) => `${each.group} ${each.name}`)}`);
      if (figure !== '') t.true(row!.figures[figure]!.median > 0, name);
    }
    if (args === 'gossip')
      for (const { name, figures } of rows)
        for (const fault of ['lost', 'wrong']) t.is(figures[fault]?.median, 0, `${name}: ${fault}`);
    t.deepEqual(verdicts, []);
    t.regex(errors, /round 1 of 1: /);
  });

test.serial('bench line uses its own line, or reports why there is none', async (t) => {
  const args = ['--smoke', '--json', '--backend', 'tcp', '--task', 'upload,get', '--mib', '1'];
  const { code, output, errors } = await run('main.js', 'line', ...args);
  if (code === 3) return t.regex(errors, /bench line cannot run here: /);
  t.is(code, 0, errors);
  for (const { figures } of JSON.parse(output).rows)
    t.true((figures.mbits ?? figures.trips).median > 0);
});

test('a wrong option is reported with the usage', async (t) => {
  for (const [args, named] of [
    ['calls --rounds few', /--rounds: .*'few'/],
    ['calls --scenario s9', /--scenario: .*'s9'/],
    ['calls --adapter smoke-signals', /--adapter: .*'smoke-signals'/],
    ['gossip --nodes 1', /--nodes: .*'1'/],
    ['observing --before /no/checkout', /--before: .*'\/no\/checkout'/],
    ['scale --connections 4000000000', /--connections: .* open files/],
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
