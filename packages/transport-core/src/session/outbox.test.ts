// Tests the order in which the outbox writes control frames, channels and lanes.

import test from 'ava';
import { pluck } from '../testing/pluck.ts';
import { Kind } from '../wire/frame.ts';
import { STUCK } from './session-context.ts';
import { OutboxFixture, RecordingSender, unit, withChannel } from './testing/outbox-fixture.ts';
import { SMALL } from './testing/pair.ts';

const { packet } = SMALL;
const ids = (frames: { id: number }[]) => frames.map((frame) => frame.id);

test('channels with work share the wire by priority, measured over many packets', (t) => {
  const fixture = new OutboxFixture();
  const shares = [1, 3, 6];
  const channels = shares.map((priority, i) => fixture.lanes(0x20 + i, priority));
  for (const lanes of channels)
    for (let i = 0; i < 40; i++)
      fixture.outbox.push(lanes, unit(Kind.REQUEST, 50 * packet, true), 'bulk');
  const owners = new Map<number, number>();
  channels.forEach((lanes, i) => {
    for (const waiting of lanes.bulk) owners.set(waiting.id, i);
  });
  const sent = [0, 0, 0];
  while (sent.reduce((a, b) => a + b) < 2_000)
    for (const frame of fixture.pumpOneBatch()) sent[owners.get(frame.id)!]!++;
  const all = sent.reduce((a, b) => a + b);
  for (const [i, share] of shares.entries())
    t.true(Math.abs(sent[i]! / all - share / 10) < 0.02, `${sent}`);
});

test('even within one batch each channel has its share', (t) => {
  const fixture = new OutboxFixture();
  const [low, high] = [fixture.lanes(0x20, 5), fixture.lanes(0x21, 10)];
  for (const lanes of [low, high])
    for (let i = 0; i < 60; i++) fixture.outbox.push(lanes, unit(Kind.REQUEST, 3_000), 'short');
  const first = fixture.pumpOneBatch();
  const highs = first.filter((frame) => frame.channel === 0x21).length;
  t.true(Math.abs(highs / first.length - 2 / 3) < 0.1, `${highs} of ${first.length}`);
});

test('a channel that wakes starts at the current minimum: its silence earns nothing', (t) => {
  const fixture = new OutboxFixture();
  const [busy, sleeper] = [fixture.lanes(0x20), fixture.lanes(0x21)];
  for (let i = 0; i < 200; i++) fixture.outbox.push(busy, unit(Kind.REQUEST, 4_000), 'short');
  for (let i = 0; i < 6; i++) fixture.pumpOneBatch();
  for (let i = 0; i < 60; i++) fixture.outbox.push(sleeper, unit(Kind.REQUEST, 4_000), 'short');
  let frames: { channel: number }[] = [];
  while (frames.length < 40) frames = [...frames, ...fixture.pumpOneBatch()];
  const slept = frames.filter((frame) => frame.channel === 0x21).length;
  t.true(Math.abs(slept / frames.length - 0.5) < 0.1, `${slept} of ${frames.length}`);
});

test('a channel that used much of the wire and then rested does not have to wait for it', (t) => {
  const fixture = new OutboxFixture();
  const [first, second] = [fixture.lanes(0x20), fixture.lanes(0x21)];
  for (let i = 0; i < 100; i++) fixture.outbox.push(first, unit(Kind.REQUEST, 4_000), 'short');
  fixture.pump();
  fixture.outbox.push(second, unit(Kind.REQUEST, 100), 'short');
  fixture.pump();
  for (const lanes of [first, second])
    for (let i = 0; i < 30; i++) fixture.outbox.push(lanes, unit(Kind.REQUEST, 4_000), 'short');
  const channels = fixture.pumpOneBatch().map((frame) => frame.channel);
  t.true(
    channels.filter((channel) => channel === 0x20).length >= channels.length / 2 - 1,
    `${channels}`,
  );
});

