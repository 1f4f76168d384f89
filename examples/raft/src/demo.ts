// `pnpm demo`: the same consensus code elects, commits, fails over and heals on every backend.

import { INSTALL, unable } from '@trunkline/local-nats';
import { discovery } from './demo/discovery.ts';
import { failover } from './demo/failover.ts';
import { runLive } from './demo/live.ts';
import { NETWORKS } from './demo/networks.ts';
import { type DemoOptions, HELP, parseOptions } from './demo/options.ts';
import { Screen, table } from './demo/screen.ts';
import { print, runProgram } from './program.ts';

/** Runs the demo. Exit codes: 0 all is well, 1 a check failed, 3 a program is missing. */
async function demo(options: DemoOptions, signal: AbortSignal): Promise<number> {
  const { transports, nodes, writes, peers, stay, dashboard } = options;
  if (transports.some((name) => name.startsWith('nats')) && unable()) {
    process.stderr.write(`demo: nats-server is missing; install it:\n${INSTALL}\n`);
    return 3;
  }
  if (stay || dashboard) {
    await runLive({ nodes, dashboard, print, signal });
    return 0;
  }
  const screen = new Screen(process.stdout);
  const story = peers ? discovery : failover;
  const rows = [['backend', ...story.columns, 'verdict']];
  const failures: string[] = [];
  for (const name of transports) {
    const progress = (phase: string, count?: string) => screen.progress(name, phase, count);
    const note = (text: string) => screen.note(name, text);
    try {
      const ending = await story.play(NETWORKS[name]!, { nodes, writes, progress, note, signal });
      rows.push([name, ...ending.cells, ending.failures.length === 0 ? 'ok' : 'FAILED']);
      for (const failure of ending.failures) failures.push(`${name}: ${failure}`);
    } catch (error) {
      if (signal.aborted) throw error;
      rows.push([name, ...story.columns.map(() => '-'), 'FAILED']);
      failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const [head, ...lines] = table(rows);
  screen.print(`\n${screen.color('bold', head!)}`);
  for (const line of lines)
    screen.print(
      line
        .replace(/ok$/, screen.color('green', 'ok'))
        .replace(/FAILED$/, screen.color('red', 'FAILED')),
    );
  for (const failure of failures) screen.print(screen.color('red', `✘ ${failure}`));
  if (failures.length > 0) return 1;
  screen.print(`\n${story.moral(options)}`);
  return 0;
}

await runProgram('demo', HELP, parseOptions, demo);
