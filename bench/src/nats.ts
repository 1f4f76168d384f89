// The benchmark of Trunkline over NATS beside bare NATS: requests and a stream, through the same
// server. Exit code 1 if a bar is missed, 3 if nats-server is missing.

import { INSTALL, unable } from '@trunkline/local-nats';
import { runCommand } from './arguments.ts';
import { pinned } from './cores.ts';
import { type Options, readOptions, USAGE } from './nats/options.ts';
import { formatTable, judge } from './nats/report.ts';
import { runRounds } from './nats/rounds.ts';
import { endProgress, showProgress } from './progress.ts';
import { formatVerdicts } from './report.ts';

await runCommand(readOptions, USAGE, bench);

async function bench(options: Options): Promise<void> {
  const reason = unable();
  if (reason !== undefined) {
    console.error(`bench nats: ${reason}; install it: ${INSTALL}`);
    process.exitCode = 3;
    return;
  }
  const rounds = await runRounds(options, showProgress).finally(endProgress);
  const verdicts = options.smoke ? [] : judge(rounds);
  if (options.json)
    console.log(
      JSON.stringify(
        {
          node: process.version,
          options,
          rounds: rounds.map((round) => Object.fromEntries(round)),
          verdicts,
        },
        null,
        2,
      ),
    );
  else {
    console.log(
      `Node ${process.versions.node}, ${pinned() ? 'server and client on a core each, beside nats-server' : 'not pinned to cores'}, ${options.rounds} rounds of ${options.window} ms a task: medians, and in brackets those of the ratios within a round\n`,
    );
    console.log(`${formatTable(rounds)}\n`);
    console.log(options.smoke ? 'Smoke run: the bars do not apply.' : formatVerdicts(verdicts));
  }
  if (verdicts.some(({ holds }) => !holds)) process.exitCode = 1;
}
