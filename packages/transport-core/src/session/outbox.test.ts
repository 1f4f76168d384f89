// Tests the order in which the outbox writes control frames, channels and lanes.

import test from 'ava';
import { Account, Kind } from '../wire/frame.ts';
import { STUCK } from './batch/batch.ts';
import { OutboxBench, Teller, unit } from './testing/outbox-bench.ts';
import { SMALL } from './testing/pair.ts';

const { packet } = SMALL;
const ids = (frames: { id: number }[]) => frames.map((frame) => frame.id);

test('channels with work share the wire by priority, measured over many packets', (t) => {
  const bench = new OutboxBench();
  const shares = [1, 3, 6];
  const channels = shares.map((priority, i) => bench.lanes(0x20 + i, priority));
  for (const lanes of channels)
    for (let i = 0; i < 40; i++)
      bench.outbox.push(lanes, unit(Kind.REQUEST, 50 * packet, Account.LONG), 'bulk');
  const owners = new Map<number, number>();
  channels.forEach((lanes, i) => {
    for (const waiting of lanes.bulk) owners.set(waiting.id, i);
  });
  const sent = [0, 0, 0];
  while (sent.reduce((a, b) => a + b) < 2_000)
    for (const frame of bench.pumpOneBatch()) sent[owners.get(frame.id)!]!++;
  const all = sent.reduce((a, b) => a + b);
  for (const [i, share] of shares.entries())
    t.true(Math.abs(sent[i]! / all - share / 10) < 0.02, `${sent}`);
});

test('even within one batch each channel has its share', (t) => {
  const bench = new OutboxBench();
  const [low, high] = [bench.lanes(0x20, 5), bench.lanes(0x21, 10)];
  for (const lanes of [low, high])
    for (let i = 0; i < 60; i++) bench.outbox.push(lanes, unit(Kind.REQUEST, 3_000), 'short');
  const first = bench.pumpOneBatch();
  const highs = first.filter((frame) => frame.channel === 0x21).length;
  t.true(Math.abs(highs / first.length - 2 / 3) < 0.1, `${highs} of ${first.length}`);
});

test('a channel that wakes starts at the current minimum: its silence earns nothing', (t) => {
  const bench = new OutboxBench();
  const [busy, sleeper] = [bench.lanes(0x20), bench.lanes(0x21)];
  for (let i = 0; i < 200; i++) bench.outbox.push(busy, unit(Kind.REQUEST, 4_000), 'short');
  for (let i = 0; i < 6; i++) bench.pumpOneBatch();
  for (let i = 0; i < 60; i++) bench.outbox.push(sleeper, unit(Kind.REQUEST, 4_000), 'short');
  let frames: { channel: number }[] = [];
  while (frames.length < 40) frames = [...frames, ...bench.pumpOneBatch()];
  const slept = frames.filter((frame) => frame.channel === 0x21).length;
  t.true(Math.abs(slept / frames.length - 0.5) < 0.1, `${slept} of ${frames.length}`);
});

test('a channel that used much of the wire and then rested does not have to wait for it', (t) => {
  const bench = new OutboxBench();
  const [first, second] = [bench.lanes(0x20), bench.lanes(0x21)];
  for (let i = 0; i < 100; i++) bench.outbox.push(first, unit(Kind.REQUEST, 4_000), 'short');
  bench.pump();
  bench.outbox.push(second, unit(Kind.REQUEST, 100), 'short');
  bench.pump();
  for (const lanes of [first, second])
    for (let i = 0; i < 30; i++) bench.outbox.push(lanes, unit(Kind.REQUEST, 4_000), 'short');
  const channels = bench.pumpOneBatch().map((frame) => frame.channel);
  t.true(
    channels.filter((channel) => channel === 0x20).length >= channels.length / 2 - 1,
    `${channels}`,
  );
});

