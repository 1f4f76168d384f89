// Converts a book to its document and back. A document may come from anywhere, so each entry is
// validated, and an invalid one is left out or corrected.

import { isNodeId } from '@trunkline/transport-core/backend';
import { type DialMode, isDialable, type Place, placeOf } from '../address/place.ts';
import type { Ban, BanList } from './ban-list.ts';
import type { BookDocument, SavedBan, SavedEntry } from './document.ts';
import {
  type AddressIndex,
  KnownAddress,
  LONGEST_BAN,
  MOST_BANS,
  MOST_ON_A_HOST,
  NEW_BUCKETS_PER_ADDRESS,
  type Placement,
} from './entries.ts';

/** The parts of a book that its document describes. */
interface BookParts {
  readonly index: AddressIndex;
  readonly bans: BanList;
}

/** Returns the document of a book at the time `now`; `key` is the secret of its buckets. */
export function saveBook(key: string, { index, bans }: BookParts, now: number): BookDocument {
  const all = [...index.allTried(), ...index.allNew()];
  const positions = new Map(all.map((known, position) => [known, position]));
  return {
    key,
    entries: all.map((known) => savedEntry(known, now)),
    buckets: index.fresh.rows.map((bucket) =>
      bucket.flatMap((known) => positions.get(known) ?? []),
    ),
    bans: Array.from(bans.all(), (ban) => savedBan(ban, now)),
  };
}

/**
 * Fills an empty index and an empty list of bans from a document. `placement` must use the
 * document's key, and `mode` decides which addresses may be dialed.
 */
export function restoreBook(
  document: BookDocument,
  { index, bans }: BookParts,
  placement: Placement,
  mode: DialMode,
  now: number,
): void {
  for (const saved of listOf<SavedBan>(document.bans).slice(0, MOST_BANS)) {
    const ban = banOf(saved, now);
    if (ban !== undefined) bans.add(ban, now);
  }
  const isFit = once(mode, bans);
  const read = listOf<SavedEntry>(document.entries).map((saved) => {
    const known = knownOf(saved, now);
    return known !== undefined && isFit(known) ? { known, tried: saved.tried === true } : undefined;
  });
  for (const entry of read)
    if (entry?.tried) index.promote(entry.known, placement.triedRow(entry.known.place));
  for (const [row, bucket] of listOf<readonly number[]>(document.buckets)
    .slice(0, index.fresh.rows.length)
    .entries()) {
    for (const position of listOf<number>(bucket)) {
      const known = read[position]?.known;
      if (known !== undefined && !known.tried && known.rows.length < NEW_BUCKETS_PER_ADDRESS)
        index.putNew(known, row);
    }
  }
  // Entries that the document lists in no bucket, or only in full buckets, are placed as if they
  // had just been reported.
  for (const entry of read) {
    if (entry !== undefined && entry.known.rows.length === 0)
      index.putNew(entry.known, placement.newRow(entry.known.place.group, entry.known.source));
  }
}

function savedEntry(known: KnownAddress, now: number): SavedEntry {
  const { nodeId, address, source, tried, failures, added, seen, lastAttempt, lastSuccess } = known;
  const age = (time: number) => Math.max(0, Math.round(now - time));
  const attempt = lastAttempt === undefined ? null : age(lastAttempt);
  const success = lastSuccess === undefined ? null : age(lastSuccess);
  return {
    nodeId,
    address,
    source,
    tried,
    failures,
    added: age(added),
    seen: age(seen),
    attempt,
    success,
  };
}

function savedBan({ nodeId, until, place, source }: Ban, now: number): SavedBan {
  return {
    nodeId,
    left: Math.ceil(until - now),
    address: place?.key ?? null,
    source,
  };
}

function knownOf(saved: SavedEntry, now: number): KnownAddress | undefined {
  const place = placeIn(saved);
  if (place === undefined) return undefined;
  const time = (age: unknown) =>
    isAge(age) ? now - Math.min(Math.max(age, 0), OLDEST) : undefined;
  const known = new KnownAddress(
    saved.nodeId,
    place,
    groupIn(saved.source),
    time(saved.added) ?? now,
  );
  known.seen = time(saved.seen) ?? known.added;
  known.lastAttempt = time(saved.attempt);
  known.lastSuccess = time(saved.success);
  known.failures = isAge(saved.failures)
    ? Math.min(Math.max(Math.floor(saved.failures), 0), 1_000_000)
    : 0;
  return known;
}

function banOf(saved: SavedBan, now: number): Ban | undefined {
  if (
    typeof saved !== 'object' ||
    saved === null ||
    typeof saved.nodeId !== 'string' ||
    !isNodeId(saved.nodeId)
  )
    return undefined;
  // An invalid duration means that the ban is over. The ban list enforces the maximum.
  const left = isAge(saved.left) ? saved.left : 0;
  return {
    nodeId: saved.nodeId,
    until: now + left,
    place: placeIn(saved),
    source: groupIn(saved.source),
  };
}

function placeIn(saved: SavedEntry | SavedBan): Place | undefined {
  if (
    typeof saved !== 'object' ||
    saved === null ||
    typeof saved.nodeId !== 'string' ||
    typeof saved.address !== 'string'
  )
    return undefined;
  return isNodeId(saved.nodeId) ? placeOf(saved.address) : undefined;
}

/**
 * Returns a filter that accepts an entry if its id and address are both seen for the first time,
 * this book may dial it, its host is not full, and its id is not banned.
 */
function once(mode: DialMode, bans: BanList): (known: KnownAddress) => boolean {
  const seen = new Set<string>();
  const hosts = new Map<string, number>();
  return ({ nodeId, address, place }) => {
    if (
      seen.has(nodeId) ||
      seen.has(address) ||
      !isDialable(place, mode) ||
      bans.get(nodeId) !== undefined
    )
      return false;
    const onHost = (hosts.get(place.host) ?? 0) + 1;
    if (mode === 'public' && onHost > MOST_ON_A_HOST) return false;
    hosts.set(place.host, onHost);
    seen.add(nodeId).add(address);
    return true;
  };
}

function groupIn(source: unknown): string {
  return typeof source === 'string' && source.length <= 256 ? source : '';
}

function isAge(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function listOf<T>(value: unknown): readonly T[] {
  return Array.isArray(value) ? value : [];
}

/** Maximum age, in milliseconds; older times are read as this old. */
const OLDEST = LONGEST_BAN;
