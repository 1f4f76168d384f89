// The benchmark of the admin protocol: what two watchers cost a node, as a share of a core. Exit
// code 1 if the bar is missed.

import { parseArgs } from 'node:util';
import { CONNECTIONS, type Round, runRounds, WATCHERS } from './admin/rounds.ts';
import { runCommand } from './arguments.ts';
import type { Verdict } from './bars.ts';
import { endProgress, showProgress } from './progress.ts';
import { formatVerdicts } from './report.ts';
import { ROUND_FLAGS, type RoundOptions, roundOptions } from './round-options.ts';
import { median } from './statistics.ts';

const USAGE = `usage: node bench/dist/admin.js [options]

  --rounds <n>    number of rounds, each without watchers and with two (default: 5)
  --window <ms>   duration of a measurement in milliseconds (default: 6000), after a warm-up of the
                  same length
  --json          prints the figures as JSON instead of a table
  --smoke         runs one short round without a bar, to check that everything works
  --help          prints this text`;
/** The share of a core that the watchers may cost. */
const MOST_COST = 0.01;

const readOptions = (args: string[]): RoundOptions =>
  roundOptions(parseArgs({ args, options: ROUND_FLAGS }).values, { rounds: 5, window: 6_000 });

await runCommand(readOptions, USAGE, bench);

async function bench(options: RoundOptions): Promise<void> {
  const rounds = await runRounds(options, showProgress).finally(endProgress);
  const cost = median(rounds.map(({ without, watched }) => watched - without));
  const verdicts: Verdict[] = options.smoke
    ? []
    : [
        {
          bar: `share of a core that ${WATCHERS} watchers cost at most ${MOST_COST}`,
          ratio: cost,
          holds: cost <= MOST_COST,
        },
      ];
  if (options.json)
    console.log(
      JSON.stringify({ node: process.version, options, rounds, cost, verdicts }, null, 2),
    );
  else print(rounds, cost, options, verdicts);
  if (verdicts.some(({ holds }) => !holds)) process.exitCode = 1;
}

function print(
  rounds: readonly Round[],
  cost: number,
  { window, smoke }: RoundOptions,
  verdicts: readonly Verdict[],
): void {
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  console.log(
    `Node ${process.versions.node}: CPU time of a node with ${CONNECTIONS} connections of five calls a second each, in rounds of twice ${window} ms\n`,
  );
  for (const { without, watched, states } of rounds)
    console.log(
      `${percent(without)} without watchers, ${percent(watched)} with ${WATCHERS}, which received ${states} states`,
    );
  console.log(`\n${WATCHERS} watchers cost ${percent(cost)} of a core (median)`);
  console.log(smoke ? 'Smoke run: the bar does not apply.' : formatVerdicts(verdicts));
}
