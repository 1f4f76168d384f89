// Tests how the outbox spends, grants and refunds credit.

import test from 'ava';
import { pluck } from '../testing/pluck.ts';
import { Account, EMPTY, Kind } from '../wire/frame.ts';
import { ReceiveAccount } from './batch.ts';
import { OutboxFixture, RecordingSender, unit, withChannel } from './testing/outbox-fixture.ts';
import { SMALL } from './testing/pair.ts';

const { packet } = SMALL;
const MIB = 1024 * 1024;

test('a frame that leaves at once takes owed credit along', (t) => {
  const fixture = new OutboxFixture();
  const long = new ReceiveAccount(fixture.batch, Account.INBOX, 1_000);
  long.spend(100);
  long.giveBack(100, true);
  fixture.batch.pacer.read(0, 1, 1);
  fixture.batch.answer(Kind.RESPONSE, 1, EMPTY, true);
  fixture.batch.wrote();
  t.deepEqual(pluck(fixture.frames, 'kind'), [Kind.RESPONSE, Kind.CREDIT]);
  t.deepEqual(fixture.batches, [2]);
});

test('long messages are paid as a whole, in order, when their account rises above 0', (t) => {
  const { fixture, lanes } = withChannel(1);
  const senders = [new RecordingSender(), new RecordingSender(), new RecordingSender()];
  for (const sender of senders)
    fixture.outbox.push(lanes, unit(Kind.REQUEST, 2 * packet, true, sender), 'bulk');
  t.deepEqual(pluck(senders, 'paidFor'), [1, 0, 0]);
  t.is(lanes.credit, 1 - 2 * packet - 64);
  t.is(fixture.pump().length, 2);
  fixture.outbox.grantChannel(lanes, 2 * packet + 64, 0);
  t.deepEqual(pluck(senders, 'paidFor'), [1, 1, 0]);
  t.is(fixture.pump().length, 2);
});

test('a paid message that is withdrawn before it began is refunded, which pays for the next', (t) => {
  const { fixture, lanes } = withChannel(1);
  const next = new RecordingSender();
  const first = unit(Kind.REQUEST, 2 * packet, true);
  fixture.outbox.push(lanes, first, 'bulk');
  fixture.outbox.push(lanes, unit(Kind.REQUEST, 3 * packet, true, next), 'bulk');
  fixture.outbox.remove(first);
  t.is(next.paidFor, 1);
  t.is(lanes.credit, 1 - 3 * packet - 64);
});

test('a message that is withdrawn after it began is refunded only by the receiver', (t) => {
  const { fixture, lanes } = withChannel(100_000);
  const message = unit(Kind.REQUEST, 100 * packet, true);
  fixture.outbox.push(lanes, message, 'bulk');
  const before = lanes.credit;
  fixture.pumpOneBatch();
  fixture.outbox.remove(message);
  t.is(lanes.credit, before);
});

test('when a one-way that waits for credit is withdrawn, the requests behind it go', (t) => {
  const { fixture, lanes } = withChannel(0);
  const oneway = unit(Kind.ONEWAY, 10, true);
  fixture.outbox.push(lanes, oneway, 'short');
  fixture.outbox.push(lanes, unit(Kind.REQUEST, 10), 'short');
  t.is(fixture.pump().length, 0);
  fixture.outbox.remove(oneway);
  t.is(fixture.pump().length, 1);
});

test('one-ways and long messages of a channel are paid in the order in which they wait', (t) => {
  const { fixture, lanes } = withChannel(0);
  const senders = Array.from({ length: 5 }, () => new RecordingSender());
  for (const [n, sender] of senders.entries()) {
    const isLong = n % 2 === 0;
    const message = isLong
      ? unit(Kind.REQUEST, 2 * packet, true, sender)
      : unit(Kind.ONEWAY, 10, true, sender);
    fixture.outbox.push(lanes, message, isLong ? 'bulk' : 'short');
  }
  for (let paid = 1; paid <= senders.length; paid++) {
    fixture.outbox.grantChannel(lanes, 1 - lanes.credit, 0);
    fixture.pump();
    t.deepEqual(
      pluck(senders, 'paidFor'),
      senders.map((_, n) => (n < paid ? 1 : 0)),
    );
  }
});

