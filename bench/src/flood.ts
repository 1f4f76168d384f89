// The benchmark of a handshake flood: how much slower the small calls of a connected peer become
// while another address opens connections as fast as it can, with `limits.handshakes.perSource`
// set. Rounds with and without the flood alternate. Exit code 1 if a bar is missed.

import { runCommand } from './arguments.ts';
import { cores } from './cores.ts';
import { judge } from './flood/bars.ts';
import { type Options, readOptions, USAGE } from './flood/options.ts';
import { formatJson, formatTable } from './flood/report.ts';
import { runRounds } from './flood/rounds.ts';
import { endProgress, showProgress } from './progress.ts';
import { formatVerdicts } from './report.ts';

await runCommand(readOptions, USAGE, bench);

async function bench(options: Options): Promise<void> {
  const rounds = await runRounds(options, showProgress).finally(endProgress);
  const verdicts = options.smoke ? [] : judge(rounds);
  if (options.json) console.log(formatJson(rounds, options, verdicts));
  else {
    console.log(
      `Node ${process.versions.node}, ${placed()}, ${options.rounds} rounds of ${options.window} ms: medians, and in brackets those of the ratios`,
    );
    console.log(
      `to the quiet part of the same round. perSource is ${options.perSource}, an honest peer calls ${options.calls} times a second.\n`,
    );
    console.log(`${formatTable(rounds, options)}\n`);
    console.log(options.smoke ? 'Smoke run: the bars do not apply.' : formatVerdicts(verdicts));
  }
  if (verdicts.some(({ holds }) => !holds)) process.exitCode = 1;
}

function placed(): string {
  if (cores.length === 0) return 'not pinned to cores';
  return cores.length > 2
    ? 'server, honest peer and flooder on a core each'
    : 'server and honest peer on one core, the flooder on the other';
}
