// The scenario "attack": an attacker has ten thousand addresses in a hundred groups, and reports
// them in every possible way to a victim that knows a thousand honest nodes. The nodes at all of
// these addresses answer. The scenario measures how many of the victim's dials go to the attacker.

import { createSimulation } from '@trunkline/simulation';
import type { Random } from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';
import { anyAddress } from '../../../packages/peers/dist/book/testing/addresses.js';
import { parseSavedState } from '../../../packages/peers/dist/driver/book-keeper.js';
import { boot } from '../../../packages/peers/dist/testing/cluster.js';
import { prefilled } from '../../../packages/peers/dist/testing/prefilled.js';
import { entry, type RawPeer, rawPeer } from '../../../packages/peers/dist/testing/raw-peer.js';

/** Options of {@link attack}. */
export interface AttackOptions {
  readonly seed: number;
  /** The number of honest nodes that the victim has reached before. */
  readonly honest: number;
  /** The number of the attacker's addresses, which are spread over a hundred groups. */
  readonly attackers: number;
  readonly log?: ((text: string) => void) | undefined;
}

/** The outcome of {@link attack}. */
export interface AttackOutcome {
  /** The number of the victim's dials that are counted, at least a thousand. */
  readonly dials: number;
  /** The number of the counted dials that went to the attacker. */
  readonly caught: number;
  /** The number of addresses that the attacker reported in answers to exchange requests. */
  readonly told: number;
  /**
   * The attacker's addresses in the victim's book at the end: only reported (`fresh`) and reached
   * (`tried`).
   */
  readonly fresh: number;
  readonly tried: number;
  /** The number of honest addresses in the book at the end that were reached. */
  readonly honest: number;
  /**
   * The smallest number of honest outbound peers that the victim had 15 seconds after it had lost
   * all its outbound connections.
   */
  readonly least: number;
}

export async function attack({
  seed,
  honest,
  attackers,
  log = () => {},
}: AttackOptions): Promise<AttackOutcome> {
  const sim = createSimulation({ seed, link: { latency: [5, 50] } });
  const random = seededRandom(seed);
  // The honest nodes are in many groups, in none of which the attacker has addresses.
  const hosts = new Set<string>();
  while (hosts.size < honest) hosts.add(anyAddress(random).split(':')[0]!);
  const good = [...hosts];
  const bad = Array.from({ length: attackers }, (_, i) => {
    const [group, host] = [i % GROUPS, Math.floor(i / GROUPS)];
    return `${190 + (group >> 5)}.${group}.${host >> 8}.${host & 255}`;
  });
  const isBad = new Set(bad);
  let told = 0;
  /** The nodes that were dialed or have dialed; each answers requests for addresses. */
  const crowd = new Map<string, RawPeer>();
  const nodeAt = (name: string) => {
    let node = crowd.get(name);
    if (node !== undefined) return node;
    const answer = () => {
      if (isBad.has(name)) told += LONGEST;
      return slice(isBad.has(name) ? bad : good, random).map((address) => entry(address));
    };
    node = rawPeer(sim, name, { answer, transport: { idleTimeout: LONG } });
    crowd.set(name, node);
    void node.transport.listen();
    return node;
  };
  const store = await prefilled(good, random);
  let dials = 0;
  let caught = 0;
  let counts = false;
  const resolve = (target: string) => {
    nodeAt(target);
    if (counts) dials++;
    if (counts && isBad.has(target)) caught++;
    return target;
  };
  const options = { peers: { addressBook: store }, transport: { resolve } };
  const [victim] = await boot(sim, ['77.1.1.1'], options);
  const outward = () => victim.transport.remotes().filter(({ direction }) => direction === 'out');
  const settle = (work: readonly Promise<unknown>[]) =>
    sim.settle(Promise.all(work.map((each) => each.catch(() => {}))));
  await sim.run(10_000);

  // Some attackers, from several groups, stay connected, and are asked for addresses in turn for
  // hours.
  for (let i = 0; i < STAY; i++) await settle([nodeAt(bad[i]!).transport.dial(victim.name)]);
  await sim.run(4 * HOUR);
  log(`after four hours: ${victim.peers.toString().split('\n')[0]}`);
  // The other attackers connect in waves, under all their names, report their addresses, and leave.
  for (let i = STAY; i < bad.length; i += WAVE) {
    const wave = bad.slice(i, i + WAVE).map((name) => nodeAt(name).transport);
    await settle(wave.map((transport) => transport.dial(victim.name)));
    await sim.run(2_000);
    await settle(wave.flatMap((each) => each.remotes().map((remote) => each.disconnect(remote))));
  }
  log(`after all have come: ${victim.peers.toString().split('\n')[0]}`);

  counts = true;
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; dials < WANTED; round++) {
    const ours = outward();
    // After a reset the victim dials the same peers again; after a clean disconnect it dials
    // others.
    if (round % 4 === 0) for (const { endpoint } of ours) sim.reset(victim.name, endpoint);
    else await settle(ours.map((remote) => victim.transport.disconnect(remote)));
    await sim.run(15_000);
    least = Math.min(least, outward().filter(({ endpoint }) => !isBad.has(endpoint)).length);
    if (round % 20 === 0)
      log(`${dials} dials, ${caught} to the attacker, ${victim.peers.toString().split('\n')[0]}`);
  }
  await sim.settle(victim.peers.close());
  const { entries } = (await sim.settle(store.load(parseSavedState))).value!.book;
  const ofBad = entries.filter(({ address }) => isBad.has(address));
  const tried = ofBad.filter((entry) => entry.tried).length;
  await sim.settle(store.close());
  await sim.close();
  const left = entries.filter((entry) => entry.tried).length - tried;
  return { dials, caught, told, fresh: ofBad.length - tried, tried, honest: left, least };
}

/** Returns as many addresses as one answer holds, from a random position on. */
function slice(addresses: readonly string[], random: Random): readonly string[] {
  const from = Math.floor(random() * addresses.length);
  return [...addresses.slice(from), ...addresses.slice(0, from)].slice(0, LONGEST);
}

const HOUR = 3_600_000;
/** Minimum number of the victim's dials that are counted. */
const WANTED = 1_000;
/** An idle timeout that keeps strangers connected as long as they are needed, in milliseconds. */
const LONG = 24 * HOUR;
/** Maximum number of entries in an answer. */
const LONGEST = 250;
/** Number of groups of the attacker's addresses. */
const GROUPS = 100;
/** Number of attackers that connect at once: as many as the victim admits. */
const WAVE = 26;
/** Number of attackers that stay connected. */
const STAY = 10;
