// Tests a secured connection over a connection driven by hand: the bytes that are written and
// handed out, and the times at which that happens.

import test from 'ava';
import { concat, equal, pattern } from './testing/bytes.ts';
import { make, turn } from './testing/connections.ts';
import { REKEY_AFTER } from './wire/records.ts';

test('written bytes are sent as records, and received records are delivered as bytes', (t) => {
  const { connection, wire, recorder, remoteEnd } = make();
  t.true(connection.write(pattern(100)));
  t.true(connection.write(pattern(0)));
  t.deepEqual(remoteEnd.read(wire.written), [pattern(100)]);
  wire.sink.data(concat(remoteEnd.record(pattern(5)), remoteEnd.record(pattern(6))));
  t.deepEqual(recorder.chunks, [pattern(5), pattern(6)]);
});

test('a secured connection has the attachment of the connection below', (t) => {
  const { connection, wire } = make();
  t.is(connection.attachment, wire.attachment);
});

test('a large chunk becomes records of 65,519 bytes', (t) => {
  const { connection, wire, remoteEnd } = make();
  const chunk = pattern(200_000);
  t.true(connection.write(chunk));
  const plaintexts = remoteEnd.read(wire.written);
  t.deepEqual(
    plaintexts.map((each) => each.length),
    [65_519, 65_519, 65_519, 200_000 - 3 * 65_519],
  );
  t.true(equal(concat(...plaintexts), chunk));
});

test('if the connection below accepts everything, the same memory serves every write', (t) => {
  const { connection, wire } = make();
  for (let i = 0; i < 10; i++) connection.write(pattern(1_000, i + 1));
  t.is(new Set(wire.memory.map(({ buffer }) => buffer)).size, 1);
});

test('ciphertext kept by the connection below is not overwritten until drained', (t) => {
  const { connection, wire, recorder, make: another } = make();
  wire.takes = false;
  t.false(connection.write(pattern(1_000)));
  const kept = wire.memory[0]!.slice();
  const second = another();
  second.connection.write(pattern(1_000, 2));
  t.deepEqual(wire.memory[0], kept);
  t.is(recorder.drains, 0);
  wire.sink.drained();
  t.is(recorder.drains, 1);
});

test('no more of a large write is sent until the connection below has drained', (t) => {
  const { connection, wire, recorder, remoteEnd } = make();
  wire.takes = false;
  const chunk = pattern(500_000);
  t.false(connection.write(chunk));
  t.is(wire.written.length, 1);
  let drains = 0;
  while (recorder.drains === 0) {
    wire.sink.drained();
    drains++;
  }
  t.is(drains, wire.written.length);
  t.is(recorder.drains, 1);
  t.true(equal(concat(...remoteEnd.read(wire.written)), chunk));
});

test('a connection whose handshake is not sent yet keeps the first write until it is', (t) => {
  const { connection, wire, recorder, remoteEnd } = make({ blocked: true });
  const chunk = pattern(10);
  t.false(connection.write(chunk));
  t.is(wire.written.length, 0);
  wire.sink.drained();
  t.is(recorder.drains, 1);
  t.deepEqual(remoteEnd.read(wire.written), [chunk]);
});

test('a connection whose handshake is sent by the first write reports no drained', (t) => {
  const { connection, wire, recorder } = make({ blocked: true });
  wire.sink.drained();
  t.is(recorder.drains, 0);
  t.true(connection.write(pattern(10)));
});

test('a pause inside a chunk of many records holds the rest back until resume, which delivers it in a new turn', async (t) => {
  const { connection, wire, recorder, remoteEnd } = make();
  recorder.onData = () => connection.pause();
  wire.sink.data(concat(...[1, 2, 3, 4].map((seed) => remoteEnd.record(pattern(9, seed)))));
  t.is(recorder.chunks.length, 1);
  t.true(wire.paused);
  // One more chunk may still arrive.
  wire.sink.data(remoteEnd.record(pattern(9, 5)));
  t.is(recorder.chunks.length, 1);
  connection.resume();
  t.is(recorder.chunks.length, 1);
  await turn();
  t.is(recorder.chunks.length, 2, 'it was paused again');
  recorder.onData = undefined;
  connection.resume();
  await turn();
  t.deepEqual(
    recorder.chunks,
    [1, 2, 3, 4, 5].map((seed) => pattern(9, seed)),
  );
  t.false(wire.paused);
  wire.sink.data(remoteEnd.record(pattern(9, 6)));
  t.is(recorder.chunks.length, 6, 'and then it is delivered at once');
});

test('a pause and a resume before any record arrives need no new turn', (t) => {
  const { connection, wire, recorder, remoteEnd } = make();
  connection.pause();
  t.true(wire.paused);
  connection.resume();
  t.false(wire.paused);
  wire.sink.data(remoteEnd.record(pattern(9)));
  t.is(recorder.chunks.length, 1);
});

test('data that came with the handshake waits for a sink, and so does what follows it', async (t) => {
  const { connection, wire, recorder, remoteEnd } = make({
    attached: false,
    arrived: (remoteEnd) => [remoteEnd.record(pattern(1)), remoteEnd.record(pattern(2))],
  });
  wire.sink.data(remoteEnd.record(pattern(3)));
  t.true(wire.paused, 'no listener is attached yet');
  connection.attach(recorder);
  t.deepEqual(recorder.chunks, []);
  await turn();
  t.deepEqual(recorder.chunks, [pattern(1), pattern(2), pattern(3)]);
  t.false(wire.paused);
});

test('a connection that ended before a listener was attached reports its end', async (t) => {
  const { connection, wire, recorder, remoteEnd } = make({ attached: false });
  wire.sink.data(concat(remoteEnd.record(pattern(3)), remoteEnd.end()));
  wire.sink.closed();
  connection.attach(recorder);
  t.deepEqual(recorder.ends, []);
  await turn();
  t.deepEqual([recorder.chunks, recorder.ends], [[pattern(3)], [undefined]]);
});

test('both directions rekey at their own times without loss', (t) => {
  const { connection, wire, recorder, remoteEnd } = make({
    sent: REKEY_AFTER - 3,
    received: REKEY_AFTER - 2,
  });
  for (let i = 0; i < 6; i++) {
    connection.write(pattern(20, i + 1));
    wire.sink.data(remoteEnd.record(pattern(30, i + 1)));
  }
  t.deepEqual(
    remoteEnd.read(wire.written),
    [1, 2, 3, 4, 5, 6].map((seed) => pattern(20, seed)),
  );
  t.deepEqual(
    recorder.chunks,
    [1, 2, 3, 4, 5, 6].map((seed) => pattern(30, seed)),
  );
});
