// Tests that requests whose CANCEL is in the same chunk are never delivered, with frames made by
// hand.

import test from 'ava';
import type { FrameEncoder } from '../wire/encoder.ts';
import { Frame, Kind } from '../wire/frame.ts';
import { encoded, writeMessage } from '../wire/testing/frames.ts';
import { readByProto, split } from '../wire/testing/proto.ts';
import { EarlyCancels } from './callee.ts';
import type { InCall } from './incoming-calls.ts';
import { Pair } from './testing/pair.ts';
import { protocol } from './testing/stamped-calls.ts';

type Write = (encoder: FrameEncoder) => void;
const ask =
  (id: number, payload: Uint8Array = new Uint8Array(0)): Write =>
  (encoder) =>
    writeMessage(encoder, { kind: Kind.REQUEST, id, channel: 0x20, method: 1 }, payload);
const cancel =
  (id: number): Write =>
  (encoder) =>
    encoder.signal(Kind.CANCEL, id);

const chunkOf = (...writes: Write[]) =>
  encoded((encoder) => {
    for (const write of writes) write(encoder);
  });

function callee() {
  const pair = new Pair([protocol]).open();
  const { acceptor } = pair;
  const { context, callee } = acceptor.session.parts;
  return {
    context,
    /** Reads a chunk, and returns the ids of the calls that were delivered. */
    read(chunk: Uint8Array, units = 1_000_000): number[] {
      context.units = units;
      acceptor.session.receive(pair.now, chunk);
      return acceptor.take().map(({ id }) => id);
    },
    unread: () => acceptor.session.unread,
    /** Takes the frames that were sent. */
    answers() {
      acceptor.flush();
      return acceptor.sent.splice(0).flatMap((batch) => split(batch).map(readByProto));
    },
    open: () => callee.ids.size,
  };
}

test('a request whose CANCEL is in the same chunk is not delivered, wherever the CANCEL is', (t) => {
  const { read, open } = callee();
  t.deepEqual(read(chunkOf(ask(1), cancel(1), ask(3))), [3]);
  t.deepEqual(
    read(chunkOf(ask(5), ask(7, new Uint8Array(300)), ask(9), cancel(5), cancel(9))),
    [7],
  );
  t.is(open(), 2);
});

test('a request is delivered if its CANCEL comes in a later chunk, or came before it', (t) => {
  const { read, open } = callee();
  t.deepEqual(read(chunkOf(ask(1))), [1]);
  t.deepEqual(read(chunkOf(cancel(1), ask(3))), [3]);
  t.deepEqual(read(chunkOf(cancel(5), ask(5))), [5]);
  t.is(open(), 2);
});

test('each request that was held back is answered once, and makes room for the next', (t) => {
  const { read, open, answers } = callee();
  t.deepEqual(read(chunkOf(ask(1), ask(3), cancel(3), cancel(1))), []);
  const cancelled = { kind: Kind.ERROR, code: 1, text: 'the caller cancelled the call' };
  t.deepEqual(answers(), [
    { ...cancelled, id: 3 },
    { ...cancelled, id: 1 },
  ]);
  // More than limits.calls allows at a time.
  for (let id = 5; id < 500; id += 2) t.deepEqual(read(chunkOf(ask(id), cancel(id))), []);
  t.is(answers().length, 248);
  t.is(open(), 0);
});

test('an id that is used again after its CANCEL is a new call', (t) => {
  const { read, open } = callee();
  t.deepEqual(read(chunkOf(ask(1), cancel(1), ask(1))), [1]);
  t.is(open(), 1);
});

test('a request is held back until the rest of its chunk was read in a later turn', (t) => {
  const { read, unread, open } = callee();
  t.deepEqual(read(chunkOf(ask(1), ask(3), ask(5), cancel(1), cancel(3)), 2), []);
  t.deepEqual(read(unread()), [5]);
  t.is(open(), 1);
});

test('a chunk may begin anywhere in a frame', (t) => {
  const chunk = chunkOf(ask(1, new Uint8Array(200)), ask(3), cancel(3), ask(5));
  for (let cut = 0; cut < 200; cut++) {
    const { read, open } = callee();
    t.deepEqual([...read(chunk.subarray(0, cut)), ...read(chunk.subarray(cut))], [1, 5]);
    t.is(open(), 2);
  }
});

test('a CANCEL inside a payload cancels nothing', (t) => {
  const { read, open } = callee();
  t.deepEqual(read(chunkOf(ask(1), ask(3, chunkOf(cancel(1))))), [1, 3]);
  t.is(open(), 2);
});

test('requests of a batch of frames are held back, too', (t) => {
  const early = new EarlyCancels();
  const cancelled = Object.assign(new Frame(), { kind: Kind.CANCEL, id: 1 });
  const delivered: InCall[] = [];
  const channel = { mounted: { incoming: (call: InCall) => delivered.push(call) } };
  const callOf = (id: number) => ({ id, open: true, channel }) as unknown as InCall;
  const [first, second] = [callOf(1), callOf(3)];
  early.open([cancelled], 0);
  t.deepEqual([early.holds(first), early.holds(second)], [true, false]);
  early.close(false);
  t.deepEqual(delivered, []);
  early.close(true);
  t.deepEqual(delivered, [first]);
});
