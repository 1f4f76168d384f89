// Tests of dials while STUN and TURN servers do not answer.

import { createManualClock } from '@trunkline/transport-core/testing';
import test, { type ExecutionContext } from 'ava';
import { createMemorySignaling } from './memory-signaling.ts';
import { createFakeRtc, type Step } from './testing/fake-rtc.ts';
import { rejection } from './testing/rejection.ts';
import { createWebRtcStreamLayer } from './webrtc.ts';

const SILENT = ['stun:192.0.2.1:3478', 'turn:192.0.2.2:3478'];

test('without trickling, each end gathers for a third of the time that is left of the dial', async (t) => {
  const { dial, rtc, clock, until } = await setUp(t, { trickle: false });
  const dialing = dial(3_000);
  await until(() => rtc.gathering() === 1);
  clock.advance(999);
  await settled();
  t.is(rtc.gathering(), 1, 'the offer waits');
  clock.advance(1);
  await until(() => rtc.gathering() === 2);
  clock.advance(666);
  await settled();
  t.is(await Promise.race([dialing, 'waits']), 'waits');
  clock.advance(1);
  (await dialing).destroy();
});

test('a dialer gathers for at most 2 s, and a listener for a third of its handshakeTimeout', async (t) => {
  const { dial, rtc, clock, until, elapsed } = await setUp(t, { trickle: false });
  const dialing = dial(60_000);
  await until(() => rtc.gathering() === 1);
  clock.advance(2_000);
  await until(() => rtc.gathering() === 2);
  clock.advance(1_667);
  (await dialing).destroy();
  t.is(elapsed(), 3_667);
});

test('with trickling, no end waits for its servers', async (t) => {
  const { dial, elapsed } = await setUp(t, {});
  (await dial(3_000)).destroy();
  t.is(elapsed(), 0);
});

for (const trickle of [true, false]) {
  const title = `${trickle ? 'with' : 'without'} trickling`;
  test(`${title}, a dial that finds no path names the servers from which it has no candidate`, async (t) => {
    const { dial, rtc, clock, until, elapsed } = await setUp(t, { trickle, stopsAt: 'ice' });
    const dialing = dial(3_000);
    while (!rtc.hasStopped()) {
      clock.advance(1);
      await settled();
    }
    clock.advance(3_000 - elapsed());
    const error = await rejection(dialing);
    t.is(error.reason, 'dial_timeout');
    t.true(
      error.message.endsWith(
        'while looking for a path (ICE); gathering got no candidate from stun:192.0.2.1:3478, turn:192.0.2.2:3478 (iceServers)',
      ),
      error.message,
    );
    await until(() => rtc.open() === 0);
    t.is(clock.timers, 0);
  });
}

async function setUp(
  t: ExecutionContext,
  { trickle, stopsAt }: { trickle?: boolean; stopsAt?: Step },
) {
  const signaling = createMemorySignaling();
  const clock = createManualClock();
  const rtc = createFakeRtc(stopsAt);
  rtc.gathersForever = true;
  const layer = (id: string) =>
    createWebRtcStreamLayer({
      signal: signaling.signal(id, { trickle }),
      clock,
      rtc,
      iceServers: [
        { urls: SILENT[0]! },
        { urls: [SILENT[1]!], username: 'ada', credential: 'secret' },
      ],
    });
  const [dialer, listener] = [layer('dialer'), layer('listener')];
  t.teardown(() => Promise.all([dialer.close(), listener.close()]));
  await listener.listen((connection) => t.teardown(() => connection.destroy()));
  const start = clock.now();
  const dial = (within: number) => dialer.dial('webrtc://listener', { timeout: within });
  const until = async (isTrue: () => boolean) => {
    while (!isTrue()) await settled();
  };
  return { dial, rtc, clock, until, elapsed: () => clock.now() - start };
}

/** Resolves when everything that needs no time has happened. */
const settled = () => new Promise((resolve) => setImmediate(resolve));
