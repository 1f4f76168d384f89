// Runs one seed of the scenario with which a mutant is hunted: a short run under the worst faults.
// As a program, it runs seeds one after the other until a property fails, and prints the seed and
// the property as JSON, or {} if all seeds passed: node run-seed.js world seeds.

import { fileURLToPath } from 'node:url';
import { createSimulation, nemeses, SimulationError } from '@trunkline/simulation';
import { print } from '../../program.ts';
import { CALM, raftScenario } from '../scenario.ts';
import { callScenario } from './call-scenario.ts';
import { TROUBLES } from './troubles.ts';

/**
 * A scenario: plain calls, or Raft under one of the troubles; in the mix, odd seeds run under
 * 'torment' and even ones under the swarm.
 */
export type World = 'mix' | 'calls' | keyof typeof TROUBLES;

/** The seed and the property that failed, or the reason why there is no answer. */
export interface Hunted {
  readonly seed?: number;
  readonly property?: string;
  readonly trouble?: string;
}

/** Virtual milliseconds. */
const LENGTH = 60_000;

/** Rejects with the failure of the seed, if it fails. */
async function runSeed(seed: number, world: World): Promise<void> {
  const duplicate = world === 'calls' ? 0 : 0.01;
  const link = { latency: { lognormal: 5, sigma: 1 }, loss: 0.01, duplicate, reorder: 0.02 };
  const duration = LENGTH - CALM;
  const nemesis = world === 'mix' && seed % 2 === 0 ? nemeses.swarm({ duration }) : undefined;
  const sim = createSimulation({ seed, link, disk: { sync: [1, 40] }, nemesis });
  if (world === 'calls') return callScenario(sim);
  const trouble = TROUBLES[world === 'mix' ? 'torment' : world];
  await raftScenario({
    minutes: LENGTH / 60_000,
    clients: 4,
    pause: 200,
    electionTimeout: 1_000,
    onLeader: nemesis === undefined ? trouble(sim, duration) : undefined,
  })(sim);
}

async function hunt(world: World, seeds: number): Promise<Hunted> {
  const unhandled = new Promise<never>((_, reject) => {
    process.on('unhandledRejection', (error) =>
      reject(new Error(`no unhandled rejection: ${error}`)),
    );
  });
  for (let seed = 1; seed <= seeds; seed++) {
    try {
      await Promise.race([runSeed(seed, world), unhandled]);
    } catch (error) {
      const { message } = error as Error;
      const isInvariant = error instanceof SimulationError && error.invariant !== undefined;
      return { seed, property: isInvariant ? error.invariant : message.split(':', 1)[0] };
    }
  }
  return {};
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [world, seeds] = process.argv.slice(2);
  print(JSON.stringify(await hunt(world as World, Number(seeds))));
}
