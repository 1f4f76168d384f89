// `pnpm processes`: runs Raft on real processes over TCP or TLS, while they are killed, stopped and
// cut off.

import process from 'node:process';
import { parseArgs } from 'node:util';
import { runOnProcesses } from '@trunkline/simulation/processes';
import type { PortableFigures } from './processes/scenario.ts';

const HELP = `Usage: pnpm processes [options]

Runs five nodes of Raft as processes, with a nemesis that kills, stops and partitions them, and checks what their clients saw.

  --network <name>  tcp or tls (default: tcp)
  --seconds <n>     5 to 3600 (default: 60)
  --seed <n>        determines the faults (default: 1)
  --events          print faults and roles as they happen
  --help            this text`;

/** Exit codes: 0 it passed, 1 it failed, 2 wrong options. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    args: process.argv.slice(2).filter((arg) => arg !== '--'),
    options: {
      network: { type: 'string', default: 'tcp' },
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string', default: '1' },
      events: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
  if (values.help === true) {
    print(HELP);
    return 0;
  }
  if (!['tcp', 'tls'].includes(values.network)) return wrong('--network', 'tcp or tls');
  if (!(seconds >= 5 && seconds <= 3_600)) return wrong('--seconds', 'a number from 5 to 3600');
  if (!Number.isSafeInteger(seed)) return wrong('--seed', 'an integer');
  const scenario = new URL(`./processes/raft-processes.js?seconds=${seconds}`, import.meta.url);
  const network =
    values.network === 'tls' ? new URL('./processes/tls-network.js', import.meta.url) : undefined;
  const onEvent = values.events === true ? print : undefined;
  const { elapsed, faults, skipped } = await runOnProcesses({ scenario, network, seed, onEvent });
  const { figures } = (await import(scenario.href)) as { readonly figures: PortableFigures };
  const left = Object.entries(skipped).map(([kind, count]) => `, ${count} × ${kind} left out`);
  print(
    `Raft over ${values.network}, seed ${seed}: linearizable; ${figures.commands} commands, ${figures.unanswered} unanswered, ${figures.terms} terms, ${faults.length} faults${left.join('')} in ${(elapsed / 1_000).toFixed(0)} s`,
  );
  return 0;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function wrong(option: string, expected: string): number {
  process.stderr.write(`processes: ${option}: expected ${expected} (--help shows the options)\n`);
  return 2;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
