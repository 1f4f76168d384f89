// Tests a peer that names channels without a mounted protocol, and a peer that does not read its
// refusals. Neither may make this end use memory.

import test from 'ava';
import type { FrameEncoder } from '../wire/encoder.ts';
import { Account, Kind } from '../wire/frame.ts';
import { encoded, writeMessage } from '../wire/testing/frames.ts';
import { read } from '../wire/testing/reading.ts';
import { Pair, SMALL } from './testing/pair.ts';
import { protocol } from './testing/stamped-calls.ts';

/** Makes an acceptor that reads frames made by hand. */
function scene(limits: Partial<typeof SMALL> = {}) {
  const pair = new Pair([protocol], { limits: { ...SMALL, ...limits } }).open();
  const { acceptor } = pair;
  const frames = (write: (encoder: FrameEncoder) => void) =>
    void acceptor.session.receive(pair.now, encoded(write));
  return { pair, acceptor, frames };
}

test('CREDIT for unmounted channels creates no channel', (t) => {
  const { acceptor, frames } = scene();
  for (let channel = 0x30; channel < 0x130; channel++) {
    frames((encoder) => {
      encoder.credit(Account.INBOX, 1_000, 0, channel, 0);
      encoder.credit(Account.INBOX, 0x7fff_ffff, 0, channel, 1);
    });
  }
  t.is(acceptor.ending, undefined);
  t.is([...acceptor.session.parts.channels.all].length, 0);
  frames((encoder) => encoder.credit(Account.INBOX, 1_000, 0, 0x20, 0));
  t.is(acceptor.session.parts.channels.get(0x20).lanes.credit, SMALL.credit.inbox + 1_000);
});

test('calls and one-way messages on such channels create none either; their credit returns, and requests are refused', (t) => {
  const { acceptor, frames, pair } = scene();
  acceptor.sent = [];
  for (let channel = 0; channel < 0x20; channel++) {
    frames((encoder) => {
      writeMessage(encoder, { kind: Kind.REQUEST, id: 2 * channel + 1, channel, method: 1 });
      writeMessage(encoder, { kind: Kind.ONEWAY, channel, method: 1 }, new Uint8Array(100));
    });
    pair.tick(acceptor);
  }
  t.is([...acceptor.session.parts.channels.all].length, 0);
  t.is(acceptor.count('refusedCall'), 32);
  t.is(acceptor.count('onewayDropped'), 32);
  t.is(acceptor.memory.used, 0);
  t.true(acceptor.sent.length > 0);
  t.is(acceptor.ending, undefined);
});

test('the credit of such a channel waits in one frame until the peer reads it', (t) => {
  const { pair, acceptor, frames } = scene();
  acceptor.stuck = true;
  // The connection holds everything that is written from now on.
  frames((encoder) => encoder.signal(Kind.PING, 7));
  for (let i = 0; i < 20_000; i++)
    frames((encoder) =>
      writeMessage(encoder, { kind: Kind.ONEWAY, channel: 0x40 + (i & 1), method: 1 }),
    );
  pair.pass(0);
  acceptor.drain();
  pair.tick(acceptor);
  t.is(acceptor.ending, undefined);
  const credits = read(acceptor.sent)
    .frames.filter(({ kind }) => kind === Kind.CREDIT)
    .map(({ channel, credit, size }) => ({ channel, credit, size }));
  const [credit, size] = [10_000 * 1_024, 10_000];
  t.deepEqual(credits, [
    { channel: 0x41, credit, size },
    { channel: 0x40, credit, size },
  ]);
});

test('a peer that lets 1 MiB of control frames wait is disconnected at once', (t) => {
  const { pair, acceptor } = scene();
  const { batch } = acceptor.session.parts;
  acceptor.stuck = true;
  batch.control(Kind.PING, 7);
  batch.flush();
  for (let i = 0; i < 1024 * 16; i++) batch.control(Kind.PONG, i);
  pair.pass(0);
  t.is(acceptor.ending, undefined);
  batch.control(Kind.PONG, 1);
  pair.pass(0);
  t.is(acceptor.ending?.error.reason, 'reset');
});

test('a peer that keeps making refused calls without reading the refusals is disconnected at limits.calls or limits.outbound, if larger', (t) => {
  for (const [calls, messages] of [
    [100, 10],
    [10, 100],
  ] as const) {
    const { acceptor, frames } = scene({ calls, outbound: { messages, bytes: 1024 * 1024 } });
    acceptor.stuck = true;
    frames((encoder) => encoder.signal(Kind.PING, 7));
    let id = 1;
    const ask = () =>
      frames((encoder) =>
        writeMessage(encoder, { kind: Kind.REQUEST, id: (id += 2), channel: 0x20, method: 99 }),
      );
    for (let i = 0; i < 101 && acceptor.ending === undefined; i++) ask();
    t.is(acceptor.count('refusedCall'), 101);
    t.is(acceptor.ending?.error.reason, 'flood');
    t.is(acceptor.memory.used, 0);
    t.true(acceptor.closing);
  }
});
