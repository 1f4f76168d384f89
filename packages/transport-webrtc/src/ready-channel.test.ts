// Tests of connections over channels that were opened without this package.

import { serve, TransportError } from '@trunkline/transport-core';
import {
  NetworkTransport,
  type StreamConnection,
  type StreamLayer,
} from '@trunkline/transport-core/backend';
import { createManualClock } from '@trunkline/transport-core/testing';
import { Recorder } from '@trunkline/transport-testkit/internal';
import test from 'ava';
import { loadRtc } from './node-rtc.ts';
import { createChannelConnection } from './ready-channel.ts';
import type { RtcDataChannel } from './rtc.ts';
import { withoutCandidates } from './session-description.ts';
import { echo as protocol } from './testing/echo.ts';
import { createFakeChannels } from './testing/fake-rtc.ts';

test('a transport calls over a channel that the program has opened', async (t) => {
  const { RTCPeerConnection } = await loadRtc();
  const [one, two] = [0, 1].map(() => new RTCPeerConnection({ iceServers: [] })) as [any, any];
  t.teardown(() => {
    one.close();
    two.close();
  });
  const create = (peer: any): RtcDataChannel =>
    peer.createDataChannel('mine', { negotiated: true, id: 7, ordered: true });
  // Candidates are exchanged at the end: node-datachannel now and then closes a connection whose
  // path opens while its remote description is still being set.
  const early: (() => void)[] = [];
  let isDescribed = false;
  for (const [from, to] of [
    [one, two],
    [two, one],
  ])
    from.onicecandidate = ({ candidate }: any) => {
      const add = () => void to.addIceCandidate(candidate);
      if (candidate && isDescribed) add();
      else if (candidate) early.push(add);
    };
  const described = ({ type, sdp }: any) => ({ type, sdp: withoutCandidates(sdp) });
  const near = create(one);
  await one.setLocalDescription(await one.createOffer());
  await two.setRemoteDescription(described(one.localDescription));
  const far = create(two);
  await two.setLocalDescription(await two.createAnswer());
  const open = [near, far].map((channel) => connectionOf(channel));
  await one.setRemoteDescription(described(two.localDescription));
  isDescribed = true;
  for (const add of early) add();
  const [a, b] = (await Promise.all(open)) as [StreamConnection, StreamConnection];
  const { client, server } = transports(a, b);
  t.teardown(async () => {
    await client.close();
    await server.close();
  });
  serve(server, { echo: (request) => request });
  await server.listen();
  const long = new Uint8Array(100_000).fill(7);
  t.deepEqual(await client.send('there', 'echo', long), long);
  t.is(client.remotes()[0]!.endpoint, 'a channel');
});

test('an end in order closes both channels, after all bytes', async (t) => {
  const channels = createFakeChannels();
  const [near, far] = channels.map((channel) =>
    createChannelConnection(channel, { endpoint: 'a channel', maxMessage: 1_024 }),
  ) as [StreamConnection, StreamConnection];
  const ends = [new Recorder(near), new Recorder(far)] as const;
  near.write(new Uint8Array(5_000));
  near.close();
  await Promise.all(ends.map((end) => end.ended()));
  t.deepEqual(
    ends.map(({ error, size }) => [error, size]),
    [
      [undefined, 0],
      [undefined, 5_000],
    ],
  );
  t.deepEqual(
    channels.map(({ readyState }) => readyState),
    ['closed', 'closed'],
  );
});

test('an end that is still on its way prevails over a failed write', async (t) => {
  const [channel, other] = createFakeChannels();
  const near = createChannelConnection(channel, { endpoint: 'it' });
  const far = createChannelConnection(other, { endpoint: 'it' });
  const reader = new Recorder(near);
  channel.throwsOnSend = true;
  t.false(near.write(new Uint8Array([2])));
  await new Promise((resolve) => setImmediate(resolve));
  far.write(new Uint8Array([1]));
  far.close();
  await reader.ended();
  t.is(reader.error, undefined);
  t.deepEqual(reader.chunks, [new Uint8Array([1])]);
});

test('a paused reader still gets everything if a write fails and the end follows', async (t) => {
  const clock = createManualClock();
  const [channel, other] = createFakeChannels();
  const near = createChannelConnection(channel, { endpoint: 'it', clock });
  const far = createChannelConnection(other, { endpoint: 'it' });
  const reader = new Recorder(near);
  clock.advance(0);
  near.pause();
  channel.throwsOnSend = true;
  near.write(new Uint8Array([2]));
  far.write(new Uint8Array([1]));
  far.close();
  await new Promise((resolve) => setImmediate(resolve)); // both messages need microtasks only
  clock.advance(5_000);
  near.resume();
  clock.advance(0);
  await reader.ended();
  t.is(reader.error, undefined);
  t.deepEqual(reader.chunks, [new Uint8Array([1])]);
});