test('the three lanes of a channel take turns of 64 KiB', (t) => {
  const bench = new OutboxBench();
  const lanes = bench.lanes(0x20);
  for (let i = 0; i < 100; i++) {
    bench.outbox.push(lanes, unit(Kind.RESPONSE, 4_000), 'replies');
    bench.outbox.push(lanes, unit(Kind.REQUEST, 4_000), 'short');
    bench.outbox.push(lanes, unit(Kind.REQUEST, 2 * packet, Account.LONG), 'bulk');
  }
  const kinds: string[] = [];
  while (kinds.length < 150)
    for (const frame of bench.pumpOneBatch())
      kinds.push(frame.kind === Kind.RESPONSE ? 'r' : frame.payload.length === packet ? 'b' : 's');
  const runs = kinds.join('').match(/r+|s+|b+/g)!;
  t.deepEqual([...new Set(runs.slice(0, 6).map((run) => run[0]))].sort(), ['b', 'r', 's']);
  for (const run of runs.slice(0, -1)) t.true(run.length >= 15 && run.length <= 17, `${runs}`);
});

test('a long message takes turns by packet, and others of its lane go in between', (t) => {
  const bench = new OutboxBench();
  const lanes = bench.lanes(0x20);
  const [a, b] = [
    unit(Kind.REQUEST, 3 * packet, Account.LONG),
    unit(Kind.REQUEST, 3 * packet, Account.LONG),
  ];
  bench.outbox.push(lanes, a, 'bulk');
  bench.outbox.push(lanes, b, 'bulk');
  t.deepEqual(ids(bench.pump()), [a.id, b.id, a.id, b.id, a.id, b.id]);
});

test('short messages leave in order, and a one-way message without credit blocks those behind it', (t) => {
  const bench = new OutboxBench();
  const lanes = bench.lanes(0x20, 10, 100);
  const tellers = [new Teller(), new Teller(), new Teller()];
  const [one, two] = [
    unit(Kind.ONEWAY, 100, Account.SHORT, tellers[0]),
    unit(Kind.ONEWAY, 10, Account.SHORT, tellers[1]),
  ];
  const ask = unit(Kind.REQUEST, 10, 0, tellers[2]);
  for (const message of [one, two, ask]) bench.outbox.push(lanes, message, 'short');
  t.deepEqual(
    tellers.map((teller) => teller.paidFor),
    [1, 0, 0],
  );
  t.is(bench.pump().length, 1);
  t.is(bench.pump().length, 0);
  bench.outbox.grantChannel(lanes, Account.SHORT, 64);
  t.is(bench.pump().length, 0, 'at 0 nothing starts');
  bench.outbox.grantChannel(lanes, Account.SHORT, 1);
  t.is(tellers[1]!.paidFor, 1);
  t.is(bench.pump().length, 2);
  t.is(lanes.shortCredit, 1 - 74);
});

test('replies and long messages overtake a one-way message that waits for credit', (t) => {
  const bench = new OutboxBench();
  const lanes = bench.lanes(0x20, 10, 0);
  bench.outbox.push(lanes, unit(Kind.ONEWAY, 10, Account.SHORT), 'short');
  bench.outbox.push(lanes, unit(Kind.RESPONSE, 10), 'replies');
  bench.outbox.push(lanes, unit(Kind.REQUEST, 2 * packet, Account.LONG), 'bulk');
  t.deepEqual(
    bench.pump().map((frame) => frame.kind),
    [Kind.RESPONSE, Kind.REQUEST, Kind.PART],
  );
});

test('control frames go before all messages, and credit with them', (t) => {
  const bench = new OutboxBench();
  const lanes = bench.lanes(0x20);
  bench.stuck = true;
  bench.batch.control(Kind.PING, 1);
  bench.batch.flush();
  for (let i = 0; i < 3; i++) bench.outbox.push(lanes, unit(Kind.REQUEST, 10), 'short');
  bench.batch.control(Kind.PONG, 5);
  bench.batch.control(Kind.CANCEL, 7);
  bench.stuck = false;
  bench.batch.drained();
  bench.outbox.pump();
  bench.batch.flush();
  t.deepEqual(
    bench.frames.map((frame) => frame.kind),
    [Kind.PING, Kind.PONG, Kind.CANCEL, Kind.REQUEST, Kind.REQUEST, Kind.REQUEST],
  );
});

