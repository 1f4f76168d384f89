// Nemeses that react to the current leader, which a plan made in advance cannot do: they interrupt
// what a leader has begun.

import type { ScheduledFault, Simulation } from '@trunkline/simulation';
import { seededRandom } from '@trunkline/transport-core/testing';

/** Called with each new leader. */
type Trouble = (leader: string) => void;

/**
 * Lets no leader last: it crashes, is cut off alone or with one follower, is not heard for a while,
 * or all nodes lose power.
 */
function torment(sim: Simulation, until: number): Trouble {
  const { random, between } = chances(sim);
  return (leader) => {
    const at = sim.now + between(0, random() < 0.5 ? 60 : 1_500);
    const end = at + between(200, 3_000);
    if (end > until) return;
    const chance = random();
    const others = sim.nodes.filter((name) => name !== leader);
    const side = chance < 0.5 ? [leader] : [leader, others[between(0, others.length - 1)]!];
    const faults: ScheduledFault[] = [];
    if (chance < 0.35)
      faults.push({ at, do: 'crash', node: leader }, { at: end, do: 'restart', node: leader });
    else if (chance < 0.65)
      faults.push(
        { at, do: 'partition', groups: [side, without(sim, side)] },
        { at: end, do: 'heal' },
      );
    else if (chance < 0.8) {
      for (const to of others)
        faults.push(
          { at, do: 'hold', from: leader, to, direction: 'one-way' },
          { at: end, do: 'release', from: leader, to, direction: 'one-way' },
        );
    } else {
      for (const node of sim.nodes)
        faults.push({ at, do: 'crash', node }, { at: at + between(50, 200), do: 'restart', node });
    }
    sim.schedule(faults.sort((a, b) => a.at - b.at));
  };
}

/**
 * Produces figure 8 of the paper, again and again. One leader's entries reach only one follower;
 * another node becomes leader, and its entries reach nobody. Then the first leader, or its
 * follower, leads again and replicates the old entries, and meanwhile the second takes over.
 */
function figure8(sim: Simulation, until: number): Trouble {
  const { random, between } = chances(sim);
  let step = 0;
  let second = '';
  const split = (after: number, side: readonly string[]) =>
    sim.schedule([{ at: sim.now + after, do: 'partition', groups: [side, without(sim, side)] }]);
  return (leader) => {
    if (sim.now + LONGEST > until) return;
    if (step === 0) {
      const friend = without(sim, [leader])[between(0, sim.nodes.length - 2)]!;
      split(between(200, 800), [leader, friend]);
    } else if (step === 1) {
      second = leader;
      split(0, [leader]);
    } else if (step === 2) {
      // The second leader is cut off together with two random nodes. It can win their votes as long
      // as they lack the new leader's first entry.
      const side = without(sim, [leader, second]).sort(() => random() - 0.5);
      split(between(20, 200), [second, ...side.slice(0, 2)]);
    } else sim.schedule([{ at: sim.now + 500, do: 'heal' }]);
    step = (step + 1) % 4;
  };
}

/**
 * Cuts the power of all nodes, again and again, and restarts them at once: everything that no disk
 * has saved is lost.
 */
function blackouts(sim: Simulation, until: number): Trouble {
  const { between } = chances(sim);
  return () => {
    const at = Math.round(sim.now) + between(300, 1_000);
    if (at + 1_000 > until) return;
    sim.schedule(sim.nodes.map((node) => ({ at, do: 'crash', node, power: 'lost' })));
    sim.schedule(sim.nodes.map((node) => ({ at: at + 100, do: 'restart', node })));
  };
}

/**
 * Holds a leader's messages until another node leads and has committed something. Then they are
 * delivered, and the new leader crashes.
 */
function lateMessages(sim: Simulation, until: number): Trouble {
  const { between } = chances(sim);
  let step = 0;
  let first = '';
  return (leader) => {
    if (sim.now + LONGEST > until) return;
    const links = (from: string) =>
      without(sim, [from]).map((to) => ({ from, to, direction: 'one-way' }) as const);
    if (step === 0) {
      first = leader;
      const at = sim.now + between(100, 600);
      sim.schedule(links(leader).map((link) => ({ at, do: 'hold', ...link })));
    } else if (step === 1) {
      const at = sim.now + between(60, 300);
      const end = at + between(8, 40);
      sim.schedule([
        ...links(first).map((link) => ({ at, do: 'release', ...link }) as const),
        { at: end, do: 'crash', node: leader },
        { at: end + 2_000, do: 'restart', node: leader },
      ]);
    }
    step = (step + 1) % 3;
  };
}

/** Returns random numbers that depend on the seed alone. */
function chances({ seed }: Simulation) {
  const random = seededRandom(seed);
  return {
    random,
    between: (least: number, most: number) => Math.round(least + (most - least) * random()),
  };
}

function without(sim: Simulation, names: readonly string[]): string[] {
  return sim.nodes.filter((name) => !names.includes(name));
}

/** The longest duration of a step, in milliseconds. */
const LONGEST = 5_000;

/** Each prepares a simulation whose troubles end at a virtual time. */
export const TROUBLES = { torment, blackouts, 'figure 8': figure8, 'late messages': lateMessages };