test('the three lanes of a channel take turns of 64 KiB', (t) => {
  const { fixture, lanes } = withChannel();
  for (let i = 0; i < 100; i++) {
    fixture.outbox.push(lanes, unit(Kind.RESPONSE, 4_000), 'replies');
    fixture.outbox.push(lanes, unit(Kind.REQUEST, 4_000), 'short');
    fixture.outbox.push(lanes, unit(Kind.REQUEST, 2 * packet, true), 'bulk');
  }
  const kinds: string[] = [];
  while (kinds.length < 150)
    for (const frame of fixture.pumpOneBatch())
      kinds.push(frame.kind === Kind.RESPONSE ? 'r' : frame.payload.length === packet ? 'b' : 's');
  const runs = kinds.join('').match(/r+|s+|b+/g)!;
  t.deepEqual([...new Set(runs.slice(0, 6).map((run) => run[0]))].sort(), ['b', 'r', 's']);
  for (const run of runs.slice(0, -1)) t.true(run.length >= 15 && run.length <= 17, `${runs}`);
});

test('the oldest long message goes first, and is complete before the next begins', (t) => {
  const { fixture, lanes } = withChannel();
  const [a, b] = [unit(Kind.REQUEST, 3 * packet, true), unit(Kind.REQUEST, 3 * packet, true)];
  fixture.outbox.push(lanes, a, 'bulk');
  fixture.outbox.push(lanes, b, 'bulk');
  t.deepEqual(ids(fixture.pump()), [a.id, a.id, a.id, b.id, b.id, b.id]);
});

test('a message that has sent more than 1 MiB shares half with those behind it', (t) => {
  const { fixture, lanes } = withChannel();
  const alone = Math.ceil(2 ** 20 / packet) + 1;
  const huge = [1, 2].map(() => unit(Kind.REQUEST, (alone + 6) * packet, true));
  const small = [1, 2].map(() => unit(Kind.REQUEST, 3 * packet, true));
  for (const message of [...huge, ...small]) fixture.outbox.push(lanes, message, 'bulk');
  const names = new Map([...huge, ...small].map(({ id }, i) => [id, 'ABxy'[i]!]));
  const sent = ids(fixture.pump()).map((id) => names.get(id)!);
  t.is(
    sent.join(''),
    [
      'A'.repeat(alone),
      'AB'.repeat(6), // B is the oldest of the others
      'B'.repeat(alone - 6), // and is huge from here on
      'BxBxBxByByBy',
    ].join(''),
  );
});

test('short messages between its packets do not take the turn of such a message', (t) => {
  const long = 65_536;
  const fixture = new OutboxFixture({ ...SMALL, packet: long });
  const lanes = fixture.lanes(0x20);
  const huge = unit(Kind.REQUEST, 40 * long, true);
  fixture.outbox.push(lanes, huge, 'bulk');
  while (huge.offset <= 2 ** 20) fixture.pumpOneBatch();
  const other = unit(Kind.REQUEST, 10 * long, true);
  fixture.outbox.push(lanes, other, 'bulk');
  for (let i = 0; i < 40; i++) fixture.outbox.push(lanes, unit(Kind.REQUEST, 60_000), 'short');
  const sent: string[] = [];
  while (sent.length < 30)
    for (const { id } of fixture.pumpOneBatch())
      sent.push(id === huge.id ? 'h' : id === other.id ? 'o' : 's');
  t.regex(sent.join(''), /^h?(s+os+h)+/);
});

test('items take turns by packet', (t) => {
  const { fixture, lanes } = withChannel();
  const items = [1, 2].map(() => unit(Kind.ITEM, 3 * packet));
  for (const item of items) fixture.outbox.push(lanes, item, 'bulk');
  const [a, b] = items as [(typeof items)[0], (typeof items)[0]];
  t.deepEqual(ids(fixture.pump()), [a.id, b.id, a.id, b.id, a.id, b.id]);
});

test('short messages leave in order, and a one-way message without credit blocks those behind it', (t) => {
  const { fixture, lanes } = withChannel(100);
  const senders = [new RecordingSender(), new RecordingSender(), new RecordingSender()];
  const [one, two] = [
    unit(Kind.ONEWAY, 100, true, senders[0]),
    unit(Kind.ONEWAY, 10, true, senders[1]),
  ];
  const ask = unit(Kind.REQUEST, 10, false, senders[2]);
  for (const message of [one, two, ask]) fixture.outbox.push(lanes, message, 'short');
  t.deepEqual(pluck(senders, 'paidFor'), [1, 0, 0]);
  t.is(fixture.pump().length, 1);
  t.is(fixture.pump().length, 0);
  fixture.outbox.grantChannel(lanes, 1_024, 0);
  t.is(fixture.pump().length, 0, 'at 0 nothing starts');
  fixture.outbox.grantChannel(lanes, 1, 0);
  t.is(senders[1]!.paidFor, 1);
  t.is(fixture.pump().length, 2);
  t.is(lanes.credit, 1 - 1_034);
});