test('a one-way that would exhaust the account waits until earlier long messages have begun', (t) => {
  const { fixture, lanes } = withChannel(packet + 66);
  const sender = new RecordingSender();
  fixture.grant(0);
  fixture.outbox.push(lanes, unit(Kind.REQUEST, packet + 1, true), 'bulk');
  t.false(lanes.payOneway(64 + packet));
  fixture.outbox.push(lanes, unit(Kind.ONEWAY, packet, true, sender), 'short');
  t.is(fixture.pump().length, 0);
  t.is(sender.paidFor, 0);
  fixture.outbox.grant(100_000);
  t.deepEqual(pluck(fixture.pump(), 'kind'), [Kind.REQUEST, Kind.PART, Kind.ONEWAY]);
  t.is(sender.paidFor, 1);
  t.is(lanes.account, 1 - 1_024 - packet);
  t.is(lanes.account, lanes.credit);
  t.true(fixture.outbox.idle);
});

test('a long message that would exhaust the account waits until earlier one-ways have begun', (t) => {
  const { fixture, lanes } = withChannel(2_000);
  // After an item, it is the turn of long messages.
  fixture.outbox.push(lanes, unit(Kind.ITEM, 10), 'bulk');
  fixture.pump();
  fixture.outbox.push(lanes, unit(Kind.ONEWAY, 10, true), 'short');
  fixture.outbox.push(lanes, unit(Kind.REQUEST, 2 * packet, true), 'bulk');
  t.deepEqual(pluck(fixture.pump(), 'kind'), [Kind.ONEWAY, Kind.REQUEST, Kind.PART]);
  t.is(lanes.account, 2_000 - 1_034 - 2 * packet - 64);
  t.is(lanes.account, lanes.credit);
});

test('a long message that does not exhaust the account may overtake one-ways', (t) => {
  const { fixture, lanes } = withChannel();
  fixture.outbox.push(lanes, unit(Kind.ITEM, 10), 'bulk');
  fixture.pump();
  fixture.outbox.push(lanes, unit(Kind.ONEWAY, 10, true), 'short');
  fixture.outbox.push(lanes, unit(Kind.REQUEST, 2 * packet, true), 'bulk');
  t.deepEqual(pluck(fixture.pump(), 'kind'), [Kind.REQUEST, Kind.PART, Kind.ONEWAY]);
});

test('a one-way counts as undone from its first packet until the peer reports it as done', (t) => {
  const { fixture, lanes } = withChannel();
  const long = unit(Kind.ONEWAY, 3 * packet, true);
  fixture.outbox.push(lanes, unit(Kind.ONEWAY, 10, true), 'short');
  fixture.outbox.push(lanes, long, 'bulk');
  fixture.outbox.push(lanes, unit(Kind.REQUEST, 3 * packet, true), 'bulk');
  t.is(lanes.undone, 0);
  fixture.pump();
  t.is(lanes.undone, 2);
  t.true(fixture.outbox.grantChannel(lanes, 1, 2));
  t.is(lanes.undone, 0);
  t.false(fixture.outbox.grantChannel(lanes, 1, 1), 'the peer reports more than were sent');
});