test('no more than 128 messages wait in the buffer of a channel, however small they are', (t) => {
  const [channel] = createFakeChannels();
  const near = createChannelConnection(channel, { endpoint: 'it' });
  const writer = new Recorder(near);
  channel.bufferedAmount = 1;
  for (let n = 1; n <= 128; n++) t.true(near.write(new Uint8Array(1)), `message ${n}`);
  t.false(near.write(new Uint8Array(1)));
  t.is(channel.bufferedAmountLowThreshold, 0, 'the channel reports when its buffer is empty');
  channel.bufferedAmount = 0;
  channel.dispatchEvent(new Event('bufferedamountlow'));
  t.is(writer.drains, 1);
  t.true(near.write(new Uint8Array(1)));
  t.true(channel.bufferedAmountLowThreshold > 0);
  near.destroy();
});

test('a channel whose last message is not sent within a second closes', async (t) => {
  const [channel, other] = createFakeChannels();
  const near = createChannelConnection(channel, { endpoint: 'it' });
  const reader = new Recorder(near);
  const closed = new Promise((resolve) => channel.addEventListener('close', resolve));
  channel.bufferedAmount = 1;
  other.send('end');
  await reader.ended();
  t.is(reader.error, undefined);
  t.is(channel.readyState, 'open', 'the peer may still read it');
  await closed;
  t.is(channel.readyState, 'closed');
});

test('a peer that acknowledges more than was sent is disconnected', async (t) => {
  const [channel, other] = createFakeChannels();
  const near = createChannelConnection(channel, { endpoint: 'it' });
  const reader = new Recorder(near);
  near.write(new Uint8Array(10));
  other.send('t11');
  await reader.ended();
  t.is(reader.error?.reason, 'malformed');
});

test('a peer that sends more than its window is disconnected', async (t) => {
  const [channel, other] = createFakeChannels();
  const near = createChannelConnection(channel, { endpoint: 'it' });
  const reader = new Recorder(near);
  near.pause();
  for (let i = 0; i < 64; i++) other.send(new Uint8Array(16 * 1024));
  await new Promise((resolve) => setImmediate(resolve)); // the messages need microtasks only
  t.is(channel.readyState, 'open', 'a window of 1 MiB is exhausted');
  other.send(new Uint8Array(1));
  await reader.ended();
  t.is(reader.error?.code, 'resource_exhausted');
});

test('short messages are joined while reading is paused, up to 16 KiB', async (t) => {
  const [channel, other] = createFakeChannels();
  const near = createChannelConnection(channel, { endpoint: 'it' });
  const reader = new Recorder(near);
  near.pause();
  const bytes = Uint8Array.from({ length: 40_000 }, (_, at) => at % 251);
  for (const end of [20_000, 40_000]) {
    for (let at = end - 20_000; at < end; at++) other.send(bytes.subarray(at, at + 1));
    await new Promise((resolve) => setImmediate(resolve)); // the messages need microtasks only
    near.resume();
    await reader.until(() => reader.size === end);
    near.pause();
  }
  t.is(reader.chunks.length, 4);
  t.deepEqual(
    reader.chunks.map(({ length }) => length),
    [16_384, 3_616, 16_384, 3_616],
  );
  t.deepEqual(reader.bytes(), bytes);
  near.destroy();
});

test('whatever follows the end is dropped, even while reading is paused', async (t) => {
  const [channel, other] = createFakeChannels();
  const near = createChannelConnection(channel, { endpoint: 'it' });
  const reader = new Recorder(near);
  near.pause();
  other.send(new Uint8Array([1]));
  for (let i = 0; i < 65; i++) {
    other.send('end');
    other.send(new Uint8Array(16 * 1024));
  }
  await new Promise((resolve) => setImmediate(resolve)); // the messages need microtasks only
  near.resume();
  await reader.ended();
  t.is(reader.error, undefined);
  t.deepEqual(reader.chunks, [new Uint8Array([1])]);
});

test("empty messages and the text 'wake' are reported as empty, because many of them are a flood", async (t) => {
  const [channel, other] = createFakeChannels();
  const near = createChannelConnection(channel, { endpoint: 'it' });
  const reader = new Recorder(near);
  other.send(new Uint8Array(0));
  other.send('wake');
  await reader.until(() => reader.chunks.length === 2);
  t.is(reader.size, 0);
  near.close();
  other.send('wake');
  other.send('end');
  await reader.ended();
  t.is(reader.chunks.length, 2);
});

