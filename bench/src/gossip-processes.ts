// The benchmark of gossip between processes: one process publishes at a given rate and all others
// receive, over each overlay, a naive flood and a NATS server, in one run. Exit code 1 if gossip
// loses a message.

import { runCommand } from './arguments.ts';
import { judge } from './gossip-processes/bars.ts';
import { type Options, readOptions, USAGE } from './gossip-processes/options.ts';
import { formatJson, formatLoad, formatMarkdown, formatTables } from './gossip-processes/report.ts';
import { type Measurement, runRounds } from './gossip-processes/rounds.ts';
import { endProgress, showProgress } from './progress.ts';

await runCommand(readOptions, USAGE, bench);

async function bench(options: Options): Promise<void> {
  let measurements: Measurement[];
  try {
    measurements = await runRounds(options, showProgress);
  } finally {
    endProgress();
  }
  const verdicts = judge(measurements, options.rates[0]!);
  if (verdicts.some(({ holds }) => !holds)) process.exitCode = 1;
  if (options.json) return console.log(formatJson(measurements, options, verdicts));
  const { rounds, seconds, size } = options;
  console.log(
    `Node ${process.versions.node}, ${size} bytes per message, ${rounds} rounds of ${seconds} s; ${formatLoad(measurements)}\n`,
  );
  console.log(
    options.report ? formatMarkdown(measurements, options) : formatTables(measurements, options),
  );
  console.log(
    `\n${verdicts.map(({ bar, ratio, holds }) => `${holds ? 'holds ' : 'MISSED'}  ${bar}${holds ? '' : `: ${ratio}`}`).join('\n')}`,
  );
}
