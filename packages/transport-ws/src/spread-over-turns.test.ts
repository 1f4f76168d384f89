// Tests of the property of `ws` that spreads messages, and of versions of `ws` without it. The
// tests of the connection show that the installed version has it.

import test from 'ava';
import { dropRead, spreadOverTurns } from './spread-over-turns.ts';

test('the property is set and reset', (t) => {
  const webSocket = { _receiver: { _allowSynchronousEvents: true } };
  spreadOverTurns(webSocket, true);
  t.false(webSocket._receiver._allowSynchronousEvents);
  spreadOverTurns(webSocket, false);
  t.true(webSocket._receiver._allowSynchronousEvents);
});

test('a version of ws without the property is left alone', (t) => {
  for (const webSocket of [
    {},
    { _receiver: null },
    { _receiver: {} },
    { _receiver: { other: 1 } },
  ]) {
    const before = structuredClone(webSocket);
    t.notThrows(() => spreadOverTurns(webSocket, true));
    t.notThrows(() => dropRead(webSocket));
    t.deepEqual(webSocket, before);
  }
});
