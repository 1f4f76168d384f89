// `pnpm demo`: the same consensus code elects, commits, fails over and heals on every backend.

import { INSTALL, unable } from '@trunkline/local-nats';
import { BACKENDS } from './demo/backends.ts';
import { runLive } from './demo/live.ts';
import { type DemoOptions, HELP, parseOptions } from './demo/options.ts';
import { Screen, table } from './demo/screen.ts';
import { discovery, failover } from './demo/stories.ts';

const screen = new Screen(process.stdout);

/**
 * Runs the demo. Exit codes: 0 all is well, 1 a check failed, 2 wrong options, 3 a program is
 * missing, 130 interrupted.
 */
async function main(): Promise<number> {
  let options: DemoOptions | 'help';
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(
      `demo: ${(error as Error).message.split('. ')[0]} (--help shows the options)\n`,
    );
    return 2;
  }
  if (options === 'help') {
    screen.print(HELP);
    return 0;
  }
  const missing = options.transports.some((name) => name.startsWith('nats')) && unable();
  if (missing) {
    process.stderr.write(`demo: nats-server is missing; install it:\n${INSTALL}\n`);
    return 3;
  }
  const interrupt = new AbortController();
  const onInterrupt = () => interrupt.abort(new Error('interrupted'));
  process.once('SIGINT', onInterrupt); // A second SIGINT ends the process as usual.
  try {
    if (!options.stay && !options.dashboard) return await runAll(options, interrupt.signal);
    const print = (text: string) => screen.print(text);
    await runLive({ ...options, print, signal: interrupt.signal });
    return 0;
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

async function runAll(options: DemoOptions, signal: AbortSignal): Promise<number> {
  const { transports, nodes, writes, peers } = options;
  const story = peers ? discovery : failover;
  const rows = [['backend', ...story.columns, 'verdict']];
  const failures: string[] = [];
  for (const name of transports) {
    const progress = (phase: string, count?: string) => screen.progress(name, phase, count);
    const note = (text: string) => screen.note(name, text);
    try {
      const ending = await story.play(BACKENDS[name]!, { nodes, writes, progress, note, signal });
      rows.push([name, ...ending.cells, ending.failures.length === 0 ? 'ok' : 'FAILED']);
      for (const failure of ending.failures) failures.push(`${name}: ${failure}`);
    } catch (error) {
      if (signal.aborted) {
        screen.print('interrupted; all nodes are closed');
        return 130;
      }
      rows.push([name, ...story.columns.map(() => '-'), 'FAILED']);
      failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const [head, ...lines] = table(rows);
  screen.print('');
  screen.print(screen.color('bold', head!));
  for (const line of lines)
    screen.print(
      line.replace(/(ok|FAILED)$/, (verdict) =>
        screen.color(verdict === 'ok' ? 'green' : 'red', verdict),
      ),
    );
  for (const failure of failures) screen.print(screen.color('red', `✘ ${failure}`));
  if (failures.length === 0) screen.print(`\n${story.moral(options)}`);
  return failures.length === 0 ? 0 : 1;
}

process.exitCode = await main();
