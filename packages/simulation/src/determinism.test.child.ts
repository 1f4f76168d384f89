// A run with every fault turned on. When run as a process, it prints the hash for a given seed and
// level.

import process from 'node:process';
import type { LinkOptions, ScheduledFault, Simulation, SimulationLevel } from './index.ts';
import { goldenRun } from './testing/golden.ts';

const BAD: LinkOptions = {
  latency: { lognormal: 8, sigma: 0.7, least: 1, most: 400 },
  loss: 0.03,
  burst: { begin: 0.01, end: 0.2 },
  duplicate: 0.05,
  reorder: 0.05,
  bandwidth: 2_000_000,
  queue: 100_000,
  fragment: 0.3,
};

const FAULTS: readonly ScheduledFault[] = [
  {
    at: 300,
    do: 'partition',
    groups: [
      ['n1', 'n2'],
      ['n3', 'n4'],
    ],
  },
  { at: 700, do: 'heal' },
  { at: 800, do: 'cut', from: 'n1', to: 'n2', direction: 'one-way' },
  { at: 850, do: 'hold', from: 'n2', to: 'n3' },
  { at: 900, do: 'skew', node: 'n1', by: -200 },
  { at: 950, do: 'drift', node: 'n2', ppm: 500 },
  { at: 1_000, do: 'pause', node: 'n3', for: 300 },
  { at: 1_050, do: 'release', from: 'n2', to: 'n3' },
  { at: 1_100, do: 'slow', node: 'n4', cost: 0.5 },
  { at: 1_200, do: 'crash', node: 'n1' },
  { at: 1_250, do: 'crash', node: 'n2', power: 'lost' },
  { at: 1_300, do: 'refuse', node: 'n4' },
  { at: 1_350, do: 'reset', from: 'n3', to: 'n4' },
  { at: 1_400, do: 'halfClose', from: 'n4', to: 'n3' },
  { at: 1_500, do: 'disk', node: 'n3', disk: { failure: 0.5 } },
  { at: 1_600, do: 'link', from: 'n1', to: 'n3', link: { loss: 0.5 } },
  { at: 1_900, do: 'restart', node: 'n1' },
  { at: 2_000, do: 'recover' },
];

/** Runs nodes that call each other in every way under every kind of fault. */
export function wildRun(seed: number, level: SimulationLevel, corrupt = 0): Promise<Simulation> {
  return goldenRun(level, seed, {
    link: { ...BAD, corrupt },
    disk: { latency: [0, 3], sync: { exponential: 5 }, failure: 0.05 },
    faults: FAULTS,
    milliseconds: 3_000,
  });
}

const [, script, seed, level] = process.argv;
if (script?.endsWith('determinism.test.child.js') && level !== undefined) {
  const sim = await wildRun(Number(seed), level as SimulationLevel);
  process.stdout.write(`${sim.trace.hash} ${sim.trace.events} ${sim.events}`);
  await sim.close();
}
