// Measures the processes of one adapter at several rates, one after the other.

import { cpus, loadavg } from 'node:os';
import type { Figures } from '../benchmark.ts';
import { type KindName, kindOf } from './by-name.ts';
import { figuresOf } from './figures.ts';
import { Swarm } from './swarm.ts';

export interface Load {
  /** Messages a second. */
  readonly rates: readonly number[];
  /** The size of a message in bytes. */
  readonly size: number;
  /** Seconds of measurement, and of the warm-up before it. */
  readonly seconds: number;
  readonly warm: number;
}

/** Tells whether the adapter needs no server, or its server is installed. */
export function isInstalled(name: KindName): boolean {
  return kindOf(name).server?.isInstalled() ?? true;
}

/** Returns the figures of each rate. */
export async function measureSwarm(
  kind: KindName,
  nodes: number,
  { rates, size, seconds, warm }: Load,
  tell: (what: string) => void,
): Promise<Figures[]> {
  const load = loadavg()[0]!;
  const swarm = await Swarm.start(kind, nodes);
  try {
    const measured: Figures[] = [];
    for (const rate of rates) {
      tell(`${rate} a second`);
      const first = Math.ceil(rate * warm);
      const { lost } = figuresOf(await swarm.run({ count: first, rate, size }), first);
      const count = Math.ceil(rate * seconds);
      const machine = busy();
      const begin = performance.now();
      const figures = figuresOf(await swarm.run({ count, rate, size }), count);
      const { cores: own } = figures;
      const cores = (busy() - machine) / (performance.now() - begin);
      measured.push({
        ...figures,
        lostInWarmUp: lost,
        load,
        // The cores that all other programs of the machine used meanwhile.
        elsewhere: own && Math.max(0, cores - own),
      });
    }
    return measured;
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
