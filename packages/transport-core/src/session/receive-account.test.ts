// Tests the receiver's side of a credit account.

import test from 'ava';
import { FrameCollector } from '../wire/encoder.ts';
import { Account } from '../wire/frame.ts';
import { ReceiveAccount } from './batch.ts';

/** Makes an account that records its announcements and pays when `pay` is called. */
function account(start = 1_000, id = 0, channel = 0) {
  const announced: ReceiveAccount[] = [];
  const held: number[] = [];
  const receiving = new ReceiveAccount(
    { credit: (owing) => void announced.push(owing), holds: () => void held.push(1) },
    Account.INBOX,
    start,
    id,
    channel,
  );
  const pay = () => {
    const collector = new FrameCollector();
    for (const owing of announced.splice(0)) owing.write(collector);
    return collector.take();
  };
  return { receiving, announced, held, pay };
}

test('exactly 0 is empty', (t) => {
  const { receiving } = account();
  t.true(receiving.spend(1_000));
  t.false(receiving.spend(64));
});

test('less than a quarter is held back; at a quarter all owed credit is announced at once', (t) => {
  const { receiving, announced, pay } = account();
  receiving.spend(900);
  receiving.giveBack(249, false);
  t.is(announced.length, 0);
  receiving.giveBack(1, false);
  t.is(announced.length, 1);
  receiving.giveBack(300, false);
  t.is(announced.length, 1);
  const [frame, ...rest] = pay();
  t.is(rest.length, 0);
  t.deepEqual([frame!.account, frame!.credit], [Account.INBOX, 550]);
  t.is(receiving.left, 650);
});

test('if the sender has more credit than it needs, less than a quarter of the whole is held back', (t) => {
  const { receiving, announced, pay } = account();
  receiving.giveBack(1_249, false, 4_000);
  t.is(announced.length, 0);
  receiving.giveBack(1, false, 4_000);
  t.is(pay()[0]!.credit, 1_250);
  receiving.giveBack(374, false, 500);
  t.is(announced.length, 0);
  receiving.giveBack(1, false, 500);
  t.is(pay()[0]!.credit, 375);
});

test('a channel reports once that it starts to hold back, and again after that was paid; a stream does not', (t) => {
  const { receiving, held, pay } = account();
  receiving.giveBack(10, false);
  receiving.giveBack(10, false);
  t.is(held.length, 1);
  receiving.pay();
  pay();
  receiving.giveBack(10, true);
  pay();
  t.is(held.length, 1);
  receiving.giveBack(10, false);
  t.is(held.length, 2);
  const told: number[] = [];
  const stream = new ReceiveAccount(
    { credit: () => {}, holds: () => void told.push(1) },
    Account.STREAM,
    1_000,
    9,
  );
  stream.giveBack(10, false);
  t.deepEqual(told, []);
});

test('while a reader waits, a large account holds back an eighth of what it has above 256 KiB', (t) => {
  const credit: number[] = [];
  const receiving = new ReceiveAccount(
    { credit: () => void credit.push(1), holds: () => {} },
    Account.STREAM,
    264 * 1024,
    9,
  );
  receiving.giveBack(1_023, false);
  receiving.payWaiting();
  t.is(credit.length, 0);
  receiving.giveBack(1, false);
  receiving.payWaiting();
  t.is(credit.length, 1);
});

test('without owed credit nothing is sent', (t) => {
  const { receiving, announced } = account();
  receiving.pay();
  receiving.giveBack(0, true);
  t.is(announced.length, 0);
});

test('returned credit counts only after it is written, so the sender is never ahead', (t) => {
  const { receiving, pay } = account();
  receiving.spend(1_000);
  receiving.giveBack(1_000, true);
  t.is(receiving.left, 0);
  t.false(receiving.spend(1));
  pay();
  t.true(receiving.spend(1));
});
