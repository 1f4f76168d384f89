// Tests of alternative addresses, which others report for a tried node that does not answer at its
// own address.

import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import type { AddressBook, AddressBookOptions } from './address-book.ts';
import { anyAddress, idOf, MINUTE, makeBook, node } from './testing/addresses.ts';

const ID = idOf(1);
const HOME = '1.1.1.1:1';
const friend = node(8, '88.1.2.3:5', 'b');
const falseReporter = node(9, '99.1.2.3:5', 'b');

/** Returns a book whose only entry was reached once and has not answered since. */
function bookOfOneDown(options: Partial<AddressBookOptions> = {}): AddressBook {
  const book = makeBook(options);
  book.succeeded(ID, HOME, 0);
  book.attempted(ID, 1);
  book.failed(ID, HOME, 1);
  return book;
}

/** Records a failed dial. */
function fail(book: AddressBook, address: string, now: number): void {
  book.attempted(ID, now, address);
  book.failed(ID, address, now);
}

test('a reported address of a tried node is kept as an alternative only if that node has failed since its last answer', (t) => {
  const book = makeBook();
  book.succeeded(ID, HOME, 0);
  t.is(book.add(node(1, '2.2.2.2:2'), friend, 0), 'vetted');
  t.is(book.alternative(ID), undefined);
  book.attempted(ID, 1);
  const { news } = book;
  t.is(book.add(node(1, '2.2.2.2:2'), friend, 2), 'alternative');
  t.is(book.alternative(ID), '2.2.2.2:2');
  t.not(book.news, news, 'there is a node to dial');
  t.like(book.get(ID), { address: HOME, tried: true });
  t.is(book.at('2.2.2.2:2'), undefined);
  t.deepEqual([book.size, book.tried, book.fresh], [1, 1, 0]);
  const home = [{ nodeId: ID, address: HOME }];
  t.deepEqual(book.select(2), home, 'it is not sent to others');
  t.is([...book.entries()][0]!.address, HOME);
  t.deepEqual(makeBook({ saved: book.save(3) }).select(3), home, 'nor saved');
});

test('the address and its alternatives are dialed in turn, whatever is reported in between', (t) => {
  const book = bookOfOneDown();
  const random = seededRandom(4);
  const dialed = Array.from({ length: 100 }, (_, i) => {
    for (let told = 0; told < 5; told++)
      book.add(node(1, anyAddress(random)), node(i, anyAddress(random), 'b'), i);
    const { address } = book.pick(50, i)!;
    fail(book, address, i);
    return address;
  });
  t.true(dialed.some((address) => address !== HOME));
  for (const [i, address] of dialed.entries())
    t.true(i === 0 || address === HOME || dialed[i - 1] === HOME, 'an alternative never repeats');
  const others = dialed.filter((address) => address !== HOME);
  t.is(new Set(others).size, others.length, 'each alternative once');
});

test('a dial that reached the node at an alternative makes that its tried address', (t) => {
  const book = bookOfOneDown();
  book.add(node(1, '2.2.2.2:2'), friend, 2);
  book.attempted(ID, 3, 'tcp://2.2.2.2:2');
  book.succeeded(ID, '2.2.2.2:2', 4);
  t.like(book.get(ID), { address: '2.2.2.2:2', tried: true, failures: 0, lastSuccess: 4 });
  t.is(book.at(HOME), undefined);
  t.is(book.alternative(ID), undefined);
  t.is(book.size, 1);
});

test('a node that answers at its address, or reports itself there, is not searched elsewhere', (t) => {
  const answers = [
    (book: AddressBook) => book.succeeded(ID, HOME, 5),
    (book: AddressBook) => void book.learn(node(1, HOME), 5),
  ];
  for (const answer of answers) {
    const book = bookOfOneDown();
    book.add(node(1, '2.2.2.2:2'), friend, 2);
    const picks = Array.from({ length: 8 }, () => book.pick(100, 4)?.address);
    t.true(picks.includes('2.2.2.2:2'));
    answer(book);
    t.is(book.alternative(ID), undefined);
    t.is(book.pick(100, 6)?.address, HOME);
  }
});

