// Runs the whole harness in short: processes start, every reply is checked, figures are reported,
// and nothing keeps a closed process alive.

import test from 'ava';
import { columnsOf } from './columns.ts';
import { isInstalled } from './gossip-processes/nats-server.ts';
import { SCENARIOS } from './scenarios/by-name.ts';
import { run } from './testing/run.ts';

test('a smoke run measures every scenario of every default column, and exits by itself', async (t) => {
  t.timeout(180_000); // A busy machine may need a minute.
  const { code, output, errors } = await run('index.js', '--smoke', '--json');
  t.is(code, 0, errors);
  const { rounds, verdicts } = JSON.parse(output);
  t.is(rounds.length, 1);
  for (const scenario of SCENARIOS) {
    const columns = columnsOf(scenario, []);
    t.true(columns.length > 0, scenario.name);
    for (const { title } of columns.filter(
      ({ title, adapter }) => title === adapter && (adapter !== 'nats-server' || isInstalled()),
    ))
      t.true(rounds[0][scenario.name][title].rate > 0, `${scenario.name} of ${title}`);
  }
  t.deepEqual(verdicts, []);
});

test('the secure adapters are measured if they are named', async (t) => {
  const { code, output, errors } = await run(
    'index.js',
    '--smoke',
    '--json',
    '--scenario',
    's6',
    '--adapter',
    'trunkline-tls,trunkline-noise',
  );
  t.is(code, 0, errors);
  t.deepEqual(Object.keys(JSON.parse(output).rounds[0].s6).sort(), [
    'limit-tls',
    'trunkline-noise',
    'trunkline-tls',
  ]);
});

test('the table names the scenario and the comparisons, and progress is reported during the run', async (t) => {
  const { code, output, errors } = await run(
    'index.js',
    '--smoke',
    '--scenario',
    's2',
    '--adapter',
    'trunkline-tcp',
    '--node',
    process.execPath,
  );
  t.is(code, 0, errors);
  t.regex(output, /^s2: 64 B echo, 128 in flight\n +calls\/s +client ns +server ns$/m);
  t.regex(output, /^ {2}limit-net +[\d,.]+ +[\d,.]+ +[\d,.]+$/m);
  t.regex(output, /^ {2}trunkline-tcp +÷ limit-net +[\d,.]+ +\([\d.]+\) /m);
  t.regex(errors, /round 1 of 1: s2, trunkline-tcp/);
});

test('another Node runs in the same rounds, except for adapters where it does not matter', async (t) => {
  const args = [
    '--smoke',
    '--json',
    '--scenario',
    's2',
    '--adapter',
    'trunkline-tcp',
    '--beside',
    process.execPath,
  ];
  const { code, output, errors } = await run('index.js', ...args);
  t.is(code, 0, errors);
  const { rounds, beside } = JSON.parse(output);
  t.is(rounds.length, 1);
  t.is(beside.length, 1);
  for (const title of ['limit-net', 'trunkline-tcp']) t.true(beside[0].s2[title].rate > 0, title);
  t.regex(errors, /s2, trunkline-tcp on v\d/);
});

test('an invalid option is reported with the usage', async (t) => {
  for (const [args, named] of [
    [['--rounds', 'few'], /--rounds: .*'few'/],
    [['--scenario', 's9'], /--scenario: .*'s9'/],
    [['--adapter', 'smoke-signals'], /--adapter: .*'smoke-signals'/],
    [['--node', '/no/node'], /--node: .*'\/no\/node'/],
    [['--beside', '/no/node'], /--beside: .*'\/no\/node'/],
    [['--report', '--node', process.execPath], /--report .*--beside/],
    [['--fast'], /--fast/],
  ] as const) {
    const { code, errors } = await run('index.js', ...args);
    t.is(code, 2);
    t.regex(errors, named);
    t.regex(errors, /usage:/);
  }
});
