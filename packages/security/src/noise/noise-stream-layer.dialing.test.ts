// Tests dialed connections: timeouts, unexpected peers, and the lists of peers.

import { TransportError } from '@trunkline/transport-core';
import test from 'ava';
import type { NoiseConnection } from './noise-connection.ts';
import { suite } from './primitives.node.ts';
import { pattern } from './testing/bytes.ts';
import { bob, greeting } from './testing/greetings.ts';
import { answer, connect, dialing } from './testing/layers.ts';
import { ManualStream, RecordingSink } from './testing/manual-stream.ts';

test('a dial succeeds when the other end has proven its id, and passes its options to the layer below', async (t) => {
  const { layer, clock, noise } = dialing();
  const dial = noise.dial('there', { timeout: 1_000, nodeId: bob.nodeId });
  t.deepEqual([layer.dials[0]!.address, layer.dials[0]!.options.nodeId], ['there', bob.nodeId]);
  const wire = await connect(layer);
  answer(wire);
  const connection = await dial;
  t.is(connection.nodeId, bob.nodeId);
  t.is(connection.refused, undefined);
  t.is(clock.timers, 0);
});

test('the dial of the layer below and the greeting share one timeout', async (t) => {
  const { layer, clock, noise } = dialing();
  const dial = noise.dial('there', { timeout: 1_000 });
  clock.advance(700);
  const wire = await connect(layer);
  clock.advance(299);
  t.is(wire.destroyed, undefined);
  clock.advance(1);
  const error = (await t.throwsAsync(dial)) as TransportError;
  t.is(error.reason, 'dial_timeout');
  t.is(error.target, 'there');
  t.regex(
    error.message,
    /Cannot connect to there: the noise handshake was not complete after 1000 ms \(dialTimeout\)/,
  );
  t.true(wire.destroyed !== undefined);
  t.is(clock.timers, 0);
});

test('an abort during the greeting rejects with its reason and leaves nothing behind', async (t) => {
  const { layer, clock, noise } = dialing();
  const controller = new AbortController();
  const dial = noise.dial('there', { timeout: 1_000, signal: controller.signal });
  const wire = await connect(layer);
  const reason = new Error('enough');
  controller.abort(reason);
  t.is(await t.throwsAsync(dial), reason);
  t.true(wire.destroyed !== undefined);
  t.is(clock.timers, 0);
});

test('an abort just when the dial of the layer below succeeds leaves nothing behind', async (t) => {
  const { layer, noise } = dialing();
  const controller = new AbortController();
  const dial = noise.dial('there', { timeout: 1_000, signal: controller.signal });
  const wire = new ManualStream();
  layer.dials[0]!.connected(wire);
  controller.abort(new Error('enough'));
  await t.throwsAsync(dial, { message: 'enough' });
  t.true(wire.destroyed !== undefined);
});

test('close() ends dials, during the greeting and just before it', async (t) => {
  const { layer, noise, clock } = dialing();
  const one = noise.dial('there', { timeout: 1_000 });
  const wire = await connect(layer);
  const other = noise.dial('there', { timeout: 1_000 });
  const late = new ManualStream();
  layer.dials[1]!.connected(late);
  await noise.close();
  for (const dial of [one, other])
    t.is(((await t.throwsAsync(dial)) as TransportError).code, 'shutdown');
  t.true(wire.destroyed !== undefined && late.destroyed !== undefined);
  t.is(clock.timers, 0);
});

test('a dial whose random source fails rejects and leaves nothing behind', async (t) => {
  let isBroken = false;
  const { layer, clock, noise } = dialing({ random: () => (isBroken ? Number.NaN : 0.5) });
  isBroken = true;
  const dial = noise.dial('there', { timeout: 1_000 });
  const wire = await connect(layer);
  await t.throwsAsync(dial, { instanceOf: TypeError, message: /random: must return/ });
  t.true(wire.destroyed !== undefined);
  t.is(clock.timers, 0);
});

test('a dial that is answered in another protocol names that protocol', async (t) => {
  for (const [bytes, reason, text] of [
    [
      new TextEncoder().encode('TRKL'),
      'wrong_preamble',
      /Cannot connect to there: the other end speaks plain Trunkline/,
    ],
    [new TextEncoder().encode('HTTP/1.1 400 Bad Request'), 'wrong_preamble', /HTTP \(a response\)/],
    [Uint8Array.of(0x54, 0x52, 0x4b, 0x4e, 2), 'wrong_version', /version 2/],
    [Uint8Array.of(0x54, 0x52, 0x4b, 0x4e, 1, 0, 5, 1, 2, 3, 4, 5), 'malformed', /message 2/],
  ] as const) {
    const { layer, noise, clock } = dialing();
    const dial = noise.dial('there', { timeout: 1_000 });
    const wire = await connect(layer);
    wire.sink.data(bytes);
    const error = (await t.throwsAsync(dial)) as TransportError;
    t.is(error.reason, reason);
    t.is(error.target, 'there');
    t.regex(error.message, text);
    t.true(wire.destroyed !== undefined);
    t.is(clock.timers, 0);
  }
});

