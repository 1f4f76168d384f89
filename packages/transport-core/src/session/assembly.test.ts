// Tests the assembly of long messages: the order of packets, buffer sizes, and the memory they are
// charged.

import test from 'ava';
import { Kind } from '../wire/frame.ts';
import { frameOf } from '../wire/testing/frames.ts';
import { Assembly } from './packets.ts';
import { OutboxFixture } from './testing/outbox-fixture.ts';
import { SMALL } from './testing/pair.ts';

const { packet } = SMALL;
const begin = (size: number, keep = true, limit?: number, { ahead = 0, used = 0 } = {}) => {
  const { context } = new OutboxFixture(SMALL, limit);
  context.memory.reserve(ahead);
  context.memory.hold(used);
  /** The lengths of the pieces that were allocated. */
  const pieces: number[] = [];
  const allocate = (size: number) => {
    pieces.push(size);
    return new Uint8Array(size);
  };
  Object.assign(context, { allocate });
  const first = frameOf({ kind: Kind.REQUEST, size }, new Uint8Array(packet).fill(1));
  const assembly = new Assembly(context, first, keep, { crowdOut: () => {}, stopped: () => {} });
  return { context, pieces, assembly };
};

test('packets are joined in order of arrival', (t) => {
  const { assembly } = begin(2 * packet + 3);
  t.true(assembly.got < assembly.size);
  t.true(assembly.add(new Uint8Array(packet).fill(2)));
  t.true(assembly.got < assembly.size);
  t.true(assembly.add(new Uint8Array(3).fill(3)));
  t.is(assembly.got, assembly.size);
  const message = assembly.take()!;
  t.deepEqual([message[0], message[packet], message[2 * packet + 2]], [1, 2, 3]);
});

test('a packet that exceeds the total, is empty, or is not full before the last one, is refused', (t) => {
  t.false(begin(packet + 3).assembly.add(new Uint8Array(4)));
  t.false(begin(packet + 3).assembly.add(new Uint8Array(0)));
  t.false(begin(packet + 3).assembly.add(new Uint8Array(2)));
  t.false(begin(3 * packet).assembly.add(new Uint8Array(packet - 1)));
  t.true(begin(2 * packet).assembly.add(new Uint8Array(packet)));
});

test('the last packet may not be larger than the others, also if memory grows in pieces', (t) => {
  const limit = 400 * packet;
  const ahead = limit / 8 - packet;
  const { assembly, context, pieces } = begin(2 * packet + 1, true, limit, { ahead });
  t.deepEqual(pieces, [2 * packet]);
  t.is(assembly.room(packet + 1), undefined);
  t.false(assembly.add(new Uint8Array(packet + 1)));
  assembly.drop();
  t.is(context.memory.ahead, ahead);
});

test('a packet that was read into its place is not copied', (t) => {
  const { assembly } = begin(2 * packet + 3);
  const room = assembly.room(packet)!;
  t.is(room.length, packet);
  room.fill(2);
  t.true(assembly.add(room));
  t.true(assembly.add(new Uint8Array(3).fill(3)));
  const message = assembly.take()!;
  t.deepEqual(
    [message[0], message[packet], message[2 * packet - 1], message[2 * packet]],
    [1, 2, 2, 3],
  );
});

test('there is no place for a packet that exceeds the total, nor if nothing is kept', (t) => {
  t.is(begin(packet + 3).assembly.room(4), undefined);
  t.is(begin(packet + 3, false).assembly.room(3), undefined);
  const { assembly } = begin(packet + 3);
  assembly.release();
  t.is(assembly.room(3), undefined, 'it was handed over or dropped');
});

test('received bytes are held until they are released, once', (t) => {
  const { assembly, context } = begin(3 * packet);
  t.is(context.usage.held, packet);
  assembly.add(new Uint8Array(packet));
  const { usage, memory } = context;
  const held = () => [usage.held, usage.unfinished, memory.used, memory.unfinished];
  t.deepEqual(held(), Array(4).fill(2 * packet));
  assembly.release();
  assembly.release();
  t.deepEqual([...held(), memory.ahead], Array(5).fill(0));
});

