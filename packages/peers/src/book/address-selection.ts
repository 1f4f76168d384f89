// Draws entries of the book at random: nodes to dial, and addresses to send to other nodes. Changes
// nothing. Tested in draw.test.ts and known.test.ts.

import type { Random } from '@trunkline/transport-core';
import { sample } from '../machine.ts';
import {
  type AddressIndex,
  ANSWER_PERCENT,
  type BookEntry,
  type KnownAddress,
  LONGEST_ANSWER,
  MOST_NEW_PICKS,
  SHORTEST_ANSWER,
  TRIED_ENOUGH,
} from './entries.ts';

/**
 * Returns at most `count` ids of nodes that fit, at random: first tried nodes that answered their
 * last dial, then other nodes without failures, then nodes whose last dial failed. `pick` returns a
 * random entry that passes a test, see `AddressBook.pick`.
 */
export function knownNodes(
  count: number,
  pick: (isEligible: (entry: BookEntry) => boolean) => BookEntry | undefined,
  isFit: (nodeId: string) => boolean,
): string[] {
  const chosen = new Set<string>();
  for (const isNext of LIKELY_FIRST) {
    while (chosen.size < count) {
      const entry = pick(
        (candidate) =>
          isNext(candidate) && !chosen.has(candidate.nodeId) && isFit(candidate.nodeId),
      );
      if (entry === undefined) break;
      chosen.add(entry.nodeId);
    }
  }
  return [...chosen];
}

/**
 * Tests of an entry. The first test is passed by the nodes that are most likely to be alive, the
 * last by the least likely.
 */
const LIKELY_FIRST: readonly ((entry: BookEntry) => boolean)[] = [
  ({ tried, failures }) => tried && failures === 0,
  ({ failures }) => failures === 0,
  () => true,
];

type Test = (known: KnownAddress) => boolean;

/** Draws the entry to dial next; see `AddressBook.pick`. `isFit` must not change the index. */
export function drawOne(
  index: AddressIndex,
  random: Random,
  bias: number,
  now: number,
  isFit: Test,
): KnownAddress | undefined {
  const isGood: Test = (known) => !known.isBad(now) && isFit(known);
  const tried = () => drawTried(index, random, isGood);
  const fresh = () => drawNew(index, random, isGood);
  const [first, second] = random() < shareOfNew(index, bias) ? [fresh, tried] : [tried, fresh];
  return first() ?? second() ?? drawNew(index, random, isFit);
}

/**
 * Draws several different entries that fit, in random order. With a bias, that percentage of them
 * is new if there are enough new entries. See `AddressBook.select`.
 */
export function drawMany(
  index: AddressIndex,
  random: Random,
  bias: number | undefined,
  isFit: Test,
): KnownAddress[] {
  const tried = index.allTried().filter(isFit);
  const fresh = index.allNew().filter(isFit);
  const all = tried.length + fresh.length;
  const count = Math.min(
    Math.max(Math.min(SHORTEST_ANSWER, all), Math.floor((all * ANSWER_PERCENT) / 100)),
    LONGEST_ANSWER,
  );
  if (bias === undefined) return sample([...tried, ...fresh], count, random);
  const wanted = Math.max(Math.round((clamp(bias) / 100) * count), count - tried.length);
  const chosen = sample(fresh, Math.min(wanted, fresh.length), random);
  chosen.push(...sample(tried, count - chosen.length, random));
  return sample(chosen, count, random);
}

/**
 * Draws the nodes of `alive` that fit, and in addition a quarter of their number of other nodes
 * that have not failed; see `AddressBook.selectAround`.
 */
export function drawAround(
  index: AddressIndex,
  random: Random,
  alive: Iterable<string>,
  isFit: Test,
): KnownAddress[] {
  const there = new Set<KnownAddress>();
  for (const nodeId of alive) {
    const known = index.get(nodeId);
    if (known !== undefined && isFit(known)) there.add(known);
  }
  const others = drawMany(
    index,
    random,
    undefined,
    (known) => !there.has(known) && known.failures === 0 && isFit(known),
  );
  const chosen = [
    ...there,
    ...others.slice(0, Math.max(SHORTEST_ANSWER, Math.floor(there.size * 1.25)) - there.size),
  ];
  return sample(chosen, Math.min(chosen.length, LONGEST_ANSWER), random);
}

/**
 * Returns the probability of picking a new entry. The weights are Tendermint's: the square root of
 * the number of entries times the bias. The result is capped once enough entries are tried.
 */
function shareOfNew(index: AddressIndex, bias: number): number {
  const fresh = Math.sqrt(index.pickableNewSize) * clamp(bias);
  const tried = Math.sqrt(index.triedSize) * (100 - clamp(bias));
  const share = fresh === 0 ? 0 : fresh / (fresh + tried);
  return index.triedSize >= TRIED_ENOUGH ? Math.min(share, MOST_NEW_PICKS) : share;
}

/**
 * Draws a tried entry, each with the same probability; see the differences listed at `AddressBook`.
 */
function drawTried(index: AddressIndex, random: Random, isFit: Test): KnownAddress | undefined {
  const all = index.allTried();
  for (let probe = 0; probe < PROBES; probe++) {
    const known = any(all, random);
    if (known === undefined || isFit(known)) return known;
  }
  return any(all.filter(isFit), random);
}

/**
 * Draws a bucket first, each with the same probability, so that a source group's share of the
 * buckets is also its share of the picks.
 */
function drawNew({ fresh }: AddressIndex, random: Random, isFit: Test): KnownAddress | undefined {
  const used = fresh.filter((bucket) => bucket.length > 0);
  for (let probe = 0; probe < PROBES; probe++) {
    const known = any(any(used, random) ?? [], random);
    if (known === undefined || isFit(known)) return known;
  }
  const fit = used.map((bucket) => bucket.filter(isFit)).filter((bucket) => bucket.length > 0);
  return any(any(fit, random) ?? [], random);
}

function any<T>(items: readonly T[], random: Random): T | undefined {
  return items.length === 0 ? undefined : items[Math.floor(random() * items.length)];
}

/** Clamps to 0 to 100; NaN becomes 0. */
function clamp(bias: number): number {
  return bias > 0 ? Math.min(bias, 100) : 0;
}

/** Number of random draws before all entries are searched; enough if one entry in ten fits. */
const PROBES = 32;
