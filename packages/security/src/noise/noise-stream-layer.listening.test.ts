// Tests accepted connections: their turn, their timeouts, and their failures.

import { TransportError } from '@trunkline/transport-core';
import type { StreamConnection } from '@trunkline/transport-core/backend';
import { createManualClock } from '@trunkline/transport-core/testing';
import test from 'ava';
import { createNoiseStreamLayer } from './create-noise-stream-layer.ts';
import { suite } from './primitives.node.ts';
import { concat, pattern } from './testing/bytes.ts';
import { ada, bob, greeting } from './testing/greetings.ts';
import { answerTo, completeHandshake, connect, listening } from './testing/layers.ts';
import { ManualLayer, ManualSlot } from './testing/manual-layer.ts';

test('a connection that completed its greeting is handed over with its peer, its binding and its pass', async (t) => {
  const { layer, accepted, handshakes } = await listening();
  const wire = layer.come();
  const { binding } = completeHandshake(wire);
  const { connection, slot } = accepted[0]!;
  t.is(connection.nodeId, ada.nodeId);
  t.deepEqual(connection.binding, binding);
  t.is(connection.refused, undefined);
  t.is(connection.endpoint, wire.endpoint);
  t.is(slot, handshakes.slots[0]);
  t.deepEqual(handshakes.slots[0]!.left, [], 'its place is still taken');
});

test('a connection is paused and unread until it is its turn, and then read from its first byte', async (t) => {
  const { layer, accepted, handshakes } = await listening({ answer: 'wait' });
  const wire = layer.come();
  t.true(wire.paused);
  const dialer = greeting({ suite, role: 'initiator' });
  wire.sink.data(dialer.begin());
  t.deepEqual(wire.written, []);
  handshakes.slots[0]!.enter();
  t.false(wire.paused);
  answerTo(wire, dialer);
  t.is(accepted.length, 1);
});

test('if there is no room a connection is destroyed unread', async (t) => {
  const { layer, clock } = await listening({ answer: 'closed' });
  const wire = layer.come();
  t.true(wire.destroyed !== undefined);
  t.deepEqual(wire.written, []);
  t.is(clock.timers, 0);
});

test('a slot of the layer below is used, and no other is acquired', async (t) => {
  const { layer, accepted, handshakes, clock } = await listening();
  const slot = new ManualSlot(clock.now());
  completeHandshake(layer.come(slot));
  t.is(accepted[0]!.slot, slot);
  t.is(handshakes.acquisitions, 0);
  t.is(layer.options?.handshakes, handshakes, 'the layer below got the limiter');
});

test('the limiter ends a connection that is secured but has not confirmed its hello', async (t) => {
  const { layer, accepted, handshakes } = await listening();
  const wire = layer.come();
  completeHandshake(wire);
  t.is(accepted.length, 1);
  t.is(wire.destroyed, undefined);
  handshakes.slots[0]!.end!(new TransportError('resource_exhausted', 'outpaced'));
  t.not(wire.destroyed, undefined);
});

test('a greeting that takes too long since its slot was acquired ends with handshake_timeout, reported once', async (t) => {
  const { layer, handshakes, clock } = await listening({ answer: 'wait' });
  const wire = layer.come();
  clock.advance(600);
  handshakes.slots[0]!.enter();
  wire.sink.data(greeting({ suite, role: 'initiator' }).begin());
  clock.advance(399);
  t.is(wire.destroyed, undefined);
  clock.advance(1);
  const [error] = handshakes.slots[0]!.left as TransportError[];
  t.is(error!.reason, 'handshake_timeout');
  t.regex(error!.message, /1000 ms \(handshakeTimeout\)/);
  t.true(wire.destroyed !== undefined);
  wire.sink.closed(error);
  t.is(handshakes.slots[0]!.left.length, 1);
  t.is(clock.timers, 0);
});

test('time spent in the layer below counts', async (t) => {
  const { layer, clock } = await listening();
  const slot = new ManualSlot(clock.now() - 900);
  layer.come(slot);
  clock.advance(100);
  t.is((slot.left[0] as TransportError).reason, 'handshake_timeout');
});

test('a connection that waits too long for its turn is ended, too', async (t) => {
  const { layer, handshakes, clock } = await listening({ answer: 'wait' });
  const wire = layer.come();
  clock.advance(1_000);
  t.true(wire.destroyed !== undefined);
  t.is((handshakes.slots[0]!.left[0] as TransportError).reason, 'handshake_timeout');
  handshakes.slots[0]!.enter();
  t.deepEqual(wire.written, []);
});

