// A scenario of two nodes that tick. With some seeds, it hangs or ends its thread.

import process, { abort, exit, kill } from 'node:process';
import type { Simulation } from '../simulation.ts';

/** The seeds that misbehave: at 1,000 ms n2 does what the name says. */
export const SEEDS = {
  loop: 3,
  regexp: 4,
  microtasks: 5,
  exit: 6,
  abort: 7,
  kill: 8,
  importedKill: 9,
  importedExit: 10,
  importedAbort: 15,
  memory: 11,
  /** Hangs before its simulation runs. */
  before: 12,
  /** Hangs after its simulation has run. */
  after: 13,
  /** Fails with two faults, and hangs with one. */
  shrunk: 14,
} as const;

export default async function scenario(sim: Simulation): Promise<void> {
  if (sim.seed === SEEDS.before) await new Promise(() => {});
  for (const name of ['n1', 'n2']) {
    sim.node(name, async ({ clock, log }) => {
      for (let tick = 1; ; tick++) {
        await clock.sleep(100);
        log(`tick ${tick}`);
        if (name === 'n2' && tick === 10) void deeds[sim.seed]?.();
      }
    });
  }
  await sim.run(5_000);
  if (sim.seed === SEEDS.after) for (;;);
  if (sim.seed !== SEEDS.shrunk) return;
  if (sim.faults.length === 2) throw new Error('two faults');
  if (sim.faults.length === 1) for (;;);
}

const deeds: Readonly<Record<number, () => unknown>> = {
  [SEEDS.loop]: () => {
    for (;;);
  },
  [SEEDS.regexp]: () => /^(a+)+$/.test(`${'a'.repeat(60)}b`),
  [SEEDS.microtasks]: async () => {
    for (;;) await undefined;
  },
  // biome-ignore lint/nursery/noJsRestrictedProperties: nodes may call it all the same
  [SEEDS.exit]: () => process.exit(3),
  [SEEDS.abort]: () => process.abort(),
  [SEEDS.kill]: () => process.kill(process.pid, 'SIGKILL'),
  [SEEDS.importedKill]: () => kill(process.pid, 'SIGKILL'),
  [SEEDS.importedExit]: () => exit(4),
  [SEEDS.importedAbort]: () => abort(),
  [SEEDS.memory]: () => {
    for (const kept: unknown[] = []; ; ) kept.push(new Array(100_000).fill(1.5));
  },
};
