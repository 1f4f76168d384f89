// Plants bugs, one at a time, in two small protocols, and counts the seeds after which the default
// search of the simulation finds each. Exit code 1 if it misses the goal.

import { parseArgs } from 'node:util';
import { listed, positive } from '@trunkline/bench/arguments';
import { named } from '@trunkline/bench/named';
import { endProgress, showProgress } from '@trunkline/bench/progress';
import { markdownTable } from '@trunkline/bench/table';
import { type Found, find, PLANTED, type Planted } from './planted/search.ts';

const USAGE = `usage: node evaluation/dist/planted.js [options]

  --only <names>  plants only these bugs, comma-separated
  --firsts <n>    number of searches for each bug, each with another first seed (default: 20)
  --seeds <n>     number of seeds of a search (default: 200)
  --help          prints this text

The goal: the median search finds all bugs of the replication, and 8 of 9 of the lock.`;

const OPTIONS = {
  only: { type: 'string' },
  firsts: { type: 'string' },
  seeds: { type: 'string' },
  help: { type: 'boolean' },
} as const;

try {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help === true) console.log(USAGE);
  else {
    const bugs = named('only', 'bug', PLANTED, ({ name }) => name, listed(values.only));
    const firsts = positive('firsts', values.firsts, 20);
    const seeds = positive('seeds', values.seeds, 200);
    await measure(bugs, firsts, seeds);
  }
} catch (error) {
  console.error(`${(error as Error).message}\n\n${USAGE}`);
  process.exitCode = 2;
}

async function measure(bugs: readonly Planted[], firsts: number, seeds: number): Promise<void> {
  const found: Found[] = [];
  for (const bug of bugs) {
    showProgress(`${bug.protocol}: ${bug.name}`, found.length / bugs.length);
    found.push(await find(bug, firsts, seeds));
  }
  endProgress();
  console.log(`Medians over ${firsts} searches of up to ${seeds} seeds\n`);
  const rows = found.map(({ bug, median, least, profiles }) => [
    bug.protocol,
    bug.does,
    profiles[0] ?? '',
    least === undefined ? '–' : `${least}`,
    median === undefined ? `> ${seeds}` : `${median}`,
  ]);
  const head = ['protocol', 'bug', 'usual profile', 'least', 'median'];
  console.log(markdownTable(head, rows, 3).join('\n'));
  for (const [protocol, missable] of [
    ['replication', 0],
    ['lock', 1],
  ] as const) {
    const own = found.filter(({ bug }) => bug.protocol === protocol);
    const missed = own.filter(({ median }) => median === undefined);
    if (own.length > 0)
      console.log(`\n${protocol}: ${own.length - missed.length} of ${own.length} found`);
    if (missed.length > missable) process.exitCode = 1;
  }
}
