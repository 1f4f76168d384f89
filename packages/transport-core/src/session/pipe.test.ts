// Tests the growth of the pipe between two sessions: packets, PINGs and credit, on manual time.

import test from 'ava';
import { Pair, SMALL } from './testing/pair.ts';
import { callOf, protocol } from './testing/stamped-calls.ts';

const KIB = 1024;
/** The milliseconds from one end to the other. */
const WAY = 20;

test('a sender that spends more than the grown pipe violates the protocol', (t) => {
  const credit = { ...SMALL.credit, pipe: 16 * KIB, pipeMax: 64 * KIB, inbox: 8 * 1024 * KIB };
  const keepAlive = { interval: 1e9, timeout: 1e9 };
  const pair = new Pair([protocol], { limits: { ...SMALL, credit }, keepAlive });
  const { dialer, acceptor } = pair;
  /** Lets the time of `ways` one-way trips pass; answers the calls that arrive. */
  const pass = (ways: number) => {
    for (let way = 0; way < ways; way++) {
      for (const end of [dialer, acceptor]) if (end.isDirty) pair.tick(end);
      const crossing = [dialer, acceptor].map((end) => [end, end.sent.length] as const);
      pair.pass(WAY);
      for (const [end, count] of crossing) for (let i = 0; i < count; i++) pair.move(end);
      for (const call of acceptor.take())
        acceptor.session.parts.callee.respond(call, new Uint8Array(0));
    }
  };
  dialer.session.open({});
  pass(10);
  for (let i = 0; i < 20; i++) pair.start(dialer, callOf('ask', 200 * KIB));
  pass(60);
  t.true(acceptor.session.parts.packets.window.granted > 32 * KIB);
  t.is(acceptor.ending, undefined);
  // Exceeds the single packet by which the account may be overdrawn.
  dialer.session.parts.outbox.grant(8 * KIB);
  pass(4);
  t.is(acceptor.ending!.error.reason, 'malformed');
  t.regex(acceptor.ending!.error.message, /without pipe credit/);
});
