// `pnpm processes`: runs Raft on real processes over TCP or TLS, while they are killed, stopped and
// cut off.

import { parseArgs } from 'node:util';
import { runOnProcesses } from '@trunkline/simulation/processes';
import type { Figures } from './processes/scenario.ts';
import { oneOf, print, runProgram, whole } from './program.ts';

const HELP = `Usage: pnpm processes [options]

Runs five nodes of Raft as processes, with a nemesis that kills, stops and partitions them, and
checks what their clients saw.

  --network <name>  tcp or tls (default: tcp)
  --seconds <n>     5 to 3600 (default: 60)
  --seed <n>        determines the faults (default: 1)
  --events          print faults and roles as they happen
  --help            this text`;

function parse(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      network: { type: 'string', default: 'tcp' },
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string', default: '1' },
      events: { type: 'boolean', default: false },
    },
  });
  return {
    network: oneOf('network', values.network, ['tcp', 'tls']),
    seconds: whole('seconds', values.seconds, 5, 3_600),
    seed: whole('seed', values.seed, 0, Number.MAX_SAFE_INTEGER),
    events: values.events,
  };
}

async function run({ network: name, seconds, seed, events }: ReturnType<typeof parse>) {
  const scenario = new URL(`./processes/scenario.js?seconds=${seconds}`, import.meta.url);
  const network =
    name === 'tls' ? new URL('./processes/tls-network.js', import.meta.url) : undefined;
  const onEvent = events ? print : undefined;
  const { elapsed, faults, skipped } = await runOnProcesses({ scenario, network, seed, onEvent });
  const { figures } = (await import(scenario.href)) as { readonly figures: Figures };
  const left = Object.entries(skipped).map(([kind, count]) => `, ${count} × ${kind} left out`);
  print(
    `Raft over ${name}, seed ${seed}: linearizable; ${figures.commands} commands, ${figures.unanswered} unanswered, ${figures.terms} terms, ${faults.length} faults${left.join('')} in ${(elapsed / 1_000).toFixed(0)} s`,
  );
  return 0;
}

await runProgram('processes', HELP, parse, run);
