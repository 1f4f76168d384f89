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
  const long = new ReceiveAccount(fixture.batch, Account.LONG, 1_000);
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
  const lanes = fixture.lanes(0x20, 10, 0, 1);
  const senders = [new RecordingSender(), new RecordingSender(), new RecordingSender()];
  for (const sender of senders)
    fixture.outbox.push(lanes, unit(Kind.REQUEST, 2 * packet, Account.LONG, sender), 'bulk');
  t.deepEqual(pluck(senders, 'paidFor'), [1, 0, 0]);
  t.is(lanes.longCredit, 1 - 2 * packet - 64);
  fixture.outbox.grantChannel(lanes, Account.LONG, 2 * packet + 64);
  t.deepEqual(pluck(senders, 'paidFor'), [1, 1, 0]);
  t.is(fixture.pump().length, 4);
});

test('a paid message that is withdrawn before it began is refunded, which pays for the next', (t) => {
  const fixture = new OutboxFixture();
  const lanes = fixture.lanes(0x20, 10, 0, 1);
  const next = new RecordingSender();
  const first = unit(Kind.REQUEST, 2 * packet, Account.LONG);
  fixture.outbox.push(lanes, first, 'bulk');
  fixture.outbox.push(lanes, unit(Kind.REQUEST, 3 * packet, Account.LONG, next), 'bulk');
  fixture.outbox.remove(lanes, first);
  t.is(next.paidFor, 1);
  t.is(lanes.longCredit, 1 - 3 * packet - 64);
});

test('a message that is withdrawn after it began is refunded only by the receiver', (t) => {
  const fixture = new OutboxFixture();
  const lanes = fixture.lanes(0x20, 10, 0, 100_000);
  const message = unit(Kind.REQUEST, 100 * packet, Account.LONG);
  fixture.outbox.push(lanes, message, 'bulk');
  const before = lanes.longCredit;
  fixture.pumpOneBatch();
  fixture.outbox.remove(lanes, message);
  t.is(lanes.longCredit, before);
});

test('when a message that waits for credit leaves the head, the ones behind it that have credit go', (t) => {
  const fixture = new OutboxFixture();
  const lanes = fixture.lanes(0x20, 10, 500, 0);
  const behind = new RecordingSender();
  const long = unit(Kind.REQUEST, 2 * packet, Account.LONG);
  fixture.outbox.push(lanes, long, 'short');
  fixture.outbox.push(lanes, unit(Kind.ONEWAY, 10, Account.SHORT, behind), 'short');
  t.is(behind.paidFor, 0);
  fixture.outbox.remove(lanes, long);
  t.is(behind.paidFor, 1);
  t.is(fixture.pump().length, 1);
});

test('without pipe credit no long message and no item is sent, but short frames are', (t) => {
  const fixture = new OutboxFixture();
  const lanes = fixture.lanes(0x20);
  fixture.grant(1);
  const long = unit(Kind.REQUEST, 4 * packet, Account.LONG);
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
  const long = unit(Kind.REQUEST, 2 * packet, Account.LONG);
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
