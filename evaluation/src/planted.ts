// Plants bugs, one at a time, in two small protocols, and counts the seeds after which the default
// search of the simulation finds each. Exit code 1 if it misses the goal.

import { parseArgs } from 'node:util';
import { listed, positive } from '@trunkline/bench/arguments';
import { named } from '@trunkline/bench/named';
import { endProgress, showProgress } from '@trunkline/bench/progress';
import { markdownTable } from '@trunkline/bench/table';
import { type Found, PROTOCOLS, Search } from './planted/search.ts';

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
    const all = PROTOCOLS.flatMap(({ bugs }) => Object.keys(bugs));
    const bugs = named('only', 'bug', all, (bug) => bug, listed(values.only));
    const firsts = positive('firsts', values.firsts, 20);
    const seeds = positive('seeds', values.seeds, 200);
    await measure(bugs, firsts, seeds);
  }
} catch (error) {
  console.error(`${(error as Error).message}\n\n${USAGE}`);
  process.exitCode = 2;
}

async function measure(only: readonly string[], firsts: number, seeds: number): Promise<void> {
  console.log(`Medians over ${firsts} searches of up to ${seeds} seeds`);
  let done = 0;
  for (const protocol of PROTOCOLS) {
    const search = new Search(protocol);
    const bugs = Object.entries(protocol.bugs).filter(([name]) => only.includes(name));
    const rows: string[][] = [];
    let missed = 0;
    for (const [name, does] of bugs) {
      showProgress(`${protocol.name}: ${name}`, done++ / only.length);
      const found = await search.find(name, firsts, seeds);
      if (medianOf(found) > seeds) missed++;
      rows.push([does, found.profile ?? '', shown(found.counts[0]!), shown(medianOf(found))]);
    }
    endProgress();
    if (rows.length === 0) continue;
    const head = [`bug of the ${protocol.name}`, 'usual profile', 'least', 'median'];
    console.log(`\n${markdownTable(head, rows, 2).join('\n')}`);
    console.log(`\n${rows.length - missed} of ${rows.length} found`);
    if (missed > protocol.missable) process.exitCode = 1;
  }
}

function medianOf({ counts }: Found): number {
  return counts[Math.floor(counts.length / 2)]!;
}

function shown(count: number): string {
  return Number.isFinite(count) ? `${count}` : '–';
}
