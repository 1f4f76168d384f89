// The benchmark of observing: what interceptors, metrics and spans cost, compared with the same
// calls that nobody observes. Exit code 1 if a bar is missed.

import { runCommand } from './arguments.ts';
import { cores } from './cores.ts';
import { measureRows } from './observing/measure.ts';
import { type Options, readOptions, USAGE } from './observing/options.ts';
import { judge, summarize, tableOf } from './observing/report.ts';
import { publish } from './performance/publish.ts';
import { thisMachine } from './performance/record.ts';
import { endProgress, showProgress } from './progress.ts';
import { formatVerdicts } from './report.ts';
import { alignTable } from './table.ts';

await runCommand(readOptions, USAGE, bench);

async function bench(options: Options): Promise<void> {
  const { rounds, window, smoke, json, report } = options;
  const measured = await measureRows(options, showProgress).finally(endProgress);
  const summary = summarize(measured);
  if (report) {
    const machine = thisMachine(cores.length || undefined);
    const observing = Object.fromEntries(
      options.carriers.map((carrier) => {
        const figures = summary.filter((row) => row.carrier === carrier);
        return [carrier, { machine, rounds, window, figures }];
      }),
    );
    publish({ observing });
  }
  const verdicts = smoke ? [] : judge(summary);
  if (json) console.log(JSON.stringify({ rounds, window, figures: summary, verdicts }, null, 2));
  else {
    console.log(
      `Node ${process.versions.node}, ${rounds} rounds of ${window} ms: medians, and the 95 % interval of the ratio\n`,
    );
    console.log(`${alignTable(tableOf(summary), 3)}\n`);
    console.log(smoke ? 'Smoke run: the bars do not apply.' : formatVerdicts(verdicts));
  }
  if (verdicts.some(({ holds }) => !holds)) process.exitCode = 1;
}