test('the first alternative stays until it was dialed, then the next one fits, but for a minute none from the same group', (t) => {
  const book = bookOfOneDown();
  t.is(book.add(node(1, '6.6.6.6:1'), falseReporter, 2), 'alternative');
  t.is(book.add(node(1, '2.2.2.2:2'), friend, 3), 'vetted');
  t.is(book.alternative(ID), '6.6.6.6:1');
  book.attempted(ID, 4, '6.6.6.6:1');
  t.is(book.alternative(ID), undefined, 'it is being dialed');
  book.failed(ID, '6.6.6.6:1', 4);
  t.is(book.add(node(1, '6.6.6.6:2'), node(10, '99.1.7.7:7', 'b'), 5), 'vetted');
  t.is(book.add(node(1, '2.2.2.2:2'), friend, 6), 'alternative');
  t.is(book.alternative(ID), undefined, 'first its old address');
  fail(book, HOME, 7);
  t.is(book.alternative(ID), '2.2.2.2:2');
  fail(book, '2.2.2.2:2', 8);
  t.is(book.add(node(1, '6.6.6.6:2'), falseReporter, 9), 'alternative', 'others had their turn');
});

test('a group whose alternative failed may give another after a minute', (t) => {
  const book = bookOfOneDown();
  book.add(node(1, '6.6.6.6:1'), friend, 0);
  fail(book, '6.6.6.6:1', MINUTE);
  t.is(book.add(node(1, '2.2.2.2:2'), friend, 2 * MINUTE - 1), 'vetted');
  t.is(book.add(node(1, '2.2.2.2:2'), friend, 2 * MINUTE), 'alternative');
});

test('an alternative that is never dialed is dropped after five minutes, and the report of another group replaces it', (t) => {
  const book = bookOfOneDown();
  book.add(node(1, '6.6.6.6:1'), falseReporter, 0);
  t.is(book.add(node(1, '2.2.2.2:2'), friend, 5 * MINUTE), 'vetted');
  t.is(book.add(node(1, '6.6.6.6:2'), falseReporter, 5 * MINUTE + 1), 'vetted');
  t.is(book.add(node(1, '2.2.2.2:2'), friend, 5 * MINUTE + 2), 'alternative');
});

test('a reached address of another node is no alternative, and stops being one when that node is reached there', (t) => {
  const book = bookOfOneDown();
  book.succeeded(idOf(2), '2.2.2.2:2', 0);
  t.is(book.add(node(1, '2.2.2.2:2'), friend, 2), 'vetted');
  book.add(node(3, '3.3.3.3:3'), falseReporter, 2);
  // That a false reporter reported it for another id does not matter.
  t.is(book.add(node(1, '3.3.3.3:3'), friend, 2), 'alternative');
  t.is(book.at('3.3.3.3:3')?.nodeId, idOf(3));
  book.succeeded(idOf(3), '3.3.3.3:3', 3);
  t.is(book.alternative(ID), undefined);
  t.is(book.add(node(1, '4.4.4.4:4'), falseReporter, 4), 'alternative');
});

test('a node that is reached at an address reported for two ids is the one that it proves to be', (t) => {
  const book = bookOfOneDown();
  book.add(node(3, '3.3.3.3:3'), falseReporter, 2);
  book.add(node(1, '3.3.3.3:3'), friend, 2);
  book.succeeded(ID, '3.3.3.3:3', 3);
  t.is(book.at('3.3.3.3:3')?.nodeId, ID);
  t.is(book.get(idOf(3)), undefined);
  t.is(book.size, 1);
});

test('in public mode a host has at most 8 addresses, including alternatives', (t) => {
  const book = makeBook({ mode: 'public' });
  for (let i = 0; i < 20; i++) {
    book.succeeded(idOf(i), `1.${i}.1.1:1`, 0);
    book.attempted(idOf(i), 1);
    t.is(book.add(node(i, `9.9.9.9:${1 + i}`), friend, 2), i < 8 ? 'alternative' : 'full');
  }
  t.is(book.add(node(30, '9.9.9.9:90'), friend, 2), 'full');
  book.remove(idOf(3));
  t.is(book.add(node(19, '9.9.9.9:19'), friend, 2), 'alternative');
});
