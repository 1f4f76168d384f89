// Tests the work units that a peer may use in a session, with frames made by hand and time as a
// number.

import test from 'ava';
import type { FrameEncoder } from '../wire/encoder.ts';
import { Kind } from '../wire/frame.ts';
import { encodeMetadata } from '../wire/metadata.ts';
import { encoded, writeMessage } from '../wire/testing/frames.ts';
import { HANDLER, type InCall } from './incoming-calls.ts';
import {
  CANCEL,
  CANCEL_RUNNING,
  CANCEL_TOLD,
  CHUNK,
  CHUNK_SHIFT,
  REFUSAL,
  TURN,
} from './session-context.ts';
import { Pair, SMALL } from './testing/pair.ts';
import { protocol } from './testing/stamped-calls.ts';

/** The size of a chunk in bytes, enough for everything that a test sends in one chunk. */
const ROOM = 1024 * 1024;

const ask = (encoder: FrameEncoder, id: number, method = 1, channel = 0x20) =>
  writeMessage(encoder, { kind: Kind.REQUEST, id, channel, method });

/** Makes an acceptor whose dialer's frames are made by hand. */
function victim(options = {}) {
  const pair = new Pair([protocol], {
    limits: { ...SMALL, calls: 100_000, inbound: { calls: 100_000, bytes: ROOM } },
    ...options,
  }).open();
  const { acceptor } = pair;
  acceptor.sent = [];
  pair.now += 1_000; // This ends the second in which the dialer's first PING counts.
  const { context } = acceptor.session.parts;
  return {
    pair,
    acceptor,
    context,
    /** Reads a chunk with this number of units; returns the number of units spent. */
    read(chunk: Uint8Array, units = 1_000_000): number {
      context.units = units;
      acceptor.session.receive(pair.now, chunk);
      return units - context.units;
    },
  };
}

test('a session reads as far as its work units last, and the rest later, however the bytes are cut', (t) => {
  for (const units of [1, 2, 7, 50, 99]) {
    const { acceptor, read } = victim();
    let chunk = encoded((encoder) => {
      for (let id = 1; id < 200; id += 2) ask(encoder, id);
    });
    let slices = 0;
    for (; chunk.length > 0; chunk = acceptor.session.unread) {
      read(chunk, units);
      slices++;
      t.true(acceptor.calls.length <= slices * units);
    }
    t.deepEqual(
      acceptor.take().map(({ id }) => id),
      Array.from({ length: 100 }, (_, i) => 2 * i + 1),
    );
    t.is(slices, Math.ceil(100 / units));
  }
});

test('a frame that straddles chunks may be the last of its turn', (t) => {
  const { acceptor, read } = victim();
  const chunk = encoded((encoder) => {
    for (let id = 1; id < 20; id += 2) ask(encoder, id);
  });
  read(chunk.subarray(0, 5));
  read(chunk.subarray(5), 1);
  t.is(acceptor.calls.length, 1);
  read(acceptor.session.unread);
  t.is(acceptor.calls.length, 10);
  t.is(acceptor.session.unread.length, 0);
});

test('reading a chunk of the smallest legal requests, without handling them, costs less than two turns', (t) => {
  const { acceptor, read } = victim({
    limits: { ...SMALL, calls: 10_000, inbound: { calls: 10_000, bytes: ROOM } },
  });
  const chunk = encoded((encoder) => {
    for (let id = 1; encoder.size < 65_500; id += 2) ask(encoder, id);
  }).subarray(0, 65_536);
  const spent = read(chunk);
  t.true(acceptor.calls.length > 4_000);
  t.true(spent + CHUNK + (chunk.length >> CHUNK_SHIFT) < 2 * TURN, `${spent} units`);
});

test('refusals, cancels and metadata cost more than their frames', (t) => {
  const { read } = victim();
  t.is(read(encoded((encoder) => ask(encoder, 1))), 1);
  t.is(read(encoded((encoder) => encoder.signal(Kind.CANCEL, 1))), 1 + CANCEL);
  t.is(read(encoded((encoder) => encoder.signal(Kind.CANCEL, 1))), 1, 'of a finished call');
  t.is(read(encoded((encoder) => ask(encoder, 3, 99))), 1 + REFUSAL, 'no such method');
  t.is(read(encoded((encoder) => ask(encoder, 5, 1, 300))), 1 + REFUSAL, 'no such channel');
  const metadata = encodeMetadata({ key: 'x'.repeat(8_000) });
  const spent = read(
    encoded((encoder) =>
      writeMessage(encoder, { kind: Kind.REQUEST, id: 7, channel: 0x20, method: 1, metadata }),
    ),
  );
  t.true(spent >= 500, `${spent}`);
});