test('by default a greeting has five seconds and no limiter', async (t) => {
  const clock = createManualClock();
  const layer = new ManualLayer();
  const accepted: StreamConnection[] = [];
  await createNoiseStreamLayer(layer, { identity: bob, clock }).listen((connection) =>
    accepted.push(connection),
  );
  completeHandshake(layer.come());
  t.is(accepted.length, 1);
  const slow = layer.come();
  clock.advance(4_999);
  t.is(slow.destroyed, undefined);
  clock.advance(1);
  t.is(slow.destroyed!.error!.reason, 'handshake_timeout');
});

test('invalid bytes disconnect at once and are reported; another protocol is closed in order, and reported afterwards', async (t) => {
  const { layer, accepted, handshakes } = await listening();
  const cut = layer.come();
  cut.sink.data(
    concat(greeting({ suite, role: 'initiator' }).begin().subarray(0, 7), new Uint8Array(32)),
  );
  t.is((handshakes.slots[0]!.left[0] as TransportError).reason, 'malformed');
  t.is(cut.destroyed!.error!.reason, 'malformed');
  const stranger = layer.come();
  stranger.sink.data(new TextEncoder().encode('GET / HTTP/1.1'));
  t.deepEqual([stranger.written, stranger.closes, stranger.destroyed], [[], 1, undefined]);
  t.deepEqual(handshakes.slots[1]!.left, []);
  stranger.sink.closed();
  t.is((handshakes.slots[1]!.left[0] as TransportError).reason, 'wrong_preamble');
  t.deepEqual(accepted, []);
});

test('a stranger that does not close is disconnected and reported with what it sent', async (t) => {
  const { layer, handshakes, clock } = await listening();
  const stranger = layer.come();
  stranger.sink.data(new TextEncoder().encode('GET / HTTP/1.1'));
  clock.advance(1_000);
  t.true(stranger.destroyed !== undefined);
  t.is((handshakes.slots[0]!.left[0] as TransportError).reason, 'wrong_preamble');
});

test('a connection that ends during the greeting is reported', async (t) => {
  const { layer, handshakes, clock } = await listening();
  const wire = layer.come();
  wire.sink.data(greeting({ suite, role: 'initiator' }).begin());
  wire.sink.closed();
  t.is((handshakes.slots[0]!.left[0] as TransportError).reason, 'reset');
  t.is(clock.timers, 0);
});

test('the answer waits until the connection below has drained, and data that arrived meanwhile is not lost', async (t) => {
  const { layer, accepted } = await listening();
  const wire = layer.come();
  wire.takes = false;
  const dialer = greeting({ suite, role: 'initiator' });
  wire.sink.data(dialer.begin());
  answerTo(wire, dialer);
  const { connection } = accepted[0]!;
  t.false(connection.write(pattern(5)), 'the answer of the handshake is not sent');
  t.is(wire.written.length, 1);
  wire.takes = true;
  wire.sink.drained();
  t.is(wire.written.length, 2);
});

test('a connection that carries frames is refused: noise needs bytes', async (t) => {
  const { layer, handshakes, clock, noise } = await listening();
  const slot = new ManualSlot(clock.now());
  const far = layer.come(slot, { frames: {} });
  t.is((slot.left[0] as TransportError).code, 'failed_precondition');
  t.is(handshakes.acquisitions, 0);
  const dial = noise.dial('there', { timeout: 1_000 });
  const near = await connect(layer, { frames: {} });
  const error = (await t.throwsAsync(dial)) as TransportError;
  t.is(error.code, 'failed_precondition');
  t.regex(error.message, /noise needs a layer that carries bytes/);
  t.true(far.destroyed !== undefined && near.destroyed !== undefined);
});

test('close() ends greetings in progress, leaves connections that were handed over, and closes the layer below', async (t) => {
  const { layer, accepted, handshakes, noise, clock } = await listening();
  const done = layer.come();
  completeHandshake(done);
  const pending = layer.come();
  await noise.close();
  t.true(pending.destroyed !== undefined);
  t.deepEqual(handshakes.slots[1]!.left, [undefined]);
  t.is(done.destroyed, undefined);
  t.deepEqual([accepted.length, layer.closes, clock.timers], [1, 1, 0]);
});
