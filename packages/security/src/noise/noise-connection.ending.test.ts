// Tests how a secured connection ends: gracefully, aborted, or because received bytes are not
// authentic.

import type { TransportError } from '@trunkline/transport-core';
import { reasonError } from '@trunkline/transport-core/backend';
import test from 'ava';
import { concat, pattern } from './testing/bytes.ts';
import { make, turn } from './testing/connections.ts';
import { MOST_RECORDS } from './wire/records.ts';

test('an altered record ends the connection at once, and none of its bytes are delivered', (t) => {
  const { wire, recorder, remoteEnd } = make();
  const good = remoteEnd.record(pattern(9, 1));
  const bad = remoteEnd.record(pattern(9, 2));
  bad[10]! ^= 1;
  wire.sink.data(concat(good, bad, remoteEnd.record(pattern(9, 3))));
  t.deepEqual(recorder.chunks, [pattern(9, 1)]);
  const error = wire.destroyed!.error!;
  t.is(error.reason, 'reset');
  t.regex(
    error.message,
    /Connection with hand:1: a record is not authentic: it was altered, or is not the next record/,
  );
  t.deepEqual(recorder.ends, []);
  wire.sink.closed(error);
  t.deepEqual(recorder.ends, [error]);
});

test('a repeated record, or one out of order, ends the connection at once', (t) => {
  const twice = make();
  const record = twice.remoteEnd.record(pattern(9));
  twice.wire.sink.data(record.slice());
  twice.wire.sink.data(record);
  t.is(twice.wire.destroyed!.error!.reason, 'reset');
  const swapped = make();
  const [first, second] = [
    swapped.remoteEnd.record(pattern(9, 1)),
    swapped.remoteEnd.record(pattern(9, 2)),
  ];
  swapped.wire.sink.data(concat(second, first));
  t.is(swapped.wire.destroyed!.error!.reason, 'reset');
  t.deepEqual(swapped.recorder.chunks, []);
});

test('an impossible record length ends the connection at once', (t) => {
  const { wire } = make();
  wire.sink.data(Uint8Array.of(0, 15, ...pattern(15)));
  t.is(wire.destroyed!.error!.reason, 'reset');
});

test('a stream that ends without an end record is reset, wherever it was cut', (t) => {
  const { remoteEnd } = make();
  const record = remoteEnd.record(pattern(20));
  for (let length = 0; length <= record.length; length++) {
    const cut = make();
    cut.wire.sink.data(record.slice(0, length));
    cut.wire.sink.closed();
    const [error] = cut.recorder.ends as TransportError[];
    t.is(error!.reason, 'reset');
    t.regex(error!.message, /the end of the stream is missing/);
  }
});

test('a stream with an end record closes in order', (t) => {
  const { connection, wire, recorder, remoteEnd } = make();
  wire.sink.data(concat(remoteEnd.record(pattern(9)), remoteEnd.end(), pattern(30)));
  t.deepEqual(recorder.chunks, [pattern(9)], 'bytes after the end are dropped');
  t.is(wire.closes, 1);
  t.true(connection.write(pattern(10)));
  t.is(wire.written.length, 0, 'a half-closed connection serves nothing');
  wire.sink.closed(reasonError('reset', 'cut behind the end'));
  t.deepEqual(recorder.ends, [undefined]);
});

test('close() sends an end record after the written data, and closes the connection below', (t) => {
  const { connection, wire, recorder, remoteEnd } = make();
  connection.write(pattern(9));
  connection.close();
  connection.close();
  t.deepEqual(remoteEnd.read(wire.written), [pattern(9), new Uint8Array(0)]);
  t.is(wire.closes, 1);
  t.true(connection.write(pattern(10)));
  t.is(wire.written.length, 2);
  wire.sink.closed();
  t.deepEqual(recorder.ends, [undefined]);
});

test('a close() that cannot flush gives up after a second', (t) => {
  const { connection, wire, recorder, clock } = make();
  wire.takes = false;
  connection.write(pattern(9));
  connection.close();
  clock.advance(1_000);
  t.is(wire.destroyed!.error!.reason, 'reset');
  wire.sink.closed(wire.destroyed!.error);
  t.is(recorder.ends.length, 1);
  t.is(clock.timers, 0);
});

test('a flood of incoming data while close() flushes is cut off at 256 KiB', (t) => {
  const { connection, wire, remoteEnd } = make();
  wire.takes = false;
  connection.write(pattern(9));
  connection.close();
  for (let i = 0; i < 4; i++) wire.sink.data(remoteEnd.record(pattern(64_000)));
  t.is(wire.destroyed, undefined);
  wire.sink.data(remoteEnd.record(pattern(64_000)));
  t.regex(wire.destroyed!.error!.message, /continued to write/);
});

test('destroy() during a pause with a pending end reports its own error', async (t) => {
  const { connection, wire, recorder, remoteEnd } = make();
  connection.pause();
  wire.sink.data(concat(remoteEnd.record(pattern(9)), remoteEnd.end()));
  wire.sink.closed();
  const error = reasonError('flood', 'too much');
  connection.destroy(error);
  t.deepEqual(recorder.ends, []);
  await turn();
  t.deepEqual([recorder.chunks, recorder.ends], [[], [error]]);
});

test('close() during a pause with a pending end ends the connection', async (t) => {
  const { connection, wire, recorder, remoteEnd } = make();
  connection.pause();
  wire.sink.data(remoteEnd.record(pattern(9)));
  wire.sink.closed();
  connection.close();
  await turn();
  t.deepEqual([recorder.chunks, recorder.ends], [[], [undefined]]);
});

test('a connection ends before its nonces run out, and reports the reason', (t) => {
  const { connection, wire, recorder } = make({ sent: MOST_RECORDS - 2 });
  t.true(connection.write(pattern(5)));
  t.is(wire.destroyed, undefined);
  t.true(connection.write(pattern(5)));
  t.is(wire.written.length, 1);
  t.regex(wire.destroyed!.error!.message, /the nonces are used up: connect again/);
  wire.sink.closed(wire.destroyed!.error);
  t.is(recorder.ends.length, 1);
});

test('a peer revoked by the layer below or by the lists is reported while the connection is open', (t) => {
  const { connection, wire, recorder } = make();
  const error = reasonError('denied', 'no more');
  wire.sink.revoked?.(error);
  connection.revoke(error);
  t.deepEqual(recorder.revocations, [error, error]);
  connection.close();
  connection.revoke(error);
  t.is(recorder.revocations.length, 2);
});

test('a peer that is revoked before a listener is attached is refused', (t) => {
  const { connection } = make({ attached: false });
  const error = reasonError('denied', 'no more');
  connection.revoke(error);
  t.is(connection.refused, error);
});
