// Tests the command line of `pnpm sim`.

import test from 'ava';
import { parseOptions } from './options.ts';
import { DEFAULTS, scenarioUrl, settingsOf } from './settings.ts';

test('by default it runs 200 seeds of ten virtual minutes, five nodes, the swarm', (t) => {
  t.like(parseOptions([]), { seeds: 200, from: 1, settings: DEFAULTS, replay: [] });
});

test('other settings work, also in replays, and are passed in the URL of the scenario', (t) => {
  const replay = ['--hours', '1.5', '--nemesis', 'split-brain', '--level', 'stream'];
  const options = parseOptions(['--seeds', '7', '--workers', '1', '--json', ...replay]);
  t.like(options, { seeds: 7, workers: 1, json: true, replay });
  const { settings } = options;
  t.deepEqual(settings, { ...DEFAULTS, minutes: 90, nemesis: 'split-brain', level: 'stream' });
  t.deepEqual(settingsOf(scenarioUrl(settings)), settings);
});

for (const [args, message] of [
  ['--nodes 2', /^--nodes: expected a whole number from 3 to 9, got '2'$/],
  ['--minutes 1e3', /^--minutes: expected a number from 1 minute to 1000 hours, got '1e3'$/],
  ['--minutes 1 --hours 1', /^--hours: give --minutes or --hours, not both$/],
  ['--nemesis constructor', /^--nemesis: expected one of bad-links, .*, got 'constructor'$/],
  ['--node 3', /--node/],
  ['all', /all/],
] as const) {
  test(`${args} is refused, and the error says what is valid`, (t) => {
    t.throws(() => parseOptions(args.split(' ')), { message });
  });
}
