// The benchmark of starting: the time that a process takes until a package is loaded, and its
// memory then, beside bare Node in the same run. Exit code 1 if a bar is missed.

import { parseArgs } from 'node:util';
import { positive } from './arguments.ts';
import { cores } from './cores.ts';
import { publish } from './performance/publish.ts';
import { thisMachine } from './performance/record.ts';
import { endProgress, showProgress } from './progress.ts';
import { formatVerdicts } from './report.ts';
import { measureStarts } from './start/measure.ts';
import { formatTable, judge, summarize } from './start/report.ts';
import { subjects } from './start/subjects.ts';

const USAGE = `usage: node bench/dist/start.js [options]

  --runs <n>   number of new processes for each package (default: 20)
  --report     also updates its part of docs/performance.md
  --json       prints the figures as JSON instead of a table
  --smoke      starts one process of each without bars, to check that everything works
  --help       prints this text`;

try {
  const flag = { type: 'boolean' } as const;
  const { values } = parseArgs({
    options: { runs: { type: 'string' }, report: flag, json: flag, smoke: flag, help: flag },
  });
  const smoke = values.smoke === true;
  if (values.help === true) console.log(USAGE);
  else
    bench(positive('runs', values.runs, smoke ? 1 : 20), {
      json: values.json === true,
      report: values.report === true && !smoke,
      smoke,
    });
} catch (error) {
  console.error(`${(error as Error).message}\n\n${USAGE}`);
  process.exitCode = 2;
}

function bench(
  runs: number,
  { json, report, smoke }: { json: boolean; report: boolean; smoke: boolean },
): void {
  const rounds = measureStarts(subjects(), runs, showProgress);
  endProgress();
  const summary = summarize(rounds);
  if (report)
    publish({ start: { machine: thisMachine(cores.length || undefined), runs, figures: summary } });
  const verdicts = smoke ? [] : judge(summary);
  if (json)
    console.log(JSON.stringify({ node: process.version, runs, start: summary, verdicts }, null, 2));
  else {
    console.log(
      `Node ${process.versions.node}, medians of ${runs} fresh processes each; figures of packages are in addition to bare Node\n`,
    );
    console.log(
      `${formatTable(summary)}\n\n${smoke ? 'Smoke run: the bars do not apply.' : formatVerdicts(verdicts)}`,
    );
  }
  if (verdicts.some(({ holds }) => !holds)) process.exitCode = 1;
}