test('the farewell follows everything that was accepted, including messages that wait for credit, and is sent once', (t) => {
  const bench = new OutboxBench();
  const lanes = bench.lanes(0x20, 10, 0);
  bench.outbox.push(lanes, unit(Kind.ONEWAY, 10, Account.SHORT), 'short');
  bench.outbox.sayFarewell({ code: 14, reason: 1, text: 'bye', metadata: undefined });
  t.is(bench.pump().length, 0);
  t.false(bench.outbox.saidFarewell);
  bench.outbox.push(lanes, unit(Kind.RESPONSE, 10), 'replies');
  bench.outbox.grantChannel(lanes, Account.SHORT, 1_000);
  const frames = bench.pump();
  t.deepEqual(frames.map((frame) => frame.kind).at(-1), Kind.GO_AWAY);
  t.deepEqual([frames.at(-1)!.code, frames.at(-1)!.reason, frames.at(-1)!.text], [14, 1, 'bye']);
  t.true(bench.outbox.saidFarewell);
  t.is(bench.pump().length, 0);
});

test('after a write that was kept nothing is written until drained', (t) => {
  const bench = new OutboxBench();
  const lanes = bench.lanes(0x20);
  bench.stuck = true;
  bench.context.now = 500;
  bench.outbox.push(lanes, unit(Kind.REQUEST, 10), 'short');
  t.is(bench.pump().length, 1);
  t.true(bench.batch.blocked);
  t.is(bench.batch.stuckAt, 500 + STUCK);
  bench.outbox.push(lanes, unit(Kind.REQUEST, 10), 'short');
  bench.batch.control(Kind.PING, 1);
  t.is(bench.pump().length, 0);
  t.false(bench.outbox.straight(1));
  bench.stuck = false;
  bench.batch.drained();
  bench.outbox.pump();
  bench.batch.flush();
  t.is(bench.frames.length, 3);
  t.false(bench.batch.blocked);
});

test('a kept write is checked again after 10 s', (t) => {
  const bench = new OutboxBench();
  let asked = 0;
  bench.context.port.wakeBy = (time) => {
    asked = time;
  };
  bench.stuck = true;
  bench.context.now = 700;
  bench.batch.control(Kind.PING, 1);
  bench.batch.flush();
  t.is(asked, 700 + STUCK);
  t.is(STUCK, 10_000);
});

test('a pipe without credit is stuck after 10 s, unless CREDIT for it arrives; sleep does not count', (t) => {
  const bench = new OutboxBench();
  const lanes = bench.lanes(0x20);
  const asked: number[] = [];
  bench.context.port.wakeBy = (time) => void asked.push(time);
  bench.grant(1);
  bench.context.now = 700;
  bench.outbox.push(lanes, unit(Kind.ITEM, 10), 'bulk');
  bench.pump();
  t.deepEqual(asked, [700 + STUCK]);
  t.is(bench.outbox.stuckAt, 700 + STUCK);
  bench.context.now = 900;
  bench.pump();
  t.is(bench.outbox.stuckAt, 700 + STUCK);
  bench.outbox.grant(Account.PIPE, 1);
  bench.pump();
  t.is(bench.outbox.stuckAt, 900 + STUCK, 'it is still exhausted, but the peer has read something');
  bench.outbox.excuse(50);
  t.is(bench.outbox.stuckAt, 950 + STUCK);
  bench.outbox.heldBack(2_000);
  t.is(bench.outbox.stuckAt, 2_000 + STUCK);
  bench.outbox.grant(Account.PIPE, 1_000);
  bench.pump();
  t.is(bench.outbox.stuckAt, Number.POSITIVE_INFINITY);
});

test('a request without remaining time is dropped, not sent', (t) => {
  const bench = new OutboxBench();
  const lanes = bench.lanes(0x20);
  const late = new Teller();
  late.late = true;
  const inTime = new Teller();
  inTime.left = 250;
  bench.outbox.push(lanes, unit(Kind.REQUEST, 10, 0, late), 'short');
  bench.outbox.push(lanes, unit(Kind.REQUEST, 10, 0, inTime), 'short');
  t.deepEqual(
    bench.pump().map((frame) => frame.timeout),
    [250],
  );
  t.true(late.wasDropped);
  t.true(bench.outbox.idle);
});

