// Tests of dialing and listening over signaling: deadlines, malformed messages and resources. They
// cover the defects of an earlier WebRTC transport (Babble's).

import type { StreamConnection, StreamLayer } from '@trunkline/transport-core/backend';
import { createManualClock } from '@trunkline/transport-core/testing';
import test, { type ExecutionContext } from 'ava';
import { createMemorySignaling } from './memory-signaling.ts';
import type { Signal, SignalSession } from './signal.ts';
import { recorded } from './signaling/testing/nodes.ts';
import { createCountingRtc } from './testing/counting-rtc.ts';
import { bound, lyingSignal } from './testing/lying-signal.ts';
import { rejection } from './testing/rejection.ts';
import { createWebRtcStreamLayer } from './webrtc.ts';

test('no peer connection exists before signaling has answered', async (t) => {
  const { dialer, rtc } = await setUp(t);
  const error = await rejection(dialer.dial('webrtc://nobody', { timeout: 10_000 }));
  t.is(error.reason, 'connection_refused');
  t.is(rtc.created(), 0);
});

/** Signaling that changes the descriptions of answers. */
function answering(change: (sdp: string) => string) {
  return (signal: Signal) =>
    lyingSignal(signal, (message) =>
      message.type === 'answer' ? [{ ...message, sdp: change(message.sdp) }] : [message],
    );
}

const steps: [string, (signal: Signal) => Signal, RegExp][] = [
  [
    'signaling does not answer',
    (signal) => ({ ...bound(signal), open: () => new Promise(() => {}) }),
    /waiting for signaling/,
  ],
  ['no answer arrives', (signal) => lyingSignal(signal, () => []), /waiting for the answer/],
];
for (const [what, lie, says] of steps) {
  test(`the deadline of a dial holds if ${what}, and the error names the step`, async (t) => {
    const clock = createManualClock();
    const { dialer, address, rtc } = await setUp(t, { lie, clock });
    const dialing = rejection(dialer.dial(address, { timeout: 1_000 }));
    await turns(40);
    clock.advance(1_000);
    const error = await dialing;
    t.is(error.reason, 'dial_timeout');
    t.regex(error.message, says);
    await until(() => rtc.open() === 0);
    t.is(clock.timers, 0);
  });
}

const malformed: unknown[] = [
  null,
  'offer',
  {},
  { type: 'offer' },
  { type: 'offer', sdp: '' },
  { type: 'offer', sdp: 'nonsense' },
  { type: 'offer', sdp: 'x'.repeat(20_000) },
  { type: 'answer', sdp: 'v=0' },
  { type: 'offer', sdp: `v=0\r\na=fingerprint:sha-256 ${'00:'.repeat(31)}00\r\n` },
  { type: 'offer', sdp: `v=0\r\na=max-message-size:1\r\n` },
  { type: 'candidate', candidate: 'x'.repeat(2_000) },
  { type: 'candidate', candidate: 3 },
];

test('malformed offers end their own session, and the next dial is served', async (t) => {
  const { dialer, address, rtc, open } = await setUp(t);
  for (const message of malformed) {
    const { session, closed } = recorded(await open());
    session.send(message as never);
    t.is((await closed)?.reason, 'malformed', JSON.stringify(message)?.slice(0, 60));
  }
  t.is(rtc.open(), 0);
  const connection = await dialer.dial(address, { timeout: 10_000 });
  connection.destroy();
});

test('an answer that cannot be used fails the dial at once', async (t) => {
  const { dialer, address, rtc } = await setUp(t, { lie: answering(() => 'v=0') });
  const error = await rejection(dialer.dial(address, { timeout: 10_000 }));
  t.is(error.reason, 'malformed');
  t.is(error.target, address);
  await until(() => rtc.open() === 0);
});

