// The benchmark: Trunkline against hand-written framing over the same sockets, in one run. Exit
// code 1 if a bar is missed.

import { install } from './adapters/peers.ts';
import { runCommand } from './arguments.ts';
import { compare, judge } from './bars.ts';
import { cores, pinned } from './cores.ts';
import { type Options, readOptions, USAGE } from './options.ts';
import { publish } from './performance/publish.ts';
import { recordCalls, thisMachine } from './performance/record.ts';
import { endProgress, showProgress } from './progress.ts';
import { formatComparison, formatJson, formatTables, formatVerdicts } from './report.ts';
import { type Round, runRounds } from './rounds.ts';

await runCommand(readOptions, USAGE, bench);

async function bench(options: Options): Promise<void> {
  if (options.peers) install();
  const { rounds, beside } = await runRounds(options, showProgress).finally(endProgress);
  const verdicts = options.smoke ? [] : judge(rounds);
  if (options.report) {
    const recorded = (rounds: Round[], node: string) =>
      recordCalls(rounds, thisMachine(cores.length || undefined, node), options.window);
    const newer = options.beside && recorded(beside, options.beside.version);
    publish({ calls: recorded(rounds, options.nodeVersion), newer });
  }
  if (options.json) console.log(formatJson(rounds, beside, options, verdicts));
  else {
    const { rounds: count, window } = options;
    const places = pinned()
      ? 'server and client on a core each'
      : 'server and client not pinned to cores';
    console.log(
      `Node ${options.nodeVersion}, ${places}, ${count} rounds of ${window} ms: medians, and in brackets those of the ratios within a round\n`,
    );
    console.log(`${formatTables(rounds, options.plan)}\n`);
    console.log(options.smoke ? 'Smoke run: the bars do not apply.' : formatVerdicts(verdicts));
    if (options.beside !== undefined && !options.smoke)
      console.log(`\n${formatComparison(compare(rounds, beside), options)}`);
  }
  if (verdicts.some((verdict) => !verdict.holds)) process.exitCode = 1;
}