test('memory is allocated at once while little is allocated ahead', (t) => {
  const { context } = begin(40 * packet);
  t.is(context.memory.ahead, 39 * packet);
});

test('beyond that memory grows by a few packets, and the pieces are joined', (t) => {
  const { assembly, context } = begin(100 * packet, true, 8 * packet);
  for (let i = 1; i < 100; i++) {
    if (i % 2 === 0) t.true(assembly.add(assembly.room(packet)!.fill(i)));
    else t.true(assembly.add(new Uint8Array(packet).fill(i)));
    t.true(context.memory.ahead <= 8 * packet);
  }
  t.is(assembly.got, assembly.size);
  const message = assembly.take()!;
  t.is(message.length, 100 * packet);
  for (let i = 0; i < 100; i++) t.is(message[i * packet], i === 0 ? 1 : i);
  t.deepEqual([context.usage.held, context.memory.ahead, context.memory.unfinished], [0, 0, 0]);
});

test('a message that began in pieces goes on in pieces even if its rest may be allocated', (t) => {
  const { assembly, context, pieces } = begin(37 * packet, true, 400 * packet, {
    ahead: 49 * packet,
  });
  context.memory.reserve(-49 * packet);
  for (let i = 1; i < 37; i++) t.true(assembly.add(new Uint8Array(packet)));
  // Blocks of other lengths would leave holes in the heap that other messages do not fill.
  t.is(pieces.map((length) => length / packet).join(), '2,2,4,8,8,8,4,1');
});

test('once much is allocated ahead, a message gets one packet at a time, or a spare piece', (t) => {
  const limit = 400 * packet;
  const { assembly, context, pieces } = begin(40 * packet, true, limit, { ahead: limit / 8 });
  for (let i = 1; i < 20; i++) t.true(assembly.add(new Uint8Array(packet)));
  t.deepEqual(pieces, Array(20).fill(packet));
  t.is(context.memory.ahead, limit / 8);
  context.memory.reserve(-8 * packet);
  t.true(context.memory.spares(new Uint8Array(8 * packet)));
  for (let i = 20; i < 28; i++) t.true(assembly.add(new Uint8Array(packet).fill(i)));
  t.deepEqual(pieces, Array(20).fill(packet));
  for (let i = 28; i < 40; i++) t.true(assembly.add(new Uint8Array(packet).fill(i)));
  t.is(assembly.take()!.at(-1), 39);
});

test('a message is not allocated at once if it would exceed limits.memory', (t) => {
  const limit = 400 * packet;
  const whole = begin(40 * packet, true, limit, { used: limit - 40 * packet });
  t.deepEqual(whole.pieces, [40 * packet]);
  const cut = begin(40 * packet, true, limit, { used: limit - 40 * packet + 1 });
  t.deepEqual(cut.pieces, [2 * packet]);
});

test('a dropped message holds nothing, and is counted to its end', (t) => {
  const { assembly, context } = begin(3 * packet);
  assembly.drop();
  t.deepEqual([context.usage.held, context.memory.ahead], [0, 0]);
  t.true(assembly.add(new Uint8Array(packet)));
  t.true(assembly.add(new Uint8Array(packet)));
  t.is(assembly.got, assembly.size);
  t.is(assembly.take(), undefined);
  t.is(context.usage.held, 0);
});

test('a message that is dropped while a packet is read frees its memory immediately', (t) => {
  const { assembly, context } = begin(9 * packet);
  const freed: Uint8Array[] = [];
  Object.assign(context, { freeMemory: (memory: Uint8Array) => void freed.push(memory) });
  const room = assembly.room(packet)!;
  assembly.drop();
  t.deepEqual(
    freed.map(({ buffer }) => buffer),
    [room.buffer],
  );
  t.is(assembly.room(packet), undefined);
  t.true(assembly.add(new Uint8Array(packet)), 'the packet is only counted');
});

test('an unwanted message is counted and takes no memory', (t) => {
  const { assembly, context } = begin(2 * packet, false);
  t.is(context.usage.held, 0);
  t.true(assembly.add(new Uint8Array(packet)));
  t.is(assembly.got, assembly.size);
});