test('ten thousand candidates, doubled and useless ones do no harm, and 64 are used', async (t) => {
  const lie = (signal: Signal) =>
    lyingSignal(signal, (message) =>
      message.type === 'candidate'
        ? [
            { ...message, sdpMLineIndex: null },
            message,
            ...Array.from({ length: 10_000 }, (_, i) => ({
              type: 'candidate',
              candidate: `candidate:${i} 1 udp 1 ${i}.example.local 9 typ host`,
              sdpMid: null,
            })),
            { type: 'candidate', candidate: 'garbage' },
          ]
        : [message],
    );
  const { dialer, address, rtc } = await setUp(t, { lie });
  const connection = await dialer.dial(address, { timeout: 10_000 });
  connection.destroy();
  t.is(rtc.candidates(), 64);
});

test('no message is longer than the answer announces', async (t) => {
  const lie = answering((sdp) => sdp.replace(/(a=max-message-size:)\d+/, '$12000'));
  const { dialer, address, sizes } = await setUp(t, { lie });
  const connection = await dialer.dial(address, { timeout: 10_000 });
  connection.write(new Uint8Array(5_000));
  await until(() => sizes.length === 3);
  t.deepEqual(sizes, [2_000, 2_000, 1_000]);
  connection.destroy();
});

for (const [iceTransportPolicy, how] of [
  ['all', 'both ends signal addresses of their machines'],
  ['relay', 'neither end signals an address if there is no TURN server'],
] as const)
  test(`with iceTransportPolicy: '${iceTransportPolicy}', ${how}`, async (t) => {
    const signaling = createMemorySignaling();
    const descriptions: string[] = [];
    const clock = createManualClock();
    const [dialer, listener] = ['client', 'server'].map((id) =>
      createWebRtcStreamLayer({
        // Without trickling, each end sends its description once it has all candidates.
        signal: lyingSignal(signaling.signal(id, { trickle: false }), (message) => {
          descriptions.push(message.sdp);
          return [message];
        }),
        clock,
        iceTransportPolicy,
      }),
    ) as StreamLayer[] as [StreamLayer, StreamLayer];
    await listener.listen((connection) => connection.destroy());
    const dialing = dialer.dial(listener.localAddr(), { timeout: 10_000 }).catch(() => {});
    await until(() => descriptions.length === 2);
    for (const sdp of descriptions)
      t.is(/^a=candidate:.* typ host/m.test(sdp), iceTransportPolicy === 'all', sdp);
    await Promise.all([dialer.close(), listener.close()]);
    (await dialing)?.destroy();
  });

test('signaling without trickling connects, too', async (t) => {
  const { dialer, address } = await setUp(t, { trickle: false });
  const connection = await dialer.dial(address, { timeout: 20_000 });
  connection.destroy();
  t.pass();
});

test('a session that sends no offer ends after the handshake timeout', async (t) => {
  const clock = createManualClock();
  const { open } = await setUp(t, { clock });
  const { closed } = recorded(await open());
  await turns(5);
  clock.advance(5_000);
  t.is((await closed)?.reason, 'handshake_timeout');
  t.is(clock.timers, 0);
});

interface Setting {
  lie?(signal: Signal): Signal;
  readonly clock?: ReturnType<typeof createManualClock>;
  readonly trickle?: boolean;
}

/**
 * A layer that listens, the sizes of the messages that it receives, a layer that dials through
 * signaling that may lie, and their resources.
 */
async function setUp(t: ExecutionContext, { lie = (s) => s, clock, trickle }: Setting = {}) {
  const signaling = createMemorySignaling();
  const rtc = await createCountingRtc();
  const layer = createWebRtcStreamLayer({
    signal: signaling.signal('server', { trickle }),
    clock,
    rtc,
  });
  const dialer = createWebRtcStreamLayer({
    signal: lie(signaling.signal('client', { trickle })),
    clock,
    rtc,
  });
  const accepted: StreamConnection[] = [];
  const sizes: number[] = [];
  await layer.listen((connection) => {
    accepted.push(connection);
    connection.attach({
      data: ({ length }) => void sizes.push(length),
      frames() {},
      drained() {},
      closed() {},
    });
  });
  t.teardown(async () => {
    for (const connection of accepted) connection.destroy();
    await Promise.all([layer.close(), dialer.close()]);
  });
  const open = (): Promise<SignalSession> =>
    signaling.signal('stranger').open('server', { timeout: 1_000 });
  return { layer, dialer, address: layer.localAddr(), rtc, accepted, sizes, open };
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await turns(1);
}
