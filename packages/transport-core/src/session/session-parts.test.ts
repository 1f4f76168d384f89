// Tests of the load of a session, by which the pool chooses a connection.

import test from 'ava';
import { HANDLER } from './incoming-calls.ts';
import { Pair } from './testing/pair.ts';
import { callOf, protocol } from './testing/stamped-calls.ts';

test('the load is the bytes that wait, and one for each open call of this end', (t) => {
  const pair = new Pair([protocol]).open();
  const { parts } = pair.dialer.session;
  t.is(parts.load, 0);
  for (const size of [1, 1_000]) pair.start(pair.dialer, callOf('ask', size));
  pair.quiet();
  t.is(parts.load, 2);
  pair.dialer.stuck = true;
  for (const size of [1, 1_000]) {
    pair.start(pair.dialer, callOf('ask', size));
    pair.tick(pair.dialer);
  }
  t.true(parts.held > 1_000, 'the last call waits');
  t.is(parts.load, parts.held + 4);
  pair.dialer.drain();
  pair.quiet();
  t.is(parts.load, 4);
});

test('messages that are being handled are no load', (t) => {
  const pair = new Pair([protocol]).open();
  const { parts } = pair.acceptor.session;
  pair.start(pair.dialer, callOf('ask', 1_000));
  pair.quiet();
  for (const call of pair.acceptor.take()) call.run(HANDLER);
  t.true(parts.held > 1_000);
  t.is(parts.load, 0);
});
