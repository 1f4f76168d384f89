// Tests how the outbox spends, grants and refunds credit.

import test from 'ava';
import { pluck } from '../testing/pluck.ts';
import { Account, EMPTY, Kind } from '../wire/frame.ts';
import { ReceiveAccount } from './batch.ts';
import { OutboxFixture, RecordingSender, unit } from './testing/outbox-fixture.ts';
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
  const fixture = new OutboxFixture();
  const lanes = fixture.lanes(0x20, 10, 1);
  const senders = [new RecordingSender(), new RecordingSender(), new RecordingSender()];
  for (const sender of senders)
    fixture.outbox.push(lanes, unit(Kind.REQUEST, 2 * packet, true, sender), 'bulk');
  t.deepEqual(pluck(senders, 'paidFor'), [1, 0, 0]);
  t.is(lanes.credit, 1 - 2 * packet - 64);
  fixture.outbox.grantChannel(lanes, 2 * packet + 64, 0);
  t.deepEqual(pluck(senders, 'paidFor'), [1, 1, 0]);
  t.is(fixture.pump().length, 4);
});

test('a paid message that is withdrawn before it began is refunded, which pays for the next', (t) => {
  const fixture = new OutboxFixture();
  const lanes = fixture.lanes(0x20, 10, 1);
  const next = new RecordingSender();
  const first = unit(Kind.REQUEST, 2 * packet, true);
  fixture.outbox.push(lanes, first, 'bulk');
  fixture.outbox.push(lanes, unit(Kind.REQUEST, 3 * packet, true, next), 'bulk');
  fixture.outbox.remove(lanes, first);
  t.is(next.paidFor, 1);
  t.is(lanes.credit, 1 - 3 * packet - 64);
});

test('a message that is withdrawn after it began is refunded only by the receiver', (t) => {
  const fixture = new OutboxFixture();
  const lanes = fixture.lanes(0x20, 10, 100_000);
  const message = unit(Kind.REQUEST, 100 * packet, true);
  fixture.outbox.push(lanes, message, 'bulk');
  const before = lanes.credit;
  fixture.pumpOneBatch();
  fixture.outbox.remove(lanes, message);
  t.is(lanes.credit, before);
});

test('when a one-way that waits for credit is withdrawn, the requests behind it go', (t) => {
  const fixture = new OutboxFixture();
  const lanes = fixture.lanes(0x20, 10, 0);
  const oneway = unit(Kind.ONEWAY, 10, true);
  fixture.outbox.push(lanes, oneway, 'short');
  fixture.outbox.push(lanes, unit(Kind.REQUEST, 10), 'short');
  t.is(fixture.pump().length, 0);
  fixture.outbox.remove(lanes, oneway);
  t.is(fixture.pump().length, 1);
});

test('one-ways and long messages of a channel are paid in the order in which they wait', (t) => {
  const fixture = new OutboxFixture();
  const lanes = fixture.lanes(0x20, 10, 0);
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
    t.deepEqual(
      pluck(senders, 'paidFor'),
      senders.map((_, n) => (n < paid ? 1 : 0)),
    );
  }
});

test('a long message that was overtaken by a one-way begins only while the account is above 0', (t) => {
  const fixture = new OutboxFixture();
  const lanes = fixture.lanes(0x20, 10, 1);
  fixture.grant(0);
  fixture.outbox.push(lanes, unit(Kind.REQUEST, packet + 1, true), 'bulk');
  fixture.outbox.grantChannel(lanes, packet + 65, 0);
  fixture.outbox.push(lanes, unit(Kind.ONEWAY, packet, true), 'short');
  t.deepEqual(pluck(fixture.pump(), 'kind'), [Kind.ONEWAY]);
  t.is(lanes.account, 66 - 1_024);
  fixture.outbox.grant(100_000);
  fixture.outbox.push(lanes, unit(Kind.ITEM, 10), 'bulk');
  t.deepEqual(pluck(fixture.pump(), 'kind'), [Kind.ITEM], 'it holds up nothing behind it');
  fixture.outbox.grantChannel(lanes, 1_024 - 66, 0);
  t.is(fixture.pump().length, 0, 'at 0 nothing begins');
  fixture.outbox.grantChannel(lanes, 1, 0);
  t.deepEqual(pluck(fixture.pump(), 'kind'), [Kind.REQUEST, Kind.PART]);
  t.is(lanes.account, lanes.credit);
  t.true(fixture.outbox.idle);
});

