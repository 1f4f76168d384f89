// Tests the command line of `pnpm sim`.

import test from 'ava';
import { DEFAULTS, optionsOf, parseOptions, scenarioUrl, settingsOf } from './settings.ts';

test('by default it runs 200 seeds of ten virtual minutes, five nodes, the swarm', (t) => {
  t.like(parseOptions([]), { seeds: 200, from: 1, settings: DEFAULTS });
  t.is(optionsOf(DEFAULTS), '');
});

test('other settings are passed in the URL of the scenario, and a replay repeats them', (t) => {
  const args = '--minutes 90 --nemesis split-brain --level stream';
  const { seeds, settings } = parseOptions(['--seeds', '7', ...args.split(' ')]);
  t.is(seeds, 7);
  t.deepEqual(settings, { ...DEFAULTS, minutes: 90, nemesis: 'split-brain', level: 'stream' });
  t.deepEqual(settingsOf(scenarioUrl(settings)), settings);
  t.is(optionsOf(settings), ` ${args}`);
});

for (const [args, message] of [
  ['--nodes 2', /^--nodes: expected a whole number from 3 to 9, got '2'$/],
  ['--minutes 1e3', /^--minutes: expected a whole number from 1 to 60000, got '1e3'$/],
  ['--nemesis constructor', /^--nemesis: expected one of bad-links, .*, got 'constructor'$/],
  ['--node 3', /--node/],
  ['all', /all/],
] as const)
  test(`${args} is refused, and the error says what is valid`, (t) => {
    t.throws(() => parseOptions(args.split(' ')), { message });
  });
