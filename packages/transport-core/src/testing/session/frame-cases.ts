// Cases of docs/wire-protocol.md §2: lengths and bodies of frames.

import {
  concat,
  delimited,
  encodeBody,
  encodeRawFrame,
  field,
  varint,
} from '@trunkline/transport-testkit/internal';
import { type Suite, violation } from './checks.ts';
import { body, KiB, request } from './frames.ts';

export function frameCases({ it, violates }: Suite): void {
  const bad = (title: string, bytes: Uint8Array) =>
    violates(`frames: ${title}`, ({ peer }) => peer.bytes(bytes));

  bad('a length of 0', Uint8Array.of(0));
  bad('a chunk of a million lengths of 0', new Uint8Array(1_000_000));
  bad('a length of five bytes', Uint8Array.of(0x81, 0x80, 0x80, 0x80, 0x00));
  bad('a length of 2^32 − 1', varint(0xffff_ffff));
  bad('a length of packet + 16 KiB + 1, before its frame arrives,', varint(80 * KiB + 1));
  bad('an unknown kind of 31', encodeRawFrame({ kind: 31, payload: body(10) }));

  it('frames: packet + 16 KiB is the longest legal length', async (t, up) => {
    const { peer, seen } = await up();
    const filled = encodeBody({ kind: 40, payload: body(80 * KiB - 10) });
    const frame = delimited(concat([filled, field(3, 0, varint(1, 80 * KiB - filled.length - 1))]));
    t.is(frame.length, 80 * KiB + 3);
    peer.bytes(frame);
    await peer.barrier();
    t.is(seen.counted('unknownFrame'), 1);
  });

  it("frames: the receiver's own packet size limits lengths, whatever the peer offers", async (t, up) => {
    const { peer } = await up({ options: { limits: { packet: 16 * KiB } } });
    peer.bytes(varint(32 * KiB + 1));
    await violation(t, peer);
  });

  it('frames: frames of kinds from 32 on are skipped and counted', async (t, up) => {
    const { peer, seen } = await up();
    peer.send(
      { kind: 32 },
      { kind: 33, id: 5, payload: body(100) },
      { kind: 0xffff_ffff, flags: 0xff },
    );
    await peer.barrier();
    t.is(seen.counted('unknownFrame'), 3);
  });

  it('frames: a frame that is split at every byte is read like an unsplit one', async (t, up) => {
    const { peer, call, id } = await up();
    const whole = encodeRawFrame(
      request(id(0), [5, 6, 7], { metadata: { k: 'v' }, timeout: 60_000 }),
    );
    for (let cut = 1; cut < whole.length; cut++) {
      peer.bytes(concat([encodeRawFrame({ kind: 'PING', id: cut }), whole.subarray(0, cut)]));
      await peer.next('PONG', (pong) => pong.id === cut);
      peer.bytes(whole.subarray(cut));
      const rpc = await call('echo');
      t.deepEqual(rpc.request, Uint8Array.of(5, 6, 7));
      t.deepEqual({ ...rpc.metadata }, { k: 'v' });
      rpc.respond(rpc.request);
      t.deepEqual((await peer.next('RESPONSE')).payload, Uint8Array.of(5, 6, 7));
    }
  });

  it('frames: a thousand frames in one chunk are all handled, in order', async (t, up) => {
    const { peer, call, id } = await up();
    const frames = Array.from({ length: 1_000 }, (_, n) => request(id(n), [n >> 8, n & 0xff]));
    peer.send(...frames);
    for (let n = 0; n < 1_000; n++) {
      const rpc = await call('echo');
      if (rpc.request[0] !== n >> 8 || rpc.request[1] !== (n & 0xff))
        t.fail(`call ${n} came as ${rpc.request}`);
      rpc.respond(rpc.request);
    }
    await peer.next('RESPONSE', (frame) => frame.id === id(999));
    t.is(peer.count('RESPONSE'), 1_000);
  });

  it('frames: a frame must end within 15 s of its first byte, however slowly its bytes arrive', async (t, up) => {
    const { peer, clock } = await up({
      options: { keepAlive: { interval: 600_000, timeout: 5_000 } },
    });
    const frame = encodeRawFrame(request(1, body(100)));
    for (let second = 0; second < 14; second++) {
      peer.bytes(
        concat([
          second === 0 ? encodeRawFrame({ kind: 'PING', id: 1 }) : [],
          frame.subarray(second, second + 1),
        ]),
      );
      if (second === 0) await peer.next('PONG');
      clock.advance(1_000);
    }
    t.false(peer.closed);
    clock.advance(1_001);
    await peer.expectClosed();
    t.is(peer.count('RESPONSE'), 0);
  });

  it('frames: a frame that ends just in time is accepted', async (t, up) => {
    const { peer, clock, call, id } = await up({
      options: { keepAlive: { interval: 600_000, timeout: 5_000 } },
    });
    const frame = encodeRawFrame(request(id(0), [1]));
    peer.bytes(concat([encodeRawFrame({ kind: 'PING', id: 1 }), frame.subarray(0, 3)]));
    await peer.next('PONG');
    clock.advance(14_900);
    peer.bytes(frame.subarray(3));
    const rpc = await call('echo');
    t.deepEqual(rpc.request, Uint8Array.of(1));
    clock.advance(15_000);
    rpc.respond(rpc.request);
    await peer.next('RESPONSE');
  });
}
