// Attacks on a network of whole nodes (FAULTS of gossipsub's evaluation, PL-TechRep-2020-001:
// sybils, eclipse, cold boot, covert flash, dawn).

import { idOf } from '../../../../packages/gossip/dist/testing/cluster.js';
import type { Figures, ScenarioOptions } from '../job.ts';
import { attackerNames, Fleet, honestNames } from './fleet.ts';
import { type SybilGroup, sleepers, sybils } from './sybil.ts';

interface Attack {
  readonly fleet: Fleet;
  readonly names: readonly string[];
  readonly group: SybilGroup;
}

function attack(seed: number, honest: number, attackers: number, target?: string): Attack {
  const names = attackerNames(attackers);
  const group = {
    ids: names.map(idOf),
    target: target === undefined ? undefined : idOf(target),
    press: PRESS,
    isMute: false,
  };
  return { fleet: new Fleet({ seed, honest }), names, group };
}

/**
 * Four sybils per honest node enter an established network. They request all links, and forward
 * nothing.
 */
export async function sybilAttack({ seed, nodes, log }: ScenarioOptions): Promise<Figures> {
  const { fleet, names, group } = attack(seed, nodes, 4 * nodes);
  const met = await settle(fleet);
  const before = await fleet.traffic('before', 20, 500);
  log('they come');
  fleet.invade(names, sybils(group));
  await fleet.sim.run(30_000);
  const during = await fleet.traffic('during', 30, 1_000);
  log('they are there');
  await fleet.sim.run(4 * MINUTE);
  return finish(fleet, {
    met,
    ...before,
    ...during,
    ...(await fleet.traffic('after', 60, 500)),
  });
}

/**
 * Ten sybils per honest node request links of a single node, which is restarted in the meantime.
 * Measures whether the node keeps an honest neighbor and gets all messages.
 */
export async function eclipse({ seed, nodes, log }: ScenarioOptions): Promise<Figures> {
  const target = honestNames(nodes).at(-1)!;
  const { fleet, names, group } = attack(seed, nodes, 10 * nodes, target);
  const met = await settle(fleet);
  fleet.invade(names, sybils(group), target);
  await fleet.sim.run(2 * MINUTE);
  log('it is restarted');
  const honest: number[] = [fleet.honestNeighbors(target)];
  fleet.crash(target);
  await fleet.sim.run(1_000);
  fleet.sim.restart(target);
  const begin = fleet.sim.now;
  while (fleet.honestNeighbors(target) === 0 && fleet.sim.now < begin + 5 * MINUTE)
    await fleet.sim.run(100);
  const back = fleet.sim.now - begin;
  await fleet.sim.run(10_000);
  let [got, due] = [0, 0];
  for (let second = 0; second < 180; second++) {
    honest.push(fleet.honestNeighbors(target));
    const message =
      second % 3 === 0
        ? fleet.publish(fleet.honest[Math.floor(fleet.random() * (nodes - 1))]!)
        : undefined;
    await fleet.sim.run(1_000);
    if (message !== undefined && second < 150) due++;
    if (message?.heard.has(target) && second < 150) got++;
  }
  const alone = honest.filter((count) => count === 0).length;
  return finish(fleet, {
    met,
    back,
    alone,
    least: Math.min(...honest),
    mean: honest.reduce((sum, count) => sum + count, 0) / honest.length,
    delivered: got / due,
  });
}

/**
 * All honest nodes start at once, without history, into a network that the sybils entered earlier.
 */
export async function coldBoot({ seed, nodes, log }: ScenarioOptions): Promise<Figures> {
  const { fleet, names, group } = attack(seed, nodes, 4 * nodes);
  for (const name of fleet.honest) fleet.crash(name);
  return dawnOf({ fleet, names, group }, log);
}

/**
 * Like `coldBoot`, but for a network that existed before: all honest nodes are restarted at once,
 * and still know each other from before.
 */
export async function dawn({ seed, nodes, log }: ScenarioOptions): Promise<Figures> {
  const all = attack(seed, nodes, 4 * nodes);
  await settle(all.fleet);
  for (const name of all.fleet.honest) all.fleet.crash(name);
  return dawnOf(all, log);
}

async function dawnOf(
  { fleet, names, group }: Attack,
  log: ScenarioOptions['log'],
): Promise<Figures> {
  fleet.invade(names, sybils(group));
  await fleet.sim.run(1_000);
  for (const name of fleet.honest) fleet.sim.restart(name);
  const met = await fleet.met(1, 10 * MINUTE);
  log(`met after ${met} ms`);
  const early = await fleet.traffic('early', 20, 500);
  await fleet.sim.run(4 * MINUTE);
  return finish(fleet, { met, ...early, ...(await fleet.traffic('after', 60, 500)) });
}

/**
 * Four attackers per honest node behave well for ten minutes and become part of all trees; then all
 * of them stop passing messages on at once.
 */
export async function covertFlash({ seed, nodes, log }: ScenarioOptions): Promise<Figures> {
  const { fleet, names, group } = attack(seed, nodes, 4 * nodes);
  fleet.invade(names, sleepers(group));
  const met = await settle(fleet);
  await fleet.sim.run(7 * MINUTE);
  const before = await fleet.traffic('before', 60, 1_000);
  log('they turn');
  group.isMute = true;
  const flash = await fleet.traffic('flash', 60, 500);
  await fleet.sim.run(4 * MINUTE);
  return finish(fleet, {
    met,
    ...before,
    ...flash,
    ...(await fleet.traffic('after', 60, 500)),
  });
}

/** Waits until all nodes have an honest neighbor, and then for two more minutes. */
async function settle(fleet: Fleet): Promise<number> {
  const met = await fleet.met(1, 5 * MINUTE);
  await fleet.sim.run(2 * MINUTE);
  return met;
}

async function finish(fleet: Fleet, figures: Figures): Promise<Figures> {
  const all = { ...fleet.links(), ...figures, events: fleet.sim.events };
  await fleet.close();
  return all;
}

const MINUTE = 60_000;
/** Milliseconds between two requests of one sybil. */
const PRESS = 2_000;
