// Fuzzes the input that peers accept from each other: lists of addresses, statuses, and any text
// that claims to be an address. An address book must accept any such input and stay within its
// bounds.

import type { Random } from '@trunkline/transport-core';
import { seededRandom } from '@trunkline/transport-core/testing';
import { placeOf } from '../address/place.ts';
import { AddressBook } from '../book/address-book.ts';
import {
  decodeList,
  encodeList,
  LONGEST_LIST,
  MOST_ADDRESSES,
  readAddressEntries,
  readAddressEntry,
} from '../exchange/address-list.ts';
import { decodeStatus, encodeStatus } from '../protocol.ts';

const TELLER = 'e'.repeat(64);

export const target = {
  run(input: Uint8Array): void {
    status(input);
    const address = new TextDecoder().decode(input);
    placeOf(address);
    const named = [{ nodeId: 'a'.repeat(64), address }];
    const entries = [...readAddressEntries(named), ...(decodeList(input) ?? [])];
    if (entries.length === 0) return;
    for (const mode of ['any', 'public'] as const)
      tell(
        new AddressBook({ random: seededRandom(1), now: 0, mode, nodeId: 'f'.repeat(64) }),
        entries,
        1_000,
      );
  },

  *seeds(): Iterable<Uint8Array> {
    const addresses =
      `host:1 [::1]:26656 ws://host:80/p2p wss://h/p 10.0.0.1:80 [::ffff:169.254.169.254]:80
      inmem://a tcp://[fe80::1%eth0]:9`.split(/\s+/);
    yield encodeList(addresses.map((address, i) => ({ nodeId: String(i).repeat(64), address })));
    for (const address of addresses) yield new TextEncoder().encode(address);
    yield encodeStatus(7, Uint8Array.of(1, 2));
  },

  make(random: Random): Uint8Array {
    const below = (limit: number) => Math.floor(random() * limit);
    const words = `host 10.0.0.1 8.8.8.8 [2001:db8::1] [::ffff:1.2.3.4] 0x7f.1 127.1 xn--a [::1%25lo]
      999.1.1.1 ü.example`;
    const hosts = ['', ...words.split(/\s+/)];
    const schemes = ['', 'tcp://', 'ws://', 'wss://', 'inmem://', 'WS://'];
    const ports = [':1', ':0', ':65535', ':65536', '', ':', ':00080', ':1/p?q#f'];
    const address = () =>
      schemes[below(6)]! + hosts[below(hosts.length)]! + ports[below(ports.length)]!;
    const entries = Array.from({ length: below(5) }, () => ({
      nodeId: below(10).toString(16).repeat(64),
      address: address(),
    }));
    return random() < 0.5 ? encodeList(entries) : new TextEncoder().encode(address());
  },

  tokens: [
    ...'nodeId address addresses __proto__ tcp:// ws:// [:: 0x %25 @ :65536 ::ffff: 127.0.0.1'.split(
      ' ',
    ),
    ...['\u00e9', '\ud83d\ude00'],
  ],
  most: 4_096,
};

function status(input: Uint8Array): void {
  const told = decodeStatus(input);
  if (told === undefined) return;
  const written = encodeStatus(told.seq, told.value);
  if (written.join() !== input.join())
    throw new Error(`a status reads otherwise than it is written: ${written.join()}`);
}

/** Adds the entries to the book, as if a peer had sent them in an answer. */
function tell(book: AddressBook, entries: readonly unknown[], now: number): void {
  const answer = readAddressEntries(entries);
  if (answer.length > MOST_ADDRESSES) throw new Error(`${answer.length} entries were read`);
  for (const entry of answer) {
    const again = readAddressEntry(entry);
    if (again?.entry.address !== entry.address || again.entry.nodeId !== entry.nodeId)
      throw new Error(`it reads otherwise again: ${JSON.stringify(entry)}`);
    book.add(entry, { nodeId: TELLER, address: '1.2.3.4:5' }, now);
  }
  if (readAddressEntries(answer).length !== answer.length)
    throw new Error('one entry stands there twice');
  if (book.size > answer.length) throw new Error(`the book has ${book.size} entries`);
  const told = book.select(now);
  if (encodeList(told).length > LONGEST_LIST) throw new Error('a list is too long');
  for (const { address } of told)
    if (placeOf(address) === undefined)
      throw new Error(`the book has what is no address: ${address}`);
}
