// The saved form of the address book: a document, and its text for a file, which has a header line
// with format, version and checksum, and then the document in JSON. Both may come from anywhere, so
// each entry is validated, and an invalid one is left out or corrected. Tested in
// book-document.test.ts and saved.test.ts.

import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { TransportError } from '@trunkline/transport-core';
import { isNodeId } from '@trunkline/transport-core/backend';
import { type DialMode, isDialable, type Place, placeOf } from '../address/place.ts';
import {
  type AddressIndex,
  type Ban,
  type BanList,
  KnownAddress,
  LONGEST_BAN,
  MOST_BANS,
  MOST_ON_A_HOST,
  NEW_BUCKETS_PER_ADDRESS,
  type Placement,
} from './entries.ts';

/**
 * The content of a book that is kept across restarts. Times are ages in whole milliseconds, counted
 * back from the time of saving, because a monotonic clock starts again in each process and a wall
 * clock can go back. As a consequence, time during which a node is down does not count.
 */
export interface BookDocument {
  /** The secret of the buckets, 64 hex digits. */
  readonly key: string;
  /** All entries, the tried ones first. */
  readonly entries: readonly SavedEntry[];
  /** For each new bucket, the positions in `entries` of its content. */
  readonly buckets: readonly (readonly number[])[];
  readonly bans: readonly SavedBan[];
}

/** An entry of the book in its saved form; see `BookEntry`. */
export interface SavedEntry {
  readonly nodeId: string;
  readonly address: string;
  readonly source: string;
  readonly tried: boolean;
  readonly failures: number;
  /** Ages in milliseconds. `attempt` and `success` are null if there was none. */
  readonly added: number;
  readonly seen: number;
  readonly attempt: number | null;
  readonly success: number | null;
}

/** A ban in its saved form. `address` is null if the book had none for the id. */
interface SavedBan {
  readonly nodeId: string;
  /** Milliseconds until the ban ends. */
  readonly left: number;
  readonly address: string | null;
  readonly source: string;
}

/** The version that `formatBook` writes, and the highest that `parseBook` reads. */
const BOOK_VERSION = 1;
/** Maximum size of a book: 8 MiB when it is written, as many characters when it is read. */
export const LARGEST_BOOK = 8 * 1024 * 1024;

/**
 * Formats the document as text; equal documents give equal texts. If the text would exceed 8 MiB,
 * which takes thousands of addresses of nearly the maximum length, the last new entries are left
 * out.
 */
export function formatBook(document: BookDocument): string {
  for (let count = document.entries.length; ; count = Math.floor(count * 0.9)) {
    const entries = document.entries.slice(0, count);
    const buckets = document.buckets.map((bucket) => bucket.filter((position) => position < count));
    const text = format({ key: document.key, entries, buckets, bans: document.bans });
    if (utf8ToBytes(text).length <= LARGEST_BOOK || count === 0) return text;
  }
}

/**
 * Parses text that `formatBook` wrote. Throws `data_loss`, with the problem in its message, if the
 * text is empty, too large, not a book, from a newer version, truncated or changed. Single
 * entries are validated when a book is built from the document: an invalid entry is dropped, and
 * the rest of the book is kept.
 */
export function parseBook(text: string): BookDocument {
  if (text.length > LARGEST_BOOK)
    throw lost(`is too large: ${text.length} characters, more than ${LARGEST_BOOK}`);
  if (text.trim() === '') throw lost('is empty');
  const end = text.indexOf('\n');
  const head = readJson(end < 0 ? text : text.slice(0, end)) as
    | { format?: unknown; version?: unknown; sha256?: unknown }
    | undefined;
  if (head?.format !== FORMAT) throw lost(`is corrupt: it does not begin like an address book`);
  if (!Number.isSafeInteger(head.version) || (head.version as number) < 1)
    throw lost('is corrupt: it has no version');
  if ((head.version as number) > BOOK_VERSION)
    throw lost(
      `has version ${head.version}, but this software reads versions up to ${BOOK_VERSION}: use newer software`,
    );
  const body = end < 0 ? '' : text.slice(end + 1);
  if (!body.endsWith('\n')) throw lost('is truncated: its end is missing');
  if (head.sha256 !== checksum(body)) throw lost('is corrupt: its checksum is wrong');
  const document = readJson(body);
  if (!isDocument(document)) throw lost('is corrupt: its content is not an address book');
  return document;
}

