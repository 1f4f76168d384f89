// The address book as text for a file: one header line with format, version and checksum, then the
// content in JSON.

import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { TransportError } from '@trunkline/transport-core';

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
export interface SavedBan {
  readonly nodeId: string;
  /** Milliseconds until the ban ends. */
  readonly left: number;
  readonly address: string | null;
  readonly source: string;
}

/** The version that `formatBook` writes and `parseBook` reads. */
const BOOK_VERSION = 1;
/** Maximum size of a book when it is read or written: 8 MiB. */
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
 * text is empty, larger than 8 MiB, not a book, from a newer version, truncated or changed. Single
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
