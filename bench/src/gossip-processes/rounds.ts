// Runs rounds of measurements: every adapter in turn, in another order each round, so that drift of
// the machine affects all alike.

import { cpus, loadavg } from 'node:os';
import { type KindName, kindOf } from './by-name.ts';
import { type Figures, figuresOf } from './figures.ts';
import type { Options } from './options.ts';
import { Swarm } from './swarm.ts';

export interface Measurement {
  readonly round: number;
  readonly kind: KindName;
  readonly nodes: number;
  /** The requested rate, in messages a second. */
  readonly rate: number;
  readonly figures: Figures;
  /** Deliveries missing from the warm-up stage. */
  readonly lostInWarmUp: number;
  /**
   * The number of cores that all other programs of the machine used meanwhile; absent if the system
   * does not report it.
   */
  readonly elsewhere?: number | undefined;
  /** The system's load average over a minute, before the processes started. */
  readonly load: number;
}

/** Returns the adapters that need no server, and those whose server is installed. */
export function installed(kinds: readonly KindName[]): KindName[] {
  return kinds.filter((name) => kindOf(name).server?.isInstalled() ?? true);
}

/** @param progress receives what is being measured, and how far the run is, from 0 to 1. */
export async function runRounds(
  options: Options,
  progress: (what: string, done: number) => void,
): Promise<Measurement[]> {
  const kinds = installed(options.kinds);
  const steps = options.rounds * options.nodes.length * kinds.length;
  const measurements: Measurement[] = [];
  let step = 0;
  for (let round = 0; round < options.rounds; round++) {
    for (const nodes of options.nodes) {
      for (let at = 0; at < kinds.length; at++) {
        const kind = kinds[(at + round) % kinds.length]!;
        const title = `round ${round + 1} of ${options.rounds}: ${kind}, ${nodes} processes`;
        measurements.push(
          ...(await measure(kind, nodes, round, options, (what) =>
            progress(`${title}, ${what}`, step / steps),
          )),
        );
        step++;
      }
    }
  }
  return measurements;
}

async function measure(
  kind: KindName,
  nodes: number,
  round: number,
  options: Options,
  progress: (what: string) => void,
): Promise<Measurement[]> {
  const { rates, seconds, warm, size, profile } = options;
  const load = loadavg()[0]!;
  progress('starting');
  const swarm = await Swarm.start(kind, { nodes, profile }, () => {});
  try {
    const measurements: Measurement[] = [];
    for (const rate of rates) {
      progress(`${rate} a second`);
      const before = await swarm.run({ count: Math.ceil(rate * warm), rate, size });
      const lostInWarmUp = figuresOf(before, Math.ceil(rate * warm)).lost;
      const count = Math.ceil(rate * seconds);
      const machine = busy();
      const begin = performance.now();
      const figures = figuresOf(await swarm.run({ count, rate, size }), count);
      const cores = (busy() - machine) / (performance.now() - begin);
      const elsewhere =
        figures.cores === undefined ? undefined : Math.max(0, cores - figures.cores);
      measurements.push({ round, kind, nodes, rate, figures, lostInWarmUp, elsewhere, load });
    }
    await swarm.close();
    return measurements;
  } finally {
    swarm.kill();
  }
}

/** Returns the milliseconds that all cores of the machine have worked, added up. */
function busy(): number {
  return cpus().reduce(
    (sum, { times }) => sum + times.user + times.nice + times.sys + times.irq,
    0,
  );
}
