// What is saved: the address book, and behind it one line of the trust in who is in it.

import { type BookDocument, formatBook, parseBook } from '../book/book-document.ts';
import type { TrustBookDocument } from '../trust/trust-book.ts';

export interface Notes {
  readonly book: BookDocument;
  /** As it was read: trust that is broken is no trust, and costs nothing else. */
  readonly trust: unknown;
}

export function formatNotes({ book, trust }: { readonly book: BookDocument; readonly trust: TrustBookDocument }): string {
  return `${formatBook(book)}${JSON.stringify(trust)}\n`;
}

/** `data_loss` where the book is none, as `parseBook` says. */
export function parseNotes(text: string): Notes {
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
