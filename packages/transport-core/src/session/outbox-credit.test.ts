// Tests how the outbox spends, grants and refunds credit.

import test from 'ava';
import { pluck } from '../testing/pluck.ts';
import { Account, EMPTY, Kind } from '../wire/frame.ts';
import { ReceiveAccount } from './batch.ts';
import { OutboxFixture, RecordingSender, unit } from './testing/outbox-fixture.ts';
import { SMALL } from './testing/pair.ts';

const { packet } = SMALL;

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
  fixture.outbox.grant(Account.PIPE, packet + 64);
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

test('long responses of several channels pay in the order in which they begin', (t) => {
  const fixture = new OutboxFixture();
  const [slow, fast] = [fixture.lanes(0x20, 1), fixture.lanes(0x21, 100)];
  fixture.grant(1_000_000, 4 * packet);
  const sizes = new Map<number, number>();
  for (const [lanes, size] of [
    [slow, 2],
    [fast, 9],
    [slow, 3],
    [fast, 2],
  ] as const) {
    const response = unit(Kind.RESPONSE, size * packet, Account.REPLY);
    sizes.set(response.id, size * packet);
    fixture.outbox.push(lanes, response, 'replies');
  }
  let account = 4 * packet;
  const seen: number[] = [];
  for (let round = 0; round < 4; round++) {
    for (const { kind, id, size } of fixture.pump()) {
      if (kind !== Kind.RESPONSE) continue;
      t.true(account > 0, 'a response began without credit');
      t.is(size, sizes.get(id)!);
      account -= size + 64;
      seen.push(id);
    }
    t.is(fixture.outbox.reply, account);
    account += 10 * packet;
    fixture.outbox.grant(Account.REPLY, 10 * packet);
  }
  t.is(seen.length, 4);
  t.true(fixture.outbox.idle);
});
