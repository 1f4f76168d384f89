// Fuzzes the file of an address book. Any text is either a book or `data_loss`. A book stays within
// the limits and can be saved and loaded again, no matter how odd its entries are.

import { utf8ToBytes } from '@noble/hashes/utils.js';
import { type Random, TransportError } from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';
import { AddressBook } from '../../book/address-book.ts';
import { bookText } from '../../book/testing/addresses.ts';
import { TrustBook } from '../../trust/trust-book.ts';
import { formatSavedState, parseSavedState, type SavedState } from '../book-keeper.ts';

const SELF = 'f'.repeat(64);
const utf8 = new TextDecoder();

export const target = {
  run(input: Uint8Array): void {
    const text = utf8.decode(input);
    load(text);
    // A correct checksum lets the parser reach the content. The first line is the book, the rest is
    // the trust.
    const [content = '', ...trust] = text.split('\n');
    load(bookText(content) + trust.join('\n'));
  },

  *seeds(): Iterable<Uint8Array> {
    const random = seededRandom(1);
    for (let count = 0; count < 4; count++) yield utf8ToBytes(bookOf(random, count));
    yield utf8ToBytes(bookText('{}'));
  },

  make(random: Random): Uint8Array {
    return utf8ToBytes(bookOf(random, Math.floor(random() * 6)));
  },

  tokens: [
    ...'"key": "entries": "buckets": "bans": "tried":true "nodeId": "address": "left":'.split(' '),
    ...['-1', '1e308', 'null', '[]', '__proto__', '\n'],
  ],
  most: 4_096,
};

function load(text: string): void {
  const state = read(text);
  if (state === undefined) return;
  const book = bookFrom(state);
  const trust = new TrustBook(state.trust);
  for (const { nodeId } of book.entries()) {
    if (nodeId === SELF) throw new Error('the book has this node');
    const score = trust.score(nodeId);
    if (!(score >= 0 && score <= 100)) throw new Error(`a score of ${score}`);
  }
  for (let i = 0; i < 3; i++) book.pick(50, 5_000, () => true);
  const written = formatSavedState(book.save(5_000), trust.save());
  const again = read(written);
  if (again === undefined) throw new Error('what was saved is no book');
  const other = bookFrom(again);
  if (other.size !== book.size || other.tried !== book.tried)
    throw new Error(`${other.size} entries after ${book.size}`);
}

function bookFrom({ book: saved }: SavedState): AddressBook {
  return new AddressBook({ random: seededRandom(2), now: 5_000, nodeId: SELF, saved });
}

function read(text: string): SavedState | undefined {
  try {
    return parseSavedState(text);
  } catch (error) {
    if (!(error instanceof TransportError) || error.code !== 'data_loss') throw error;
    if (error.message.length > 500)
      throw new Error(`an error of ${error.message.length} characters`);
    return undefined;
  }
}

/** Returns the content of a book's file, without the first line. */
function bookOf(random: Random, count: number): string {
  const book = new AddressBook({ random, now: 0, nodeId: SELF });
  const trust = new TrustBook();
  for (let i = 0; i < count; i++) {
    const nodeId = i.toString(16).repeat(64).slice(0, 64);
    const entry = { nodeId, address: `${i + 1}.2.3.4:${1 + Math.floor(random() * 9)}` };
    const teller = random() < 0.5 ? '8.8.8.8:8' : '9.9.9.9:9';
    book.add(entry, { nodeId: 'e'.repeat(64), address: teller }, i);
    if (random() < 0.4) book.succeeded(nodeId, entry.address, i);
    if (random() < 0.2) book.ban(nodeId, i, 1_000);
    trust.connected(nodeId);
    trust.bad(nodeId);
  }
  const text = formatSavedState(book.save(10), trust.save());
  return text.slice(text.indexOf('\n') + 1);
}
