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

/** Returns the property that failed and the message, or undefined if nothing failed. */
export async function runSeed(
  seed: number,
  world: World,
): Promise<{ property: string; message: string } | undefined> {
  const duplicate = world === 'calls' ? 0 : 0.01;
  const link = { latency: { lognormal: 5, sigma: 1 }, loss: 0.01, duplicate, reorder: 0.02 };
  const duration = LENGTH - CALM;
  const nemesis = world === 'mix' && seed % 2 === 0 ? nemeses.swarm({ duration }) : undefined;
  const sim = createSimulation({ seed, link, disk: { sync: [1, 40] }, nemesis });
  try {
    if (world === 'calls') await callScenario(sim);
    else
      await raftScenario({
        minutes: LENGTH / 60_000,
        clients: 4,
        pause: 200,
        electionTimeout: 1_000,
        onLeader:
          nemesis === undefined
            ? TROUBLES[world === 'mix' ? 'torment' : world](sim, duration)
            : undefined,
      })(sim);
    return undefined;
  } catch (error) {
    const { message } = error as Error;
    const property = error instanceof SimulationError ? error.invariant : message.split(':', 1)[0]!;
    return { property, message };
  }
}

/** Virtual milliseconds. */
const LENGTH = 60_000;

async function hunt(world: World, seeds: number): Promise<object> {
  const rejected = new Promise<{ property: string; message: string }>((resolve) => {
    process.on('unhandledRejection', (error) =>
      resolve({ property: 'no unhandled rejection', message: String(error) }),
    );
  });
  for (let seed = 1; seed <= seeds; seed++) {
    const failure = await Promise.race([runSeed(seed, world), rejected]);
    if (failure !== undefined) return { seed, ...failure };
  }
  return {};
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [world, seeds] = process.argv.slice(2);
  print(JSON.stringify(await hunt(world as World, Number(seeds))));
}
