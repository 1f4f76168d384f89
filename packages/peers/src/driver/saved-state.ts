// The format of the saved data: the address book, followed by one line of trust data about its
// nodes.

import { type BookDocument, formatBook, parseBook } from '../book/book-document.ts';
import type { TrustBookDocument } from '../trust/trust-book.ts';

export interface SavedState {
  readonly book: BookDocument;
  /** The trust data as read, unchecked. If it is malformed, only the trust is lost. */
  readonly trust: unknown;
}

export function formatSavedState({
  book,
  trust,
}: {
  readonly book: BookDocument;
  readonly trust: TrustBookDocument;
}): string {
  return `${formatBook(book)}${JSON.stringify(trust)}\n`;
}

/** Parses saved data. Throws `data_loss` if the book is malformed, see `parseBook`. */
export function parseSavedState(text: string): SavedState {
  const head = text.indexOf('\n');
  const end = head < 0 ? -1 : text.indexOf('\n', head + 1);
  const book = parseBook(end < 0 ? text : text.slice(0, end + 1));
  return { book, trust: end < 0 ? undefined : readTrust(text.slice(end + 1)) };
}

function readTrust(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
