// Tests of the address book and the trust book while they are being loaded.

import type { AnyTransport } from '@trunkline/transport-core';
import { createManualClock, seededRandom } from '@trunkline/transport-core/testing';
import test, { type ExecutionContext } from 'ava';
import { AddressBook } from '../book/address-book.ts';
import { createMemoryAddressBook } from '../store/address-book-store.ts';
import { idOf } from '../testing/cluster.ts';
import { TrustBook } from '../trust/trust-book.ts';
import { BookKeeper, formatSavedState } from './book-keeper.ts';

/** Returns a keeper whose store holds a record of the node `known`, and a clock for it. */
async function keeperOf(t: ExecutionContext, known: string, fill = (_: AddressBook) => {}) {
  const trust = new TrustBook();
  trust.bad(known, 3);
  const book = new AddressBook({ random: seededRandom(1), now: 0 });
  fill(book);
  const store = createMemoryAddressBook();
  await store.load((text) => text);
  await store.save(formatSavedState(book.save(0), trust.save()));
  await store.close();
  const clock = createManualClock();
  const keeper = new BookKeeper({
    config: {
      addressBook: store,
      transport: { random: seededRandom(1) } as unknown as AnyTransport,
      privateIds: [],
    },
    clock,
    policy: { mode: 'any', refusal: () => undefined },
    nodeId: idOf('me'),
    warn: (error) => t.fail(error.message),
  });
  return { keeper, clock, before: trust.score(known) };
}

test('open keeps the trust recorded while it loads, and the peers that connected meanwhile', async (t) => {
  const [known, reported, connected] = [idOf('known'), idOf('reported'), idOf('connected')];
  const { keeper, before } = await keeperOf(t, known);
  keeper.trust.connected(connected);
  keeper.trust.connected(known);
  keeper.trust.bad(reported, 2);
  keeper.trust.good(known, 3);
  await keeper.open();
  t.true(keeper.trust.score(reported) < 100, 'a report');
  t.true(keeper.trust.score(known) > before, 'a report about a node of the saved data');
  keeper.trust.looked(connected, 2_000, 'bad');
  t.true(keeper.trust.score(connected) < 100, 'a peer that connected while it loaded');
  await keeper.close();
});

test('open keeps a ban that ends within half a millisecond', async (t) => {
  const nodeId = idOf('banned');
  const { keeper, clock } = await keeperOf(t, idOf('known'));
  keeper.book.ban(nodeId, clock.now(), 0.4);
  await keeper.open();
  t.true(keeper.book.isBanned(nodeId, clock.now()));
  await keeper.close();
});

test('a saved ban that is ended while the book loads stays ended', async (t) => {
  const nodeId = idOf('banned');
  const fill = (book: AddressBook) => book.ban(nodeId, 0);
  const { keeper, clock } = await keeperOf(t, idOf('known'), fill);
  keeper.unban(nodeId);
  await keeper.open();
  t.false(keeper.book.isBanned(nodeId, clock.now()));
  await keeper.close();
});

test('an address that another node reports while the book loads does not replace a tried one', async (t) => {
  const [nodeId, liar] = [idOf('tried'), idOf('liar')];
  const fill = (book: AddressBook) => book.succeeded(nodeId, '8.8.8.8:1', 0);
  const { keeper, clock } = await keeperOf(t, idOf('known'), fill);
  const source = { nodeId: liar, address: '9.9.9.9:9' };
  keeper.book.add({ nodeId, address: '9.9.9.9:1' }, source, clock.now());
  keeper.book.add({ nodeId: liar, address: '9.9.9.9:2' }, source, clock.now());
  await keeper.open();
  const { address, tried } = keeper.book.get(nodeId)!;
  t.deepEqual([address, tried], ['8.8.8.8:1', true]);
  t.is(keeper.book.get(liar)?.source, '9.9.0.0', 'it enters the book like other reports');
  await keeper.close();
});