test('without pipe credit no long message and no item is sent, but short frames are', (t) => {
  const { fixture, lanes } = withChannel();
  fixture.grant(1);
  const long = unit(Kind.REQUEST, 4 * packet, true);
  fixture.outbox.push(lanes, long, 'bulk');
  t.is(fixture.pump().length, 1);
  t.is(fixture.outbox.pipe, 1 - packet - 64);
  fixture.outbox.push(lanes, unit(Kind.ITEM, 10), 'bulk');
  fixture.outbox.push(lanes, unit(Kind.REQUEST, 10), 'short');
  fixture.outbox.push(lanes, unit(Kind.RESPONSE, 10), 'replies');
  t.deepEqual(pluck(fixture.pump(), 'kind').sort(), [Kind.REQUEST, Kind.RESPONSE].sort());
  t.true(fixture.outbox.straight(10));
  fixture.outbox.grant(packet + 64);
  t.is(fixture.pump().length, 1);
});

test('metadata counts against the pipe only in the first packet', (t) => {
  const fixture = new OutboxFixture();
  fixture.grant(100_000);
  const long = unit(Kind.REQUEST, 2 * packet, true);
  long.metadata = { bytes: new Uint8Array(30), size: 20, value: { a: 'b' } };
  fixture.outbox.push(fixture.lanes(0x20), long, 'bulk');
  fixture.pump();
  t.is(fixture.outbox.pipe, 100_000 - 2 * packet - 20 - 2 * 64);
});

test('the end of a connection drops everything that waits, also responses that have not begun', (t) => {
  const fixture = new OutboxFixture();
  const channels = [0x20, 0x21].map((byte) => fixture.lanes(byte));
  const waiting = [9, 9, 9].map((size) => unit(Kind.RESPONSE, size * MIB));
  for (const response of waiting) fixture.outbox.push(channels[0]!, response, 'replies');
  fixture.outbox.push(channels[1]!, unit(Kind.REQUEST, 2 * packet, true), 'bulk');
  fixture.outbox.end();
  // A call that ends later withdraws what is dropped anyway.
  for (const response of waiting) fixture.outbox.remove(response);
  fixture.outbox.drop(channels);
  t.is(fixture.context.usage.held, 0);
  t.true(channels.every((lanes) => lanes.empty));
});

test('long responses begin as long as those that wait or have begun are within 16 MiB, in order', (t) => {
  const fixture = new OutboxFixture();
  const channels = [0x20, 0x21, 0x22, 0x23].map((byte) => fixture.lanes(byte));
  // A response counts for at most 8 MiB.
  const sizes = [8 * MIB, 2 * packet, 5 * MIB, 9 * MIB];
  const responses = sizes.map((size) => unit(Kind.RESPONSE, size));
  fixture.grant(8 * packet);
  for (const [n, response] of responses.entries())
    fixture.outbox.push(channels[n]!, response, 'replies');
  const next = unit(Kind.RESPONSE, 3 * packet);
  fixture.outbox.push(channels[0]!, next, 'replies');
  const begun = () =>
    fixture.frames
      .filter(({ kind }) => kind === Kind.RESPONSE)
      .map(({ id }) => [...responses, next].findIndex((response) => response.id === id));
  fixture.pump();
  t.deepEqual(begun().sort(), [0, 1, 2]);
  fixture.outbox.remove(responses[0]!);
  fixture.outbox.grant(16 * packet);
  fixture.pump();
  t.deepEqual(begun().sort(), [0, 1, 2, 3, 4], 'a response that was broken off counts no more');
  fixture.outbox.grant(30 * MIB);
  fixture.pump();
  t.true(fixture.outbox.idle);
});

test('a long response that is withdrawn while it waits admits those behind it', (t) => {
  const { fixture, lanes } = withChannel();
  const responses = [8 * MIB, 7 * MIB, 8 * MIB, 2 * packet].map((size) =>
    unit(Kind.RESPONSE, size),
  );
  fixture.grant(1);
  for (const response of responses) fixture.outbox.push(lanes, response, 'replies');
  t.true(responses[3]!.unpaid);
  fixture.outbox.remove(responses[2]!);
  t.false(responses[3]!.unpaid);
  fixture.outbox.grant(30 * MIB);
  fixture.pump();
  t.true(fixture.outbox.idle);
});
