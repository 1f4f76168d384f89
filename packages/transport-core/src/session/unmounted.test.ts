// Tests a peer that names channels without a mounted protocol, and a peer that does not read its
// refusals. Neither may make this end use memory.

import test from 'ava';
import type { FrameEncoder } from '../wire/encoder.ts';
import { Account, Kind } from '../wire/frame.ts';
import { encoded, writeMessage } from '../wire/testing/frames.ts';
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
  t.is([...acceptor.session.parts.channels.all()].length, 0);
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
  t.is([...acceptor.session.parts.channels.all()].length, 0);
  t.is(acceptor.count('refusedCall'), 32);
  t.is(acceptor.count('onewayDropped'), 32);
  t.is(acceptor.memory.used, 0);
  t.true(acceptor.sent.length > 0);
  t.is(acceptor.ending, undefined);
});

test('a peer that does not read the returned credit of such channels is disconnected at 1 MiB of control frames', (t) => {
  const { pair, acceptor, frames } = scene();
  acceptor.stuck = true;
  // The connection holds everything that is written from now on.
  frames((encoder) => encoder.signal(Kind.PING, 7));
  const oneways = (number: number) => {
    for (let i = 0; i < number; i++)
      frames((encoder) => writeMessage(encoder, { kind: Kind.ONEWAY, channel: 0x40, method: 1 }));
  };
  oneways(1024 * 16);
  pair.pass(0);
  t.is(acceptor.ending, undefined);
  oneways(1);
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