test('a dial whose connection ends during the greeting keeps the reason of the layer below', async (t) => {
  const { layer, noise } = dialing();
  const dial = noise.dial('there', { timeout: 1_000 });
  const wire = await connect(layer);
  wire.sink.closed(
    new TransportError('unavailable', 'Connection with there: it broke', { reason: 'reset' }),
  );
  const error = (await t.throwsAsync(dial)) as TransportError;
  t.is(error.reason, 'reset');
  t.regex(
    error.message,
    /Cannot connect to there: the other end reset the connection during the noise handshake \(.*it broke\)/,
  );
});

test('a peer that the lists do not allow is handed over as refused', async (t) => {
  const cases = [
    {
      options: { deny: [bob.nodeId] },
      nodeId: undefined,
      reason: 'denied',
      said: /is denied \(deny\)/,
    },
    {
      options: { deny: [bob.nodeId], allow: [bob.nodeId] },
      nodeId: bob.nodeId,
      reason: 'denied',
      said: /is denied/,
    },
    {
      options: { allow: [] },
      nodeId: undefined,
      reason: 'denied',
      said: /is not allowed \(allow has 0 others\)/,
    },
    { options: { allow: [] }, nodeId: bob.nodeId, reason: undefined, said: /./ },
    { options: { allow: [bob.nodeId] }, nodeId: undefined, reason: undefined, said: /./ },
  ];
  for (const { options, nodeId, reason, said } of cases) {
    const { layer, noise } = dialing(options);
    const dial = noise.dial('there', { timeout: 1_000, nodeId });
    answer(await connect(layer));
    const { refused } = await dial;
    t.is(refused?.reason, reason as never);
    if (refused !== undefined) t.regex(refused.message, said);
  }
});

test('a peer without a proof is handed over as refused with bad_certificate', async (t) => {
  const { layer, noise } = dialing();
  const dial = noise.dial('there', { timeout: 1_000 });
  answer(
    await connect(layer),
    greeting({
      suite,
      role: 'responder',
      identity: { publicKey: bob.publicKey, sign: () => new Uint8Array(0) },
    }),
  );
  const { refused, nodeId } = await dial;
  t.is(nodeId, undefined);
  t.is(refused!.reason, 'bad_certificate');
  t.regex(refused!.message, /the peer did not prove its identity: it sent no signature/);
});

test('a peer that the layer below refuses stays refused', async (t) => {
  const { layer, noise } = dialing();
  const dial = noise.dial('there', { timeout: 1_000 });
  const wire = await connect(layer, {
    refused: new TransportError('permission_denied', 'not by me'),
  });
  answer(wire);
  t.is((await dial).refused!.message, 'not by me');
});

test('updatePeers disconnects only the peers that are no longer allowed', async (t) => {
  const { layer, noise } = dialing();
  const meet = async (nodeId?: string) => {
    const dial = noise.dial('there', { timeout: 1_000, nodeId });
    answer(await connect(layer));
    const connection = (await dial) as NoiseConnection;
    const recorder = new RecordingSink();
    connection.attach(recorder);
    return { connection, recorder };
  };
  const one = await meet();
  const meant = await meet(bob.nodeId);
  const gone = await meet();
  gone.connection.close();
  noise.updatePeers({ allow: [] });
  t.is(one.recorder.revocations[0]!.reason, 'denied');
  t.deepEqual([meant.recorder.revocations, gone.recorder.revocations], [[], []]);
  noise.updatePeers({ deny: [bob.nodeId] });
  t.is(meant.recorder.revocations.length, 1);
  noise.updatePeers({ deny: [] });
  t.is((await meet()).connection.refused?.reason, 'denied', 'the allow list is unchanged');
  noise.updatePeers({ allow: null });
  t.is((await meet()).connection.refused, undefined);
});

test('updatePeers destroys the connection of a sink that has no method for revocations', async (t) => {
  const { layer, noise } = dialing();
  const dial = noise.dial('there', { timeout: 1_000 });
  const wire = await connect(layer);
  answer(wire);
  (await dial).attach({ data() {}, frames() {}, drained() {}, closed() {} });
  noise.updatePeers({ deny: [bob.nodeId] });
  t.is(wire.destroyed?.error?.reason, 'denied');
});

test('a change by updatePeers between a dial and its attach shows in refused', async (t) => {
  const { layer, noise } = dialing();
  const dial = noise.dial('there', { timeout: 1_000 });
  answer(await connect(layer));
  noise.updatePeers({ deny: [bob.nodeId] });
  t.is((await dial).refused!.reason, 'denied');
});

test('a dial whose last message waits below succeeds when that is sent, and loses no data that arrived meanwhile', async (t) => {
  const { layer, noise } = dialing();
  const dial = noise.dial('there', { timeout: 1_000 });
  const wire = await connect(layer, { takes: false });
  const responder = greeting({ suite, role: 'responder' });
  answer(wire, responder);
  t.is(wire.written.length, 1, 'the first message is not sent yet');
  wire.sink.data(pattern(30));
  t.true(wire.paused);
  wire.takes = true;
  wire.sink.drained();
  const connection = await dial;
  t.true(responder.receive(wire.written[1]!)!.done !== undefined);
  const recorder = new RecordingSink();
  connection.attach(recorder);
  for (let i = 0; i < 3; i++) await Promise.resolve();
  // The received bytes are not a record. They were not lost: the connection detects the mistake.
  t.is(wire.destroyed, undefined);
  wire.sink.data(pattern(65_537));
  t.is(wire.destroyed!.error!.reason, 'reset');
});
