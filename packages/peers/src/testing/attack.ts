// The scenario "attack": an attacker has ten thousand addresses in a hundred groups, and reports
// them in every possible way to a victim that knows a thousand honest nodes. The nodes at all of
// these addresses answer. The scenario measures how many of the victim's dials go to the attacker.

import { createSimulation } from '@trunkline/simulation';
import type { Random } from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';
import { parseSavedState } from '../driver/book-keeper.ts';
import { boot } from './cluster.ts';
import { entryOf, prefilled } from './prefilled.ts';
import { type RawPeer, rawPeer } from './raw-peer.ts';

/** Options of {@link attack}. */
export interface AttackOptions {
  readonly seed: number;
  /** The number of honest nodes that the victim has reached before. */
  readonly honest: number;
  /** The number of the attacker's addresses, which are spread over a hundred groups. */
  readonly attackers: number;
  /** The minimum number of the victim's dials that are counted. */
  readonly dials: number;
  readonly log?: ((text: string) => void) | undefined;
}

/** The outcome of {@link attack}. */
export interface AttackOutcome {
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
  dials: wanted,
  log = () => {},
}: AttackOptions): Promise<AttackOutcome> {
  const sim = createSimulation({ seed, link: { latency: [5, 50] } });
  const random = seededRandom(seed);
  const good = honestAddresses(honest, random);
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
      return slice(isBad.has(name) ? bad : good, random).map(entryOf);
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
  const [victim] = await boot(sim, ['77.1.1.1'], {
    peers: { addressBook: store },
    transport: { resolve },
  });
  await sim.run(10_000);

  // Some attackers, from several groups, stay connected, and are asked for addresses in turn for
  // hours.
  for (let i = 0; i < STAY; i++)
    await sim.settle(
      nodeAt(bad[i]!)
        .transport.dial(victim.name)
        .catch(() => {}),
    );
  await sim.run(4 * HOUR);
  log(`after four hours: ${victim.peers.toString().split('\n')[0]}`);
  // The other attackers connect in waves, under all their names, report their addresses, and leave.
  for (let i = STAY; i < bad.length; i += WAVE) {
    const wave = bad.slice(i, i + WAVE).map(nodeAt);
    await sim.settle(
      Promise.all(wave.map(({ transport }) => transport.dial(victim.name).catch(() => {}))),
    );
    await sim.run(2_000);
    await sim.settle(
      Promise.all(
        wave.flatMap(({ transport }) =>
          transport.remotes().map((remote) => transport.disconnect(remote).catch(() => {})),
        ),
      ),
    );
  }
  log(`after all have come: ${victim.peers.toString().split('\n')[0]}`);

  counts = true;
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; dials < wanted; round++) {
    const ours = victim.transport.remotes().filter(({ direction }) => direction === 'out');
    // After a reset the victim dials the same peers again; after a clean disconnect it dials
    // others.
    if (round % 4 === 0) for (const { endpoint } of ours) sim.reset(victim.name, endpoint);
    else
      await sim.settle(
        Promise.all(ours.map((remote) => victim.transport.disconnect(remote).catch(() => {}))),
      );
    await sim.run(15_000);
    const honestPeers = victim.transport
      .remotes()
      .filter(({ direction, endpoint }) => direction === 'out' && !isBad.has(endpoint));
    least = Math.min(least, honestPeers.length);
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

/** Returns addresses in many groups, to none of which the attacker belongs. */
function honestAddresses(count: number, random: Random): string[] {
  const found = new Set<string>();
  while (found.size < count) found.add(anyAddress(random));
  return [...found];
}

function anyAddress(random: Random): string {
  const byte = () => Math.floor(random() * 256);
  return `${[8, 23, 44, 63, 80, 104, 133, 151][Math.floor(random() * 8)]}.${byte() & 63}.${byte()}.${byte()}`;
}

/** Returns as many addresses as one answer holds, from a random position on. */
function slice(addresses: readonly string[], random: Random): readonly string[] {
  const from = Math.floor(random() * addresses.length);
  return [...addresses.slice(from), ...addresses.slice(0, from)].slice(0, LONGEST);
}

const HOUR = 3_600_000;
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
