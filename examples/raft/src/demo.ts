// `pnpm demo`: the same consensus code elects, commits, fails over and heals on every backend.

import { BACKENDS } from './demo/backends.ts';
import { type DemoOptions, HELP, parseOptions } from './demo/options.ts';
import { type Report, runScenario } from './demo/scenario.ts';
import { Screen, table } from './demo/screen.ts';

const screen = new Screen(process.stdout);

/** Exit codes: 0 all is well, 1 a verdict failed, 2 wrong options, 130 interrupted. */
async function main(): Promise<number> {
  let options: DemoOptions | 'help';
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`demo: ${(error as Error).message.split('. ')[0]} (--help shows the options)\n`);
    return 2;
  }
  if (options === 'help') {
    screen.print(HELP);
    return 0;
  }
  const interrupt = new AbortController();
  const onInterrupt = () => interrupt.abort(new Error('interrupted'));
  process.once('SIGINT', onInterrupt); // a second one ends the process as usual
  try {
    return await runAll(options, interrupt.signal);
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

async function runAll({ transports, nodes, writes }: DemoOptions, signal: AbortSignal): Promise<number> {
  const rows = [HEADER];
  const failures: string[] = [];
  for (const name of transports) {
    const progress = (phase: string, count?: string) => screen.progress(name, phase, count);
    const note = (text: string) => screen.note(name, text);
    try {
      const report = await runScenario(BACKENDS[name]!, { nodes, writes, progress, note, signal });
      rows.push(row(name, report));
      for (const failure of report.failures) failures.push(`${name}: ${failure}`);
    } catch (error) {
      if (signal.aborted) {
        screen.print('interrupted; everything is closed');
        return 130;
      }
      rows.push([name, ...HEADER.slice(2).map(() => '-'), 'FAILED']);
      failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const [head, ...lines] = table(rows);
  screen.print('');
  screen.print(screen.colour('bold', head!));
  for (const line of lines) screen.print(line.replace(/(ok|FAILED)$/, (verdict) => screen.colour(verdict === 'ok' ? 'green' : 'red', verdict)));
  for (const failure of failures) screen.print(screen.colour('red', `✘ ${failure}`));
  if (failures.length === 0)
    screen.print(`\n${nodes} nodes, ${2 * writes} writes on each backend: one leader a term, no write lost, equal state hashes. Times in ms.`);
  return failures.length === 0 ? 0 : 1;
}

const HEADER = ['backend', 'election', 'commits/s', 'fail-over', 'write p50', 'write p99', 'catch-up', 'snapshot', 'verdict'];

function row(name: string, report: Report): string[] {
  const { electionMs, commitsPerSecond, failoverMs, p50, p99, catchUpMs, snapshotBytes, failures } = report;
  const times = [p50, p99].map((time) => time.toFixed(1));
  const snapshot = `${Math.ceil(snapshotBytes / 1024)} KiB`;
  return [
    name,
    electionMs.toFixed(0),
    commitsPerSecond.toFixed(0),
    failoverMs.toFixed(0),
    ...times,
    catchUpMs.toFixed(0),
    snapshot,
    failures.length === 0 ? 'ok' : 'FAILED',
  ];
}

process.exitCode = await main();
