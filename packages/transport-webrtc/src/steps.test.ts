// Tests of attempts that stop at a step: both ends give up in time, and leave nothing behind.

import type { StreamConnection } from '@trunkline/transport-core/backend';
import { createManualClock } from '@trunkline/transport-core/testing';
import test, { type ExecutionContext } from 'ava';
import { createMemorySignaling } from './memory-signaling.ts';
import type { RtcLibrary } from './rtc.ts';
import { createFakeRtc, type Step } from './testing/fake-rtc.ts';
import { rejection } from './testing/rejection.ts';
import { createWebRtcStreamLayer } from './webrtc.ts';

const steps: [Step, RegExp][] = [
  ['ice', /while looking for a path \(ICE\)/],
  ['dtls', /while encrypting the path \(DTLS\)/],
  ['channel', /while opening the channel/],
  ['hello', /while waiting for the hello/],
];

for (const [step, says] of steps) {
  test(`a dial that stops at ${step} ends at its deadline, and its error names the step`, async (t) => {
    const { dial, rtc, clock, until } = setUp(t, step);
    const dialing = dial(1_000);
    await until(rtc.hasStopped);
    clock.advance(999);
    t.is(rtc.open(), 2);
    clock.advance(1);
    const error = await rejection(dialing);
    t.is(error.reason, 'dial_timeout');
    t.regex(error.message, says);
    await until(() => rtc.open() === 0);
    t.is(clock.timers, 0);
  });

  test(`a handshake that stops at ${step} ends at the deadline of the listener, and the dialer learns the step`, async (t) => {
    const { dial, rtc, clock, until } = setUp(t, step);
    const dialing = dial(60_000);
    await until(rtc.hasStopped);
    clock.advance(5_000);
    const error = await rejection(dialing);
    t.is(error.reason, 'handshake_timeout');
    t.is(error.origin, 'remote');
    t.regex(error.message, says);
    t.is(rtc.open(), 0);
    t.is(clock.timers, 0);
  });

  test(`an abort of a dial that stops at ${step} releases both ends`, async (t) => {
    const { dial, rtc, clock, until } = setUp(t, step);
    const controller = new AbortController();
    const dialing = dial(60_000, controller.signal);
    await until(rtc.hasStopped);
    const reason = new Error('enough');
    controller.abort(reason);
    t.is(await dialing.catch((error) => error), reason);
    await until(() => rtc.open() === 0);
    t.is(clock.timers, 0);
  });
}

test('close ends a handshake that is under way, accepts nothing more, and the layer can listen again', async (t) => {
  const { dial, listener, listen, accepted, rtc, until } = setUp(t, 'channel');
  const dialing = dial(60_000);
  await until(rtc.hasStopped);
  await listener.close();
  t.is((await rejection(dialing)).code, 'shutdown');
  t.is((await rejection(dial(60_000))).reason, 'connection_refused');
  t.is(rtc.open(), 0);
  t.is(accepted.length, 0);
  rtc.stopsAt = undefined;
  await listen();
  (await dial(60_000)).destroy();
  t.is(accepted.length, 1);
});

test('hellos that a library holds back until the next message delay a dial, which succeeds', async (t) => {
  const { dial, rtc, accepted, until } = setUp(t);
  rtc.holdsMessages = true;
  const near = await dial(60_000);
  t.is(accepted.length, 1);
  const received: number[] = [];
  const sink = { frames() {}, drained() {}, closed() {} };
  accepted[0]!.attach({ ...sink, data: (chunk) => void received.push(...chunk) });
  near.attach({ ...sink, data: (chunk) => void received.push(...chunk) });
  near.write(Uint8Array.of(1));
  await until(() => received.length === 1);
  accepted[0]!.write(Uint8Array.of(2));
  await until(() => received.length === 2);
  t.deepEqual(received, [1, 2], 'the messages that woke the ends are no data');
});

test('a channel that closes as it opens fails the dial with reset', async (t) => {
  const { dial, rtc, clock, until } = setUp(t);
  rtc.throwsOnSend = true;
  t.is((await rejection(dial(60_000))).reason, 'reset');
  await until(() => rtc.open() === 0);
  t.is(clock.timers, 0);
});

for (const end of ['dialer', 'listener'] as const) {
  test(`a dial fails with resource_exhausted if the browser of the ${end} allows no more peer connections`, async (t) => {
    const signaling = createMemorySignaling();
    const clock = createManualClock();
    const rtc = createFakeRtc();
    const full = {
      RTCPeerConnection: class {
        constructor() {
          throw new DOMException('Cannot create so many PeerConnections', 'UnknownError');
        }
      } as unknown as RtcLibrary['RTCPeerConnection'],
    };
    const layer = (id: string) =>
      createWebRtcStreamLayer({
        signal: signaling.signal(id),
        clock,
        rtc: id === end ? full : rtc,
      });
    const [dialer, listener] = [layer('dialer'), layer('listener')];
    t.teardown(() => Promise.all([dialer.close(), listener.close()]).then(() => {}));
    await listener.listen(() => t.fail());
    const error = await rejection(dialer.dial('webrtc://listener', { timeout: 60_000 }));
    t.is(error.code, 'resource_exhausted');
    t.is(error.origin, end === 'dialer' ? 'local' : 'remote');
    t.is(error.target, 'webrtc://listener');
    t.regex(
      error.message,
      new RegExp(`^Cannot connect to webrtc://listener: the ${end} has as many`),
    );
    t.is(rtc.open(), 0);
    t.is(clock.timers, 0);
  });
}

function setUp(t: ExecutionContext, step?: Step) {
  const signaling = createMemorySignaling();
  const clock = createManualClock();
  const rtc = createFakeRtc(step);
  const layer = (id: string) =>
    createWebRtcStreamLayer({ signal: signaling.signal(id), clock, rtc });
  const [dialer, listener] = [layer('dialer'), layer('listener')];
  const accepted: StreamConnection[] = [];
  const listen = () => listener.listen((connection) => void accepted.push(connection));
  t.teardown(async () => {
    for (const connection of accepted) connection.destroy();
    await Promise.all([dialer.close(), listener.close()]);
  });
  const listening = listen();
  const dial = async (timeout: number, signal?: AbortSignal) => {
    await listening;
    return dialer.dial('webrtc://listener', { timeout, signal });
  };
  const until = async (isTrue: () => boolean) => {
    while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
  };
  return { dial, listener, listen, accepted, rtc, clock, until };
}
