// Runs one seed of the scenario with which a mutant is hunted: a short run under the worst faults.

import { createSimulation, nemeses, SimulationError } from '@trunkline/simulation';
import { CALM, raftScenario } from '../scenario.ts';
import { callScenario } from './call-scenario.ts';
import type { Mutant } from './mutant.ts';
import { blackouts, figure8, lateMessages, torment } from './troubles.ts';

/** Returns the property that failed and the message, or undefined if nothing failed. */
export async function runSeed(
  seed: number,
  { scenario = 'raft', level = 'message', trouble }: Pick<Mutant, 'scenario' | 'level' | 'trouble'>,
): Promise<{ property: string; message: string } | undefined> {
  const raft = scenario === 'raft';
  const link = {
    latency: { lognormal: 5, sigma: 1 },
    loss: 0.01,
    duplicate: raft ? 0.01 : 0,
    reorder: 0.02,
  };
  const nemesis =
    raft && trouble === undefined && seed % 2 === 0
      ? nemeses.swarm({ duration: LENGTH - CALM })
      : undefined;
  const sim = createSimulation({ seed, level, link, disk: { sync: [1, 40] }, nemesis });
  const onLeader =
    nemesis === undefined ? TROUBLES[trouble ?? 'torment'](sim, LENGTH - CALM) : undefined;
  try {
    await (raft
      ? raftScenario({
          minutes: LENGTH / 60_000,
          clients: 4,
          pause: 200,
          electionTimeout: 1_000,
          onLeader,
        })
      : callScenario())(sim);
    return undefined;
  } catch (error) {
    const { message } = error as Error;
    return {
      property: error instanceof SimulationError ? error.invariant : message.split(':', 1)[0]!,
      message,
    };
  }
}

const TROUBLES = { torment, blackouts, 'figure 8': figure8, 'late messages': lateMessages };
/** Virtual milliseconds. */
const LENGTH = 60_000;