test('a one-way that was overtaken by a long message is sent only while the account is above 0', (t) => {
  const fixture = new OutboxFixture();
  const lanes = fixture.lanes(0x20, 10, 1);
  // After an item, it is the turn of long messages.
  fixture.outbox.push(lanes, unit(Kind.ITEM, 10), 'bulk');
  fixture.pump();
  fixture.outbox.push(lanes, unit(Kind.ONEWAY, 10, true), 'short');
  fixture.outbox.grantChannel(lanes, 1_034, 0);
  fixture.outbox.push(lanes, unit(Kind.REQUEST, 2 * packet, true), 'bulk');
  t.deepEqual(pluck(fixture.pump(), 'kind'), [Kind.REQUEST, Kind.PART]);
  fixture.outbox.grantChannel(lanes, -lanes.account, 0);
  t.is(fixture.pump().length, 0, 'at 0 nothing begins');
  fixture.outbox.grantChannel(lanes, 1, 0);
  t.deepEqual(pluck(fixture.pump(), 'kind'), [Kind.ONEWAY]);
  t.is(lanes.account, lanes.credit);
});

test('a one-way counts as undone from its first packet until the peer reports it as done', (t) => {
  const fixture = new OutboxFixture();
  const lanes = fixture.lanes(0x20);
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
  const fixture = new OutboxFixture();
  const lanes = fixture.lanes(0x20);
  fixture.grant(1);
  const long = unit(Kind.REQUEST, 4 * packet, true);
  fixture.outbox.push(lanes, long, 'bulk');
  t.is(fixture.pump().length, 1);
  t.is(fixture.outbox.pipe, 1 - packet - 64);
  fixture.outbox.push(lanes, unit(Kind.ITEM, 10), 'bulk');
  fixture.outbox.push(lanes, unit(Kind.REQUEST, 10), 'short');
  fixture.outbox.push(lanes, unit(Kind.RESPONSE, 10), 'replies');
  t.deepEqual(
    fixture
      .pump()
      .map((frame) => frame.kind)
      .sort(),
    [Kind.REQUEST, Kind.RESPONSE].sort(),
  );
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

test('long responses begin as long as those that have begun are within 16 MiB, in order', (t) => {
  const fixture = new OutboxFixture();
  const channels = [0x20, 0x21, 0x22, 0x23].map((byte) => fixture.lanes(byte));
  // A response counts for at most 8 MiB. Of channels that have sent nothing, the last one begins.
  const sizes = [2 * packet, 5 * MIB, 8 * MIB, 9 * MIB];
  const responses = sizes.map((size) => unit(Kind.RESPONSE, size));
  fixture.grant(8 * packet);
  for (const [n, response] of responses.entries())
    fixture.outbox.push(channels[n]!, response, 'replies');
  const begun = () =>
    fixture.frames
      .filter(({ kind }) => kind === Kind.RESPONSE)
      .map(({ id }) => responses.findIndex((response) => response.id === id));
  fixture.pump();
  t.deepEqual(begun(), [3, 2]);
  fixture.outbox.remove(channels[3]!, responses[3]!);
  fixture.outbox.grant(8 * packet);
  fixture.pump();
  t.deepEqual(begun().sort(), [0, 1, 2, 3], 'a response that was broken off counts no more');
  fixture.outbox.push(channels[3]!, unit(Kind.RESPONSE, 8 * MIB), 'replies');
  const waiting = unit(Kind.RESPONSE, 2 * packet);
  fixture.outbox.push(channels[3]!, waiting, 'replies');
  fixture.outbox.remove(channels[3]!, waiting);
  fixture.outbox.grant(30 * MIB);
  fixture.pump();
  t.is(begun().length, 5);
  t.true(fixture.outbox.idle);
});
