// Runs a benchmark with the options of its command line, and prints its tables and bars. Exit code
// 1 if a bar is missed, 2 for a wrong option, 3 if this machine cannot run it.

import { judge } from './bars.ts';
import type { Benchmark, Plan, Round, RunOptions } from './benchmark.ts';
import { cores } from './cores.ts';
import { type Flags, flag, number, readFlags, usageOf, type Values } from './flags.ts';
import { PUBLISHED } from './performance/document.ts';
import { partsOf, publish } from './performance/publish.ts';
import { endProgress, showProgress } from './progress.ts';
import { formatTables, formatVerdicts } from './report.ts';
import { runRounds } from './rounds.ts';
import { summarize } from './summary.ts';

export async function runBenchmark<F extends Flags>(benchmark: Benchmark<F>): Promise<void> {
  const { name, summary = 'Exit code 1 if a bar is missed.', rounds, window } = benchmark;
  const flags = {
    ...benchmark.flags,
    rounds: number('number of rounds', rounds, 1),
    ...(window && { window: number('milliseconds of a measurement', window, 60) }),
    json: flag('prints the figures as JSON instead of tables'),
    ...(PUBLISHED.includes(name) && {
      report: flag('also updates its part of docs/performance.md'),
    }),
    smoke: flag('runs one short round without bars, to check that everything works'),
    help: flag('prints this text'),
  };
  const usage = `${usageOf(name, flags)}\n\n${summary}`;
  let options: Values<F> & RunOptions;
  let plan: Plan;
  try {
    const values = readFlags(flags as Flags, process.argv.slice(2));
    if (values['help'] === true) return console.log(usage);
    options = { window: 0, ...values } as typeof options;
    const reason = benchmark.unable?.();
    if (reason !== undefined) {
      console.error(`bench ${name} cannot run here: ${reason}`);
      process.exitCode = 3;
      return;
    }
    plan = await benchmark.plan(options);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    console.error(`${error.message}\n\n${usage}`);
    process.exitCode = 2;
    return;
  }
  const measured = await runRounds(plan, options.rounds, showProgress).finally(async () => {
    endProgress();
    await plan.close?.();
  });
  report(name, plan, measured, options);
}

function report(name: string, plan: Plan, rounds: readonly Round[], options: RunOptions): void {
  const { smoke, window, json } = options;
  const { bars = [], settings } = plan;
  const rows = summarize(plan, rounds);
  const verdicts = smoke ? [] : judge(rounds, bars);
  const length = `${rounds.length} ${rounds.length === 1 ? 'round' : 'rounds'}${window === 0 ? '' : ` of ${window} ms`}`;
  const told = [length, settings].filter((each) => each !== undefined).join(', ');
  if (options.report === true && !smoke)
    publish({ [name]: partsOf(plan, { rows, verdicts, settings: told }) });
  if (json) {
    const all = { node: process.version, options, rows, verdicts, rounds };
    console.log(JSON.stringify(all, null, 2));
  } else {
    const places =
      cores.length > 0 ? 'each process on a core of its own' : 'processes not pinned to cores';
    console.log(
      `Node ${process.versions.node}, ${places}, ${told}: medians, and those of the ratios within a round${rounds.length < 6 ? '' : ' with their 95 % interval'}\n`,
    );
    console.log(formatTables(rows, plan));
    if (smoke) console.log('\nSmoke run: no bar applies.');
    else if (verdicts.length > 0) console.log(`\n${formatVerdicts(verdicts)}`);
  }
  if (verdicts.some(({ holds }) => !holds)) process.exitCode = 1;
}
