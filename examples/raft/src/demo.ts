// `pnpm demo`: the same consensus code elects, commits, fails over and heals on every backend.

import { INSTALL, unable } from '@trunkline/local-nats';
import { discovery } from './demo/discovery.ts';
import { failover } from './demo/failover.ts';
import { runLive } from './demo/live.ts';
import { NETWORKS } from './demo/networks.ts';
import { HELP, parseOptions } from './demo/options.ts';
import { play } from './demo/story.ts';
import { print, runProgram, table } from './program.ts';

/** Runs the demo. Exit codes: 0 all is well, 1 a check failed, 3 a program is missing. */
async function demo(options: ReturnType<typeof parseOptions>, signal: AbortSignal) {
  const { transports, nodes, writes, peers, stay, dashboard } = options;
  if (transports.some((name) => name.startsWith('nats')) && unable()) {
    process.stderr.write(`demo: nats-server is missing; install it:\n${INSTALL}\n`);
    return 3;
  }
  if (stay) {
    await runLive({ nodes, dashboard, print, signal });
    return 0;
  }
  const story = peers ? discovery : failover;
  const rows = [['backend', ...story.columns, 'verdict']];
  const failures: string[] = [];
  for (const name of transports) {
    const note = (text: string) => print(`${name.padEnd(6)} ${text}`);
    try {
      const ending = await play(story, NETWORKS[name]!, { nodes, writes, note, signal });
      rows.push([name, ...ending.cells, ending.failures.length === 0 ? 'ok' : 'FAILED']);
      for (const failure of ending.failures) failures.push(`${name}: ${failure}`);
    } catch (error) {
      if (signal.aborted) throw error;
      rows.push([name, ...story.columns.map(() => '-'), 'FAILED']);
      failures.push(`${name}: ${(error as Error).message}`);
    }
  }
  print(`\n${table(rows)}`);
  for (const failure of failures) print(`✘ ${failure}`);
  if (failures.length > 0) return 1;
  print('\nOn each backend: one leader per term, no write lost, equal state hashes. Times in ms.');
  return 0;
}

await runProgram('demo', HELP, parseOptions, demo);