test('a failed write resets the connection if no end follows', async (t) => {
  const clock = createManualClock();
  const [channel] = createFakeChannels();
  const near = createChannelConnection(channel, { endpoint: 'it', clock });
  const reader = new Recorder(near);
  channel.throwsOnSend = true;
  t.false(near.write(new Uint8Array([2])));
  clock.advance(1_000);
  await reader.ended();
  const error = reader.error!;
  t.is(error.reason, 'reset');
  t.regex(error.message, /it could not be written to/);
  t.is((error.cause as Error).message, 'DataChannel is closed');
});

test('a reset leaves the channel open until the other end has read it', async (t) => {
  const channels = createFakeChannels();
  const [near, far] = channels.map((each) => createChannelConnection(each, { endpoint: 'it' }));
  const reader = new Recorder(far!);
  near!.destroy();
  t.is(channels[0].readyState, 'open');
  await reader.ended();
  t.is(reader.error?.reason, 'reset');
  t.is(channels[0].readyState, 'closed');
});

test('two ends that reset at the same time close their channels', async (t) => {
  const channels = createFakeChannels();
  for (const each of channels) createChannelConnection(each, { endpoint: 'it' }).destroy();
  await new Promise((resolve) => setImmediate(resolve)); // the channels need microtasks only
  t.deepEqual(
    channels.map(({ readyState }) => readyState),
    ['closed', 'closed'],
  );
});

test('a channel that is not open is refused', (t) => {
  const [channel] = createFakeChannels();
  channel.close();
  const error = t.throws(() => createChannelConnection(channel, { endpoint: 'a channel' }), {
    instanceOf: TransportError,
  });
  t.is(error.code, 'failed_precondition');
  t.regex(error.message, /it is closed/);
});

for (const [flaw, says] of [
  [{ ordered: false }, 'ordered: false'],
  [{ maxRetransmits: 0 }, 'maxRetransmits: 0'],
  [{ maxPacketLifeTime: 500 }, 'maxPacketLifeTime: 500'],
  [{ ordered: false, maxRetransmits: 3 }, 'ordered: false, maxRetransmits: 3'],
] as const)
  test(`a channel with ${says} is refused and left alone`, (t) => {
    const [channel] = createFakeChannels();
    Object.assign(channel, flaw);
    const error = t.throws(() => createChannelConnection(channel, { endpoint: 'a channel' }), {
      instanceOf: TransportError,
    });
    t.is(error.code, 'failed_precondition');
    t.is(error.target, 'a channel');
    t.true(error.message.includes(`it has ${says}; create it with ordered: true`), error.message);
    t.is(channel.readyState, 'open');
    t.is(channel.binaryType, 'blob');
  });

test('a channel that reports that it is ordered and reliable is used', (t) => {
  const [channel] = createFakeChannels();
  Object.assign(channel, { ordered: true, maxRetransmits: null, maxPacketLifeTime: null });
  t.notThrows(() => createChannelConnection(channel, { endpoint: 'a channel' }).destroy());
});

test('no message is longer than the other end accepts', async (t) => {
  const [channel, other] = createFakeChannels();
  const sizes: number[] = [];
  const whole = new Promise<void>((resolve) =>
    other.addEventListener('message', (event) => {
      sizes.push((event as unknown as { readonly data: ArrayBuffer }).data.byteLength);
      if (sizes.length === 3) resolve();
    }),
  );
  const connection = createChannelConnection(channel, { endpoint: 'a channel', maxMessage: 2_000 });
  connection.write(new Uint8Array(5_000));
  await whole;
  t.deepEqual(sizes, [2_000, 2_000, 1_000]);
  connection.destroy();
});

test('invalid options throw a TypeError', (t) => {
  const [channel] = createFakeChannels();
  for (const options of [{}, { endpoint: '' }, { endpoint: 'x', maxMessage: 100 }])
    t.throws(() => createChannelConnection(channel, options as never), { instanceOf: TypeError });
});

function connectionOf(channel: RtcDataChannel): Promise<StreamConnection> {
  return new Promise((resolve) =>
    channel.addEventListener('open', () =>
      resolve(createChannelConnection(channel, { endpoint: 'a channel' })),
    ),
  );
}

/** Returns two transports whose only connection is this one. */
function transports(near: StreamConnection, far: StreamConnection) {
  const layer = (part: Partial<StreamLayer>): StreamLayer => ({
    listen: async () => {},
    dial: async () => near,
    localAddr: () => 'there',
    advertiseAddr: () => 'there',
    close: async () => {},
    ...part,
  });
  const client = new NetworkTransport({ protocol, stream: layer({}) });
  const server = new NetworkTransport({
    protocol,
    stream: layer({ listen: async (accept) => accept(far) }),
  });
  return { client, server };
}
