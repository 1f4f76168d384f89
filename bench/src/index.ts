// The benchmark: Trunkline against hand-written framing over the same sockets, in one run. Exit code 1 where a bar is missed.

import { install } from './adapters/peers.ts';
import { judge } from './bars.ts';
import { cores, pinned } from './cores.ts';
import { type Options, readOptions, USAGE } from './options.ts';
import { publish } from './performance/publish.ts';
import { recordCalls, thisMachine } from './performance/record.ts';
import { endProgress, showProgress } from './progress.ts';
import { formatJson, formatTables, formatVerdicts } from './report.ts';
import { runRounds } from './rounds.ts';

let options: Options | undefined;
try {
  options = readOptions(process.argv.slice(2));
} catch (error) {
  console.error(`${(error as Error).message}\n\n${USAGE}`);
  process.exitCode = 2;
}
if (options?.help === true) console.log(USAGE);
else if (options !== undefined) await bench(options);

async function bench(options: Options): Promise<void> {
  if (options.peers) install();
  const rounds = await runRounds(options, showProgress).finally(endProgress);
  const verdicts = options.smoke ? [] : judge(rounds);
  if (options.report) {
    const calls = recordCalls(rounds, thisMachine(cores.length || undefined, options.nodeVersion), options.window);
    publish(options.nodeVersion === process.version ? { calls } : { newer: calls });
  }
  if (options.json) console.log(formatJson(rounds, options, verdicts));
  else {
    const { rounds: count, window } = options;
    const places = pinned() ? 'server and client on a core each' : 'server and client not pinned to cores';
    console.log(`Node ${options.nodeVersion}, ${places}, ${count} rounds of ${window} ms: medians, and in brackets those of the ratios within a round\n`);
    console.log(`${formatTables(rounds, options.plan)}\n`);
    console.log(options.smoke ? 'A smoke run: nothing is judged.' : formatVerdicts(verdicts));
  }
  if (verdicts.some((verdict) => !verdict.holds)) process.exitCode = 1;
}
