// Tries faults on real kernels and in the simulation: the fate of a connection between two network
// namespaces when packets are dropped, rejected, reordered or late, a process stops, or the link
// goes down. Exit code 1 if an outcome is not the required one, or the simulation differs by more
// than a second. If no line can be made, it says so and tries nothing.

import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { listed, positive } from '@trunkline/bench/arguments';
import { unable } from '@trunkline/bench/long-line/line';
import { named } from '@trunkline/bench/named';
import { endProgress, showProgress } from '@trunkline/bench/progress';
import { formatVerdicts } from '@trunkline/bench/report';
import { type FaultKind, KINDS } from './faults/kinds.ts';
import { runReal } from './faults/real.ts';
import { formatTable, judge, type Outcome } from './faults/report.ts';
import { runSimulated } from './faults/simulated.ts';

const USAGE = `usage: node evaluation/dist/faults.js [options]

  --only <names>  runs only these faults, comma-separated, or a prefix of their names
  --at-once <n>   number of faults that run at the same time, each on its own line (default: 3)
  --json          prints the outcomes as JSON instead of a table
  --help          prints this text

This evaluation needs Linux, root, gcc, iproute2 and nftables.`;

const OPTIONS = {
  only: { type: 'string' },
  'at-once': { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

try {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help === true) console.log(USAGE);
  else {
    const kinds = named('only', 'fault', KINDS, ({ name }) => name, listed(values.only));
    const atOnce = positive('at-once', values['at-once'], 3);
    const reason = unable() ?? withoutNft();
    if (reason !== undefined)
      console.log(`skipped: this machine cannot cause real faults: ${reason}`);
    else await tryAll(kinds, atOnce, values.json === true);
  }
} catch (error) {
  console.error(`${(error as Error).message}\n\n${USAGE}`);
  process.exitCode = 2;
}

async function tryAll(kinds: readonly FaultKind[], atOnce: number, json: boolean): Promise<void> {
  const outcomes: Outcome[] = [];
  const left = [...kinds.entries()];
  // Simulations of one thread must run one after the other, and they run first so that they do not
  // delay the measurements in real time.
  const simulated = new Map<FaultKind, Outcome['simulated']>();
  for (const kind of kinds) simulated.set(kind, await runSimulated(kind));
  const work = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [number, kind] = next;
      showProgress(`${kind.name}, ${kind.watched} s`, outcomes.length / kinds.length);
      outcomes.push({ kind, real: await runReal(kind, number), simulated: simulated.get(kind) });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work)).finally(endProgress);
  outcomes.sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind));
  const verdicts = judge(outcomes);
  if (json)
    console.log(
      JSON.stringify(
        {
          outcomes: outcomes.map(({ kind, real, simulated }) => ({
            fault: kind.name,
            real,
            simulated,
          })),
          verdicts,
        },
        null,
        2,
      ),
    );
  else
    console.log(
      `Node ${process.versions.node}\n\n${formatTable(outcomes)}\n\n${formatVerdicts(verdicts)}`,
    );
  if (verdicts.some(({ holds }) => !holds)) process.exitCode = 1;
}

/** Returns the reason if nftables is missing, otherwise undefined. */
function withoutNft(): string | undefined {
  try {
    execFileSync('nft', ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'nft (nftables) is missing';
  }
}