test('replies and items overtake a one-way message that waits for credit', (t) => {
  const { fixture, lanes } = withChannel(0);
  fixture.outbox.push(lanes, unit(Kind.ONEWAY, 10, true), 'short');
  fixture.outbox.push(lanes, unit(Kind.RESPONSE, 10), 'replies');
  fixture.outbox.push(lanes, unit(Kind.ITEM, 10), 'bulk');
  t.deepEqual(pluck(fixture.pump(), 'kind'), [Kind.RESPONSE, Kind.ITEM]);
});

test('control frames go before all messages, and credit with them', (t) => {
  const { fixture, lanes } = withChannel();
  fixture.stuck = true;
  fixture.batch.control(Kind.PING, 1);
  fixture.batch.flush();
  for (let i = 0; i < 3; i++) fixture.outbox.push(lanes, unit(Kind.REQUEST, 10), 'short');
  fixture.batch.control(Kind.PONG, 5);
  fixture.batch.control(Kind.CANCEL, 7);
  fixture.release();
  const kinds = [Kind.PING, Kind.PONG, Kind.CANCEL, Kind.REQUEST, Kind.REQUEST, Kind.REQUEST];
  t.deepEqual(pluck(fixture.frames, 'kind'), kinds);
});

test('the farewell follows everything that was accepted, including messages that wait for credit, and is sent once', (t) => {
  const { fixture, lanes } = withChannel(0);
  fixture.outbox.push(lanes, unit(Kind.ONEWAY, 10, true), 'short');
  fixture.outbox.sayFarewell({ code: 14, reason: 1, text: 'bye', metadata: undefined });
  t.is(fixture.pump().length, 0);
  t.false(fixture.outbox.saidFarewell);
  fixture.outbox.push(lanes, unit(Kind.RESPONSE, 10), 'replies');
  fixture.outbox.grantChannel(lanes, 1_000, 0);
  const frames = fixture.pump();
  t.deepEqual(frames.map((frame) => frame.kind).at(-1), Kind.GO_AWAY);
  t.deepEqual([frames.at(-1)!.code, frames.at(-1)!.reason, frames.at(-1)!.text], [14, 1, 'bye']);
  t.true(fixture.outbox.saidFarewell);
  t.is(fixture.pump().length, 0);
});

test('after a write that was kept nothing is written until drained', (t) => {
  const { fixture, lanes } = withChannel();
  fixture.stuck = true;
  fixture.now = 500;
  fixture.outbox.push(lanes, unit(Kind.REQUEST, 10), 'short');
  t.is(fixture.pump().length, 1);
  t.true(fixture.batch.blocked);
  t.is(fixture.context.stuckAt, 500 + STUCK);
  fixture.outbox.push(lanes, unit(Kind.REQUEST, 10), 'short');
  fixture.batch.control(Kind.PING, 1);
  t.is(fixture.pump().length, 0);
  t.false(fixture.outbox.straight(1));
  fixture.release();
  t.is(fixture.frames.length, 3);
  t.false(fixture.batch.blocked);
});

test('a kept write is checked again after 10 s', (t) => {
  const fixture = new OutboxFixture();
  let asked = 0;
  fixture.context.port.wakeBy = (time) => {
    asked = time;
  };
  fixture.stuck = true;
  fixture.now = 700;
  fixture.batch.control(Kind.PING, 1);
  fixture.batch.flush();
  t.is(asked, 700 + STUCK);
  t.is(STUCK, 10_000);
});

test('a pipe without credit is stuck after 10 s, unless CREDIT for it arrives; sleep does not count', (t) => {
  const { fixture, lanes } = withChannel();
  const asked: number[] = [];
  fixture.context.port.wakeBy = (time) => void asked.push(time);
  fixture.grant(1);
  fixture.now = 700;
  fixture.outbox.push(lanes, unit(Kind.ITEM, 10), 'bulk');
  fixture.pump();
  t.deepEqual(asked, [700 + STUCK]);
  t.is(fixture.context.stuckAt, 700 + STUCK);
  fixture.now = 900;
  fixture.pump();
  t.is(fixture.context.stuckAt, 700 + STUCK);
  fixture.outbox.grant(1);
  fixture.pump();
  t.is(
    fixture.context.stuckAt,
    900 + STUCK,
    'it is still exhausted, but the peer has read something',
  );
  fixture.context.excuse(50);
  t.is(fixture.context.stuckAt, 950 + STUCK);
  fixture.context.heldBack(2_000);
  t.is(fixture.context.stuckAt, 2_000 + STUCK);
  fixture.outbox.grant(1_000);
  fixture.pump();
  t.is(fixture.context.stuckAt, Number.POSITIVE_INFINITY);
});