function format(document: BookDocument): string {
  const body = `${JSON.stringify(document)}\n`;
  return `${JSON.stringify({ format: FORMAT, version: BOOK_VERSION, sha256: checksum(body) })}\n${body}`;
}

function isDocument(value: unknown): value is BookDocument {
  if (typeof value !== 'object' || value === null) return false;
  const { key, entries, buckets, bans } = value as Record<string, unknown>;
  return (
    typeof key === 'string' &&
    [entries, buckets, bans].every(Array.isArray) &&
    (buckets as unknown[]).every(Array.isArray)
  );
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function checksum(body: string): string {
  return bytesToHex(sha256(utf8ToBytes(body)));
}

function lost(problem: string): TransportError {
  return new TransportError('data_loss', `parseBook: the address book ${problem}`);
}

const FORMAT = 'trunkline address book';

// Converts a book to its document and back.

/** Returns the document of a book at the time `now`; `key` is the secret of its buckets. */
export function saveBook(
  key: string,
  index: AddressIndex,
  bans: BanList,
  now: number,
): BookDocument {
  const all = [...index.allTried(), ...index.allNew()];
  const positions = new Map(all.map((known, position) => [known, position]));
  return {
    key,
    entries: all.map((known) => savedEntry(known, now)),
    buckets: index.fresh.map((bucket) => bucket.flatMap((known) => positions.get(known) ?? [])),
    bans: Array.from(bans.all(), (ban) => savedBan(ban, now)),
  };
}

/**
 * Fills an empty index and an empty list of bans from a document. `placement` must use the
 * document's key if that is valid, and `mode` decides which addresses may be dialed.
 */
export function restoreBook(
  document: BookDocument,
  index: AddressIndex,
  bans: BanList,
  placement: Placement,
  mode: DialMode,
  now: number,
): void {
  for (const saved of document.bans.slice(0, MOST_BANS)) {
    const ban = banOf(saved, now);
    if (ban !== undefined) bans.add(ban, now);
  }
  const isFit = once(mode, bans);
  const read = document.entries.map((saved) => {
    const known = knownOf(saved, now);
    return known !== undefined && isFit(known) ? { known, tried: saved.tried === true } : undefined;
  });
  for (const entry of read)
    if (entry?.tried) index.promote(entry.known, placement.triedRow(entry.known.place));
  for (const [row, bucket] of document.buckets.slice(0, index.fresh.length).entries()) {
    for (const position of bucket) {
      const known = read[position]?.known;
      if (known !== undefined && !known.tried && known.rows.length < NEW_BUCKETS_PER_ADDRESS)
        index.putNew(known, row);
    }
  }
  // Entries that the document lists in no bucket, or only in full buckets, are placed as if they
  // had just been reported, or left out if that bucket is full, too.
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
  return { nodeId, left: Math.ceil(until - now), address: place?.key ?? null, source };
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
  if (!hasId(saved)) return undefined;
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
  return hasId(saved) && typeof saved.address === 'string' ? placeOf(saved.address) : undefined;
}

/** Returns true if an item of a document, which may be anything, is an object with a node id. */
function hasId(saved: SavedEntry | SavedBan): boolean {
  const { nodeId } = Object(saved) as { readonly nodeId?: unknown };
  return typeof nodeId === 'string' && isNodeId(nodeId);
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

/** Maximum age, in milliseconds; older times are read as this old. */
const OLDEST = LONGEST_BAN;
