// Tests how the outbox spends, grants and refunds credit.

import test from 'ava';
import { Account, EMPTY, Kind } from '../wire/frame.ts';
import { ReceiveAccount } from './receive-account.ts';
import { OutboxBench, Teller, unit } from './testing/outbox-bench.ts';
import { SMALL } from './testing/pair.ts';

const { packet } = SMALL;

test('a frame that leaves at once takes owed credit along', (t) => {
  const bench = new OutboxBench();
  const long = new ReceiveAccount(bench.batch, Account.LONG, 1_000);
  long.spend(100);
  long.giveBack(100, true);
  bench.batch.read(0, 1, 1);
  bench.batch.answer(Kind.RESPONSE, 1, EMPTY);
  bench.batch.wrote();
  t.deepEqual(
    bench.frames.map(({ kind }) => kind),
    [Kind.RESPONSE, Kind.CREDIT],
  );
  t.deepEqual(bench.batches, [2]);
});

test('long messages are paid as a whole, in order, when their account rises above 0', (t) => {
  const bench = new OutboxBench();
  const lanes = bench.lanes(0x20, 10, 0, 1);
  const tellers = [new Teller(), new Teller(), new Teller()];
  for (const teller of tellers)
    bench.outbox.push(lanes, unit(Kind.REQUEST, 2 * packet, Account.LONG, teller), 'bulk');
  t.deepEqual(
    tellers.map((teller) => teller.paidFor),
    [1, 0, 0],
  );
  t.is(lanes.longCredit, 1 - 2 * packet - 64);
  bench.outbox.grantChannel(lanes, Account.LONG, 2 * packet + 64);
  t.deepEqual(
    tellers.map((teller) => teller.paidFor),
    [1, 1, 0],
  );
  t.is(bench.pump().length, 4);
});

test('a paid message that is withdrawn before it began is refunded, which pays for the next', (t) => {
  const bench = new OutboxBench();
  const lanes = bench.lanes(0x20, 10, 0, 1);
  const next = new Teller();
  const first = unit(Kind.REQUEST, 2 * packet, Account.LONG);
  bench.outbox.push(lanes, first, 'bulk');
  bench.outbox.push(lanes, unit(Kind.REQUEST, 3 * packet, Account.LONG, next), 'bulk');
  bench.outbox.remove(lanes, first);
  t.is(next.paidFor, 1);
  t.is(lanes.longCredit, 1 - 3 * packet - 64);
});

test('a message that is withdrawn after it began is refunded only by the receiver', (t) => {
  const bench = new OutboxBench();
  const lanes = bench.lanes(0x20, 10, 0, 100_000);
  const message = unit(Kind.REQUEST, 100 * packet, Account.LONG);
  bench.outbox.push(lanes, message, 'bulk');
  const before = lanes.longCredit;
  bench.pumpOneBatch();
  bench.outbox.remove(lanes, message);
  t.is(lanes.longCredit, before);
});

test('when a message that waits for credit leaves the head, the ones behind it that have credit go', (t) => {
  const bench = new OutboxBench();
  const lanes = bench.lanes(0x20, 10, 500, 0);
  const behind = new Teller();
  const long = unit(Kind.REQUEST, 2 * packet, Account.LONG);
  bench.outbox.push(lanes, long, 'short');
  bench.outbox.push(lanes, unit(Kind.ONEWAY, 10, Account.SHORT, behind), 'short');
  t.is(behind.paidFor, 0);
  bench.outbox.remove(lanes, long);
  t.is(behind.paidFor, 1);
  t.is(bench.pump().length, 1);
});

test('without pipe credit no long message and no item is sent, but short frames are', (t) => {
  const bench = new OutboxBench();
  const lanes = bench.lanes(0x20);
  bench.grant(1);
  const long = unit(Kind.REQUEST, 4 * packet, Account.LONG);
  bench.outbox.push(lanes, long, 'bulk');
  t.is(bench.pump().length, 1);
  t.is(bench.outbox.pipe, 1 - packet - 64);
  bench.outbox.push(lanes, unit(Kind.ITEM, 10), 'bulk');
  bench.outbox.push(lanes, unit(Kind.REQUEST, 10), 'short');
  bench.outbox.push(lanes, unit(Kind.RESPONSE, 10), 'replies');
  t.deepEqual(
    bench
      .pump()
      .map((frame) => frame.kind)
      .sort(),
    [Kind.REQUEST, Kind.RESPONSE].sort(),
  );
  t.true(bench.outbox.straight(10));
  bench.outbox.grant(Account.PIPE, packet + 64);
  t.is(bench.pump().length, 1);
});

test('metadata counts against the pipe only in the first packet', (t) => {
  const bench = new OutboxBench();
  bench.grant(100_000);
  const long = unit(Kind.REQUEST, 2 * packet, Account.LONG);
  long.metadata = { bytes: new Uint8Array(30), size: 20, value: { a: 'b' } };
  bench.outbox.push(bench.lanes(0x20), long, 'bulk');
  bench.pump();
  t.is(bench.outbox.pipe, 100_000 - 2 * packet - 20 - 2 * 64);
});

test('long responses of several channels pay in the order in which they begin', (t) => {
  const bench = new OutboxBench();
  const [slow, fast] = [bench.lanes(0x20, 1), bench.lanes(0x21, 100)];
  bench.grant(1_000_000, 4 * packet);
  const sizes = new Map<number, number>();
  for (const [lanes, size] of [
    [slow, 2],
    [fast, 9],
    [slow, 3],
    [fast, 2],
  ] as const) {
    const response = unit(Kind.RESPONSE, size * packet, Account.REPLY);
    sizes.set(response.id, size * packet);
    bench.outbox.push(lanes, response, 'replies');
  }
  let account = 4 * packet;
  const seen: number[] = [];
  for (let round = 0; round < 4; round++) {
    for (const { kind, id, size } of bench.pump()) {
      if (kind !== Kind.RESPONSE) continue;
      t.true(account > 0, 'a response began without credit');
      t.is(size, sizes.get(id)!);
      account -= size + 64;
      seen.push(id);
    }
    t.is(bench.outbox.reply, account);
    account += 10 * packet;
    bench.outbox.grant(Account.REPLY, 10 * packet);
  }
  t.is(seen.length, 4);
  t.true(bench.outbox.idle);
});
