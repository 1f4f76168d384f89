// Tests the command line of `pnpm sim`.

import test from 'ava';
import { parseOptions } from './options.ts';
import { scenarioUrl, settingsOf } from './settings.ts';

test('by default it runs 200 seeds of ten virtual minutes, five nodes, the swarm', (t) => {
  const { seeds, from, workers, settings, replay } = parseOptions([]) as Exclude<
    ReturnType<typeof parseOptions>,
    'help'
  >;
  t.deepEqual(
    { seeds, from, settings, replay },
    {
      seeds: 200,
      from: 1,
      settings: { nodes: 5, clients: 3, minutes: 10, nemesis: 'swarm', level: 'message' },
      replay: [],
    },
  );
  t.true(workers >= 1);
});

test('other settings work, also in replays, and are passed in the URL of the scenario', (t) => {
  const options = parseOptions([
    '--',
    '--seeds',
    '7',
    '--hours=1.5',
    '--nemesis',
    'split-brain',
    '--level',
    'stream',
    '--nodes',
    '3',
    '--workers',
    '1',
    '--json',
    '--record',
    'failure.json',
  ]);
  t.like(options, {
    seeds: 7,
    workers: 1,
    json: true,
    record: 'failure.json',
    replay: ['--hours', '1.5', '--nemesis', 'split-brain', '--level', 'stream', '--nodes', '3'],
  });
  const { settings } = options as Exclude<typeof options, 'help'>;
  t.deepEqual(settings, {
    nodes: 3,
    clients: 3,
    minutes: 90,
    nemesis: 'split-brain',
    level: 'stream',
  });
  t.deepEqual(settingsOf(scenarioUrl(settings)), settings);
  t.is(parseOptions(['--help', '--nodes', 'many']), 'help');
});

for (const [args, message] of [
  [['--nodes', '2'], /^--nodes: expected a whole number from 3 to 9, got '2'$/],
  [['--seeds', '0'], /^--seeds: /],
  [['--minutes', '1e3'], /^--minutes: expected a number from 1 minute to 1000 hours, got '1e3'$/],
  [['--hours', '0'], /^--hours: /],
  [['--minutes', '1', '--hours', '1'], /^--hours: give --minutes or --hours, not both$/],
  [
    ['--nemesis', 'constructor'],
    /^--nemesis: expected one of bad-links, .*, none, got 'constructor'$/,
  ],
  [['--level', 'packet'], /^--level: expected one of message, stream, got 'packet'$/],
  [['--node', '3'], /--node/],
  [['--nodes'], /--nodes/],
  [['all'], /all/],
] as const) {
  test(`${args.join(' ')} is refused, and the error says what is valid`, (t) => {
    t.throws(() => parseOptions(args), { message });
  });
}
