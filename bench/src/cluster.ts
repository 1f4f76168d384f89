// The benchmark of a cluster: server CPU of a call, throughput, and the spread of connections with
// several workers beside one. Exit code 1 if a bar is missed.

import { runCommand } from './arguments.ts';
import { type Options, readOptions, USAGE } from './cluster/options.ts';
import { formatTable, judge, unmeasured } from './cluster/report.ts';
import { runRounds } from './cluster/rounds.ts';
import { cores } from './cores.ts';
import { endProgress, showProgress } from './progress.ts';
import { formatVerdicts } from './report.ts';

await runCommand(readOptions, USAGE, bench);

async function bench(options: Options): Promise<void> {
  const rounds = await runRounds(options, showProgress).finally(endProgress);
  const verdicts = options.smoke ? [] : judge(rounds, options);
  if (options.json)
    console.log(
      JSON.stringify(
        {
          node: process.version,
          cores: cores.length,
          options,
          rounds: rounds.map((round) => Object.fromEntries(round)),
          verdicts,
          unmeasured: unmeasured(options),
        },
        null,
        2,
      ),
    );
  else {
    const { kind, clients, connections, inFlight, window } = options;
    console.log(
      `Node ${process.versions.node}, ${cores.length || 'unknown'} cores, workers of kind '${kind}', ${clients} client processes, ${connections} connections with ${inFlight} calls in flight each, ${options.rounds} rounds of ${window} ms: medians\n`,
    );
    console.log(`${formatTable(rounds, options)}\n`);
    console.log(options.smoke ? 'Smoke run: the bars do not apply.' : formatVerdicts(verdicts));
    for (const what of unmeasured(options)) console.log(`unmeasured  ${what}`);
  }
  if (verdicts.some(({ holds }) => !holds)) process.exitCode = 1;
}
