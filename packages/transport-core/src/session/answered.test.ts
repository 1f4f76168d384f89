// Tests that a session keeps nothing of the messages of calls that were answered.

import test from 'ava';
import { Pair, SMALL } from './testing/pair.ts';
import { callOf, protocol } from './testing/stamped-calls.ts';

test('a long request that was answered at once is not held until its deadline', (t) => {
  const pair = new Pair([protocol]).open();
  const ask = callOf('ask', SMALL.packet * 4);
  pair.start(pair.dialer, ask);
  pair.quiet();
  const [call] = pair.acceptor.take();
  t.is(call!.payload.length, SMALL.packet * 4);
  call!.carrier.respond(call!, new Uint8Array(1));
  t.is(
    call!.payload.length,
    0,
    'the session knows the call until its deadline, so it must not hold the request',
  );
  pair.quiet();
  t.is(ask.answer?.length, 1);
});