test('a one-way or a long request for a channel without a protocol costs as much as a refusal', (t) => {
  const { pair, acceptor, read } = victim();
  const oneway = (channel: number) =>
    encoded((encoder) => writeMessage(encoder, { kind: Kind.ONEWAY, channel, method: 2 }));
  const long = (id: number, channel: number) =>
    encoded((encoder) =>
      writeMessage(
        encoder,
        { kind: Kind.REQUEST, id, channel, method: 1, size: 2 * SMALL.packet },
        new Uint8Array(SMALL.packet),
      ),
    );
  t.is(read(oneway(0x20)), 1);
  t.is(read(oneway(0x40)), 1 + REFUSAL);
  t.is(read(oneway(300)), 1 + REFUSAL, 'no such channel');
  read(encoded((encoder) => ask(encoder, 1)));
  t.is(read(long(1, 0x40)), 1 + REFUSAL, 'its id is open');
  t.is(read(long(3, 0x40)), 1 + 2 * REFUSAL, 'it is also refused');
  acceptor.mounts.clear();
  acceptor.session.announce();
  t.is(read(oneway(0x20)), 1 + REFUSAL, 'the protocol was unmounted');
  pair.tick(acceptor);
  t.is(acceptor.ending, undefined);
});

test('a CANCEL that reaches a handler costs more, and one of a running call pays for its start', (t) => {
  for (const [cost, prepare] of [
    [
      CANCEL_TOLD,
      (call: InCall) => {
        call.widen();
        call.cancelled = () => {};
      },
    ],
    [CANCEL_RUNNING, (call: InCall) => call.run(HANDLER)],
  ] as const) {
    const { acceptor, read } = victim();
    read(encoded((encoder) => ask(encoder, 1)));
    prepare(acceptor.take()[0]!);
    t.is(read(encoded((encoder) => encoder.signal(Kind.CANCEL, 1))), 1 + cost);
  }
});

test('requests of an unknown method are a flood above 10,000 a second, and fewer are not', (t) => {
  const { pair, acceptor, read } = victim();
  const unknown = (count: number) =>
    encoded((encoder) => {
      for (let i = 0; i < count; i++) ask(encoder, 2 * i + 1, 99);
    });
  for (let second = 0; second < 3; second++) {
    read(unknown(10_000));
    pair.now += 1_000;
  }
  t.is(acceptor.ending, undefined);
  read(unknown(10_001));
  t.is(acceptor.ending?.error.reason, 'flood');
  t.is(acceptor.session.unread.length, 0);
});

test('calls that are opened and canceled cost units and are never a flood', (t) => {
  const { acceptor, read } = victim();
  const spent = read(
    encoded((encoder) => {
      for (let id = 1; id < 40_000; id += 2) {
        ask(encoder, id);
        encoder.signal(Kind.CANCEL, id);
      }
    }),
  );
  t.is(spent, 20_000 * (2 + CANCEL));
  t.is(acceptor.ending, undefined);
  t.is(acceptor.session.parts.callee.ids.size, 0);
});

test('PONGs that were not requested, and lists of protocols, are a flood above 1,000 a second', (t) => {
  for (const write of [
    (encoder: FrameEncoder, n: number) => encoder.signal(Kind.PONG, n + 1),
    (encoder: FrameEncoder) => encoder.signal(Kind.PROTOCOLS, 0, new Uint8Array(0)),
  ]) {
    const { acceptor, read } = victim();
    const storm = (count: number) =>
      encoded((encoder) => {
        for (let n = 0; n < count; n++) write(encoder, n);
      });
    read(storm(1_000));
    t.is(acceptor.ending, undefined);
    read(storm(1));
    t.is(acceptor.ending?.error.reason, 'flood');
  }
});
