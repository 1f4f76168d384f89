// The benchmark of types: the time that TypeScript takes to check a protocol with many methods,
// beside plain functions and tRPC in the same run. Exit code 1 if the bar is missed.

import { parseArgs } from 'node:util';
import { install } from './adapters/peers.ts';
import { positive } from './arguments.ts';
import { publish } from './performance/publish.ts';
import { thisMachine } from './performance/record.ts';
import { endProgress, showProgress } from './progress.ts';
import { formatVerdicts } from './report.ts';
import { isInstalled, measureTypes } from './types/measure.ts';
import { formatTable, judge, summarize } from './types/report.ts';
import { SUBJECTS } from './types/subjects.ts';

const USAGE = `usage: node bench/dist/types.js [options]

  --methods <n>  number of methods of each program (default: 200)
  --runs <n>     number of runs of the compiler for each program (default: 15)
  --peers        also measures tRPC, and installs other libraries into bench/peers if they are
                 missing
  --report       also updates its part of docs/performance.md
  --json         prints the figures as JSON instead of a table
  --smoke        checks small programs once, without a bar, to show that everything works
  --help         prints this text`;

try {
  const flag = { type: 'boolean' } as const;
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      methods: text,
      runs: text,
      peers: flag,
      report: flag,
      json: flag,
      smoke: flag,
      help: flag,
    },
  });
  const smoke = values.smoke === true;
  if (values.help === true) console.log(USAGE);
  else {
    if (values.peers === true) install();
    bench(
      positive('methods', values.methods, smoke ? 3 : 200),
      positive('runs', values.runs, smoke ? 1 : 15),
      { json: values.json === true, report: values.report === true && !smoke, smoke },
    );
  }
} catch (error) {
  console.error(`${(error as Error).message}\n\n${USAGE}`);
  process.exitCode = 2;
}

function bench(
  methods: number,
  runs: number,
  { json, report, smoke }: { json: boolean; report: boolean; smoke: boolean },
): void {
  const rounds = measureTypes(SUBJECTS.filter(isInstalled), methods, runs, showProgress);
  endProgress();
  const figures = summarize(rounds);
  if (report) publish({ types: { machine: thisMachine(1), runs, methods, figures } });
  const verdicts = smoke ? [] : judge(figures);
  if (json) console.log(JSON.stringify({ methods, runs, types: figures, verdicts }, null, 2));
  else
    console.log(
      `${methods} methods, medians of ${runs} runs of the compiler\n\n${formatTable(figures)}\n\n${smoke ? 'Smoke run: the bar does not apply.' : formatVerdicts(verdicts)}`,
    );
  if (verdicts.some(({ holds }) => !holds)) process.exitCode = 1;
}