test('the first packet has the size, the rest are PART frames, all full except the last', (t) => {
  const bench = new OutboxBench();
  const teller = new Teller();
  bench.outbox.push(
    bench.lanes(0x20),
    unit(Kind.ONEWAY, 2 * packet + 1, Account.LONG, teller),
    'bulk',
  );
  const frames = bench.pump();
  t.deepEqual(
    frames.map((frame) => [frame.kind, frame.size, frame.payload.length]),
    [
      [Kind.ONEWAY, 2 * packet + 1, packet],
      [Kind.PART, 0, packet],
      [Kind.PART, 0, 1],
    ],
  );
  t.is(teller.packets, 3);
  t.true(teller.whole);
});

test('a message of exactly one packet is short', (t) => {
  const bench = new OutboxBench();
  bench.grant(0);
  bench.outbox.push(bench.lanes(0x20), unit(Kind.REQUEST, packet), 'short');
  t.deepEqual(
    bench.pump().map((frame) => [frame.kind, frame.size, frame.payload.length]),
    [[Kind.REQUEST, 0, packet]],
  );
});

test('a short frame is sent directly only if nothing that could be sent waits', (t) => {
  const bench = new OutboxBench();
  const lanes = bench.lanes(0x20, 10, 0);
  t.true(bench.outbox.straight(10));
  bench.outbox.push(lanes, unit(Kind.ONEWAY, 10, Account.SHORT), 'short');
  t.true(bench.outbox.straight(10), 'a message that waits for credit cannot be sent');
  bench.outbox.push(lanes, unit(Kind.RESPONSE, 10), 'replies');
  t.false(bench.outbox.straight(10));
});

test('waiting messages count in the gauge until they are written, withdrawn or dropped', (t) => {
  const bench = new OutboxBench();
  const lanes = bench.lanes(0x20, 10, 0, 0);
  const units = [
    unit(Kind.ONEWAY, 10, Account.SHORT),
    unit(Kind.REQUEST, 2 * packet, Account.LONG),
    unit(Kind.RESPONSE, 20),
    unit(Kind.RESPONSE, 3 * packet, Account.REPLY),
  ];
  bench.grant(1_000_000, 0);
  bench.outbox.push(lanes, units[0]!, 'short');
  bench.outbox.push(lanes, units[1]!, 'bulk');
  bench.outbox.push(lanes, units[2]!, 'replies');
  bench.outbox.push(lanes, units[3]!, 'replies');
  t.is(
    bench.context.usage.held,
    units.reduce((sum, { cost }) => sum + cost, 0),
  );
  bench.pump();
  t.is(bench.context.usage.held, units[0]!.cost + units[1]!.cost + units[3]!.cost);
  bench.outbox.remove(lanes, units[1]!);
  bench.outbox.remove(lanes, units[1]!);
  t.is(bench.context.usage.held, units[0]!.cost + units[3]!.cost);
  bench.outbox.end();
  bench.outbox.drop(lanes);
  t.is(bench.context.usage.held, 0);
  t.is(bench.context.memory.used, 0);
});

test('an account that would exceed 2^31 − 1 is reported', (t) => {
  const bench = new OutboxBench();
  const lanes = bench.lanes(0x20, 10, 1, 1);
  bench.grant(1);
  t.true(bench.outbox.grant(Account.PIPE, 0x7fff_fffe));
  t.false(bench.outbox.grant(Account.PIPE, 1));
  t.false(bench.outbox.grant(Account.REPLY, 0x7fff_ffff));
  t.false(bench.outbox.grantChannel(lanes, Account.SHORT, 0x7fff_ffff));
  t.false(bench.outbox.grantChannel(lanes, Account.LONG, 0x7fff_ffff));
});

test('more than 1 MiB of waiting control frames is too much', (t) => {
  const bench = new OutboxBench();
  bench.stuck = true;
  bench.batch.control(Kind.PING, 1);
  bench.batch.flush();
  for (let i = 0; i < 16_384; i++) bench.batch.control(Kind.PONG, i);
  t.false(bench.batch.stuffed);
  bench.batch.control(Kind.PONG, 1);
  t.true(bench.batch.stuffed);
  bench.stuck = false;
  bench.batch.drained();
  bench.outbox.pump();
  t.false(bench.batch.stuffed);
});
