// Tests of the raw peer itself, over a connection on which the test holds back writes.

import type { StreamConnection, StreamSink } from '@trunkline/transport-core/backend';
import test from 'ava';
import { concat, encodeRawFrame, type RawFrameInput } from './raw-frames.ts';
import { rawHello } from './raw-hello.ts';
import { cost, RAW_PREAMBLE, RawPeer } from './raw-peer.ts';

test('received holds exactly the first MiB, however the chunks are cut', (t) => {
  const { peer, sink } = attached();
  peer.returnPipe = false;
  const body = new Uint8Array(700 * 1024);
  const chunk = concat([RAW_PREAMBLE, encodeRawFrame({ kind: 'PART', id: 1, payload: body })]);
  sink.data(chunk);
  sink.data(encodeRawFrame({ kind: 'PART', id: 1, payload: body }));
  t.true(peer.receivedBytes > 1024 * 1024);
  t.is(peer.received.length, 1024 * 1024);
});

test('close sends what still waits for drained before it closes', (t) => {
  const { peer, sink, log, wire } = attached();
  wire.isFull = true;
  peer.bytes([1], [2], [3]);
  peer.close();
  t.deepEqual(log, ['1']);
  sink.drained();
  t.deepEqual(log, ['1', '2']);
  sink.drained();
  sink.drained();
  t.deepEqual(log, ['1', '2', '3', 'close']);
});

test('arrived takes no frame, and sees those that next takes', async (t) => {
  const { peer, receive } = attached();
  const taken = peer.next('PONG');
  const two = peer.arrived(2, 'PONG');
  receive({ kind: 'PONG', id: 1 }, { kind: 'PONG', id: 2 });
  await two;
  t.is((await taken).id, 1);
  t.is((await peer.next('PONG')).id, 2);
});

test('an acceptor charges the packets behind its hello to the pipe', async (t) => {
  const { peer, receive } = attached();
  const item: RawFrameInput = { kind: 'ITEM', id: 1, payload: new Uint8Array(10) };
  const hello = rawHello();
  const up = peer.handshake({}, [item]);
  receive({ kind: 'HELLO', hello });
  await Promise.resolve();
  receive({ kind: 'READY' });
  await up;
  t.is(peer.pipe, hello.limits!.pipe! - cost(item));
});

/** Makes an acceptor on a connection that logs its calls, and keeps each chunk while `isFull`. */
function attached() {
  const log: string[] = [];
  const wire = { isFull: false };
  let sink: StreamSink | undefined;
  const connection: StreamConnection = {
    endpoint: 'test',
    attach(given) {
      sink = given;
    },
    write(chunk) {
      log.push([...chunk].join());
      return !wire.isFull;
    },
    pause() {},
    resume() {},
    close: () => void log.push('close'),
    destroy() {},
  };
  const peer = new RawPeer(connection, 'acceptor');
  const receive = (...frames: RawFrameInput[]) => {
    const isFirst = peer.receivedBytes === 0;
    sink!.data(concat([...(isFirst ? [RAW_PREAMBLE] : []), ...frames.map(encodeRawFrame)]));
  };
  return { peer, sink: sink!, log, wire, receive };
}