test('a pipe that never had credit is stuck only if a message needs it', (t) => {
  const { fixture, lanes } = withChannel();
  fixture.grant(0);
  fixture.outbox.push(lanes, unit(Kind.RESPONSE, 10), 'replies');
  t.is(fixture.pump().length, 1);
  t.is(fixture.context.stuckAt, Number.POSITIVE_INFINITY);
  fixture.outbox.push(lanes, unit(Kind.ITEM, 10), 'bulk');
  fixture.pump();
  t.is(fixture.context.stuckAt, STUCK);
});

test('a request without remaining time is dropped, not sent', (t) => {
  const { fixture, lanes } = withChannel();
  const late = new RecordingSender();
  late.late = true;
  const inTime = new RecordingSender();
  inTime.left = 250;
  fixture.outbox.push(lanes, unit(Kind.REQUEST, 10, false, late), 'short');
  fixture.outbox.push(lanes, unit(Kind.REQUEST, 10, false, inTime), 'short');
  t.deepEqual(pluck(fixture.pump(), 'timeout'), [250]);
  t.is(late.packets, 0);
  t.true(fixture.outbox.idle);
});

test('a short frame is sent directly only if nothing that could be sent waits', (t) => {
  const { fixture, lanes } = withChannel(0);
  t.true(fixture.outbox.straight(10));
  fixture.outbox.push(lanes, unit(Kind.ONEWAY, 10, true), 'short');
  t.true(fixture.outbox.straight(10), 'a message that waits for credit cannot be sent');
  fixture.outbox.push(lanes, unit(Kind.RESPONSE, 10), 'replies');
  t.false(fixture.outbox.straight(10));
});

test('waiting messages count in the gauge until they are written, withdrawn or dropped', (t) => {
  const { fixture, lanes } = withChannel(0);
  const units = [
    unit(Kind.ONEWAY, 10, true),
    unit(Kind.REQUEST, 2 * packet, true),
    unit(Kind.RESPONSE, 20),
    unit(Kind.RESPONSE, 3 * packet),
  ];
  fixture.grant(0);
  fixture.outbox.push(lanes, units[0]!, 'short');
  fixture.outbox.push(lanes, units[1]!, 'bulk');
  fixture.outbox.push(lanes, units[2]!, 'replies');
  fixture.outbox.push(lanes, units[3]!, 'replies');
  t.is(
    fixture.context.usage.held,
    units.reduce((sum, { cost }) => sum + cost, 0),
  );
  fixture.pump();
  t.is(fixture.context.usage.held, units[0]!.cost + units[1]!.cost + units[3]!.cost);
  fixture.outbox.remove(units[1]!);
  fixture.outbox.remove(units[1]!);
  t.is(fixture.context.usage.held, units[0]!.cost + units[3]!.cost);
  fixture.outbox.end();
  fixture.outbox.drop([lanes]);
  t.is(fixture.context.usage.held, 0);
  t.is(fixture.context.memory.used, 0);
});

test('an account that would exceed 2^31 − 1 is reported', (t) => {
  const { fixture, lanes } = withChannel(1);
  fixture.grant(1);
  t.true(fixture.outbox.grant(0x7fff_fffe));
  t.false(fixture.outbox.grant(1));
  t.false(fixture.outbox.grantChannel(lanes, 0x7fff_ffff, 0));
});

test('more than 1 MiB of waiting control frames is too much', (t) => {
  const fixture = new OutboxFixture();
  fixture.stuck = true;
  fixture.batch.control(Kind.PING, 1);
  fixture.batch.flush();
  for (let i = 0; i < 16_384; i++) fixture.batch.control(Kind.PONG, i);
  t.false(fixture.batch.stuffed);
  fixture.batch.control(Kind.PONG, 1);
  t.true(fixture.batch.stuffed);
  fixture.release();
  t.false(fixture.batch.stuffed);
});
