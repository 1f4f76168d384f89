// Tests of both WebRTC libraries for Node, alone and with each other, and of many connections in a
// row.

import { pbkdf2Sync } from 'node:crypto';
import type { StreamConnection, StreamLayer } from '@trunkline/transport-core/backend';
import { Recorder } from '@trunkline/transport-testkit/internal';
import ava, { type ExecutionContext } from 'ava';
import * as werift from 'werift';
import { createMemorySignaling } from './memory-signaling.ts';
import { loadRtc } from './node-rtc.ts';
import { createChannelConnection } from './ready-channel.ts';
import type { RtcChannelOptions, RtcLibrary } from './rtc.ts';
import { openAndClose } from './testing/cycles.ts';
import { createWebRtcStreamLayer } from './webrtc.ts';

const test = ava.serial;
const PURE = werift as unknown as RtcLibrary;
const libraries: [string, RtcLibrary | undefined][] = [
  ['node-datachannel', undefined],
  ['werift', PURE],
];
for (const [dialing, rtc] of libraries) {
  for (const [listening, other] of libraries) {
    test(`${dialing} dials ${listening}: bytes both ways, and an end in order`, async (t) => {
      const { near, far } = await connected(t, rtc, other);
      far.onData = (chunk) => void far.connection.write(new Uint8Array(chunk));
      near.onData = (chunk) => {
        t.is(Object.getPrototypeOf(chunk), Uint8Array.prototype);
        if (near.size === 100_000) near.connection.close();
      };
      near.connection.write(new Uint8Array(100_000));
      await Promise.all([near.ended(), far.ended()]);
      t.deepEqual([near.error, far.error], [undefined, undefined]);
      t.is(near.size, 100_000);
    });
  }
}

for (const [name, rtc] of libraries)
  test(`an unordered or unreliable channel of ${name} is refused`, async (t) => {
    const { RTCPeerConnection } = rtc ?? (await loadRtc());
    const peer = new RTCPeerConnection({ iceServers: [] });
    for (const [id, { flaw, says }] of [
      { flaw: { ordered: false }, says: /it has ordered: false; / },
      { flaw: { maxRetransmits: 2 }, says: /it has maxRetransmits: 2; / },
      { flaw: { maxPacketLifeTime: 300 }, says: /it has maxPacketLifeTime: 300; / },
      { flaw: {}, says: /it is connecting; / },
    ].entries()) {
      const options = { negotiated: true, id, ordered: true, ...flaw } as RtcChannelOptions;
      const channel = peer.createDataChannel('mine', options);
      t.throws(() => createChannelConnection(channel, { endpoint: 'a channel' }), {
        code: 'failed_precondition',
        message: says,
      });
    }
    await peer.close();
  });

for (const [dialing, rtc] of libraries)
  for (const [listening, other] of libraries)
    for (const end of ['dialer', 'listener'] as const)
      test(`${dialing} dials ${listening}: a reset by the ${end} reaches the other end at once`, async (t) => {
        t.timeout(20_000, 'without a sign, ICE finds it out after 30 s');
        const { near, far } = await connected(t, rtc, other);
        const [one, two] = end === 'dialer' ? [near, far] : [far, near];
        one.connection.write(new Uint8Array(SOME_BYTES));
        one.connection.destroy();
        await two.ended();
        t.is(two.error?.reason, 'reset');
        t.is(two.size, SOME_BYTES, 'what it wrote before arrives');
      });

test('node-datachannel: what arrived before the end is read, on a busy process', async (t) => {
  const { rtc, peers } = await collectingRtc();
  const { near, far } = await connected(t, undefined, rtc);
  const before = (await receivedBy(peers.at(-1)!)) ?? 0;
  near.connection.write(new Uint8Array(SOME_BYTES));
  near.connection.destroy();
  // The threads of the library receive the message and the end, while this thread works. The
  // loop runs no events, because the promise that it awaits is already resolved.
  let received: number | undefined = before;
  for (let turns = 0; turns < 10_000 && received !== undefined; turns++) {
    if (received >= before + SOME_BYTES) break;
    work(10_000);
    received = await receivedBy(peers.at(-1)!);
  }
  work(500_000);
  t.is(far.size, 0, 'no message was read before all had arrived');
  await far.ended();
  t.regex(far.error?.message ?? '', /the other end reset the connection$/);
  t.is(far.size, SOME_BYTES);
});

test('connections that open and close one after the other leave nothing behind', (t) =>
  openAndClose(t, { warmUp: 20, cycles: 60 }));

/** Connects two nodes with these libraries, and records both ends. */
async function connected(t: ExecutionContext, rtc?: RtcLibrary, other?: RtcLibrary) {
  const signaling = createMemorySignaling();
  const dialer = createWebRtcStreamLayer({ signal: signaling.signal('a'), rtc });
  const listener = createWebRtcStreamLayer({ signal: signaling.signal('b'), rtc: other });
  t.teardown(() => Promise.all([listener.close(), dialer.close()]));
  const accepted = new Promise<StreamConnection>((resolve) => void listener.listen(resolve));
  const near = await dialed(dialer);
  return { near: new Recorder(near), far: new Recorder(await accepted) };
}

/** Dials up to three times: on a busy machine, werift now and then finds no path. */
async function dialed(dialer: StreamLayer, attempts = 3): Promise<StreamConnection> {
  try {
    return await dialer.dial('webrtc://b', { timeout: 20_000 });
  } catch (error) {
    if (attempts === 1 || !(error as Error).message.includes('no path')) throw error;
    return dialed(dialer, attempts - 1);
  }
}

/** A peer connection of node-datachannel, with the statistics that this package doesn't use. */
interface MeasuredPeer {
  getStats(): Promise<ReadonlyMap<string, { readonly bytesReceived?: number }>>;
}

/** Returns node-datachannel, and the peer connections that were created with it. */
async function collectingRtc(): Promise<{ rtc: RtcLibrary; peers: MeasuredPeer[] }> {
  const rtc = await loadRtc();
  const peers: MeasuredPeer[] = [];
  class Collected extends rtc.RTCPeerConnection {
    constructor(configuration: unknown) {
      super(configuration);
      peers.push(this as unknown as MeasuredPeer);
    }
  }
  return { rtc: { ...rtc, RTCPeerConnection: Collected }, peers };
}

/**
 * Returns the number of bytes that the threads of the library have received; undefined if the
 * connection has closed.
 */
async function receivedBy(peer: MeasuredPeer): Promise<number | undefined> {
  return (await peer.getStats()).get('RTCTransport_0_1')?.bytesReceived;
}

/** Keeps this thread busy, so that it handles no event: 10,000 rounds take a few milliseconds. */
function work(rounds: number): void {
  pbkdf2Sync('secret', 'salt', rounds, 32, 'sha256');
}

const SOME_BYTES = 1_000;
