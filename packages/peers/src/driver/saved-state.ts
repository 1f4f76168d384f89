// The format of the saved data: exactly two lines for the address book (see `formatBook`), then one
// line of trust data about the nodes of the book. The book's checksum does not cover the trust.

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

/**
 * Parses saved data. Throws `data_loss` if the book is malformed, see `parseBook`. Data that ends
 * with the book has no trust (`undefined`).
 */
export function parseSavedState(text: string): SavedState {
  const headEnd = text.indexOf('\n');
  const bookEnd = headEnd < 0 ? -1 : text.indexOf('\n', headEnd + 1);
  const book = parseBook(bookEnd < 0 ? text : text.slice(0, bookEnd + 1));
  return { book, trust: bookEnd < 0 ? undefined : readTrust(text.slice(bookEnd + 1)) };
}

function readTrust(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
