// Tests the Unmasker with frames cut into chunks at random.

import { randomBytes } from 'node:crypto';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { Unmasker } from './unmasker.ts';

test('masks are removed, however the frames are cut, without changing the original bytes', (t) => {
  const random = seededRandom(7);
  const below = (end: number) => Math.floor(random() * end);
  for (let round = 0; round < 100; round++) {
    const payloads = Array.from({ length: 1 + below(12) }, () =>
      randomBytes([0, 1, 3, below(126), below(1_000), 66_000][below(6)]!),
    );
    const keys = payloads.map(() => (below(8) === 0 ? undefined : randomBytes(4)));
    const sent = Buffer.concat(payloads.map((payload, i) => frame(payload, keys[i])));
    const most = [1, 2, 7, 100, 5_000, 1_000_000][below(6)]!;
    const unmasker = new Unmasker();
    const chunks: Buffer[] = [];
    for (let at = 0; at < sent.length; ) {
      // The chunk begins at any offset within a word.
      const shift = below(4);
      const chunk = Buffer.concat([
        Buffer.alloc(shift),
        sent.subarray(at, (at += 1 + below(most))),
      ]).subarray(shift);
      unmasker.read(chunk);
      chunks.push(chunk);
    }
    const got = read(Buffer.concat(chunks));
    t.is(got.length, payloads.length);
    for (const [i, { payload, key }] of got.entries()) {
      if (!payload.equals(payloads[i]!))
        t.fail(`round ${round}: frame ${i} of ${payloads[i]!.length} bytes`);
      if (most === 1_000_000 && key !== undefined && key.some((byte) => byte !== 0))
        t.fail(`round ${round}: frame ${i} has its mask yet`);
    }
  }
});

test('a header that arrived in pieces keeps its key, because a reader may have seen a part of it', (t) => {
  const sent = frame(Buffer.from('abcdefg'), Buffer.from([1, 2, 3, 4]));
  for (let cut = 1; cut < 6; cut++) {
    const unmasker = new Unmasker();
    const chunks = [Buffer.from(sent.subarray(0, cut)), Buffer.from(sent.subarray(cut))];
    for (const chunk of chunks) unmasker.read(chunk);
    t.deepEqual(Buffer.concat(chunks), sent);
  }
});

test('an impossible length allocates nothing', (t) => {
  const unmasker = new Unmasker();
  const chunk = Buffer.from([0x82, 0xff, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 7, 7]);
  t.notThrows(() => unmasker.read(chunk));
  t.deepEqual([...chunk.subarray(14)], [7, 7]);
});

function frame(payload: Buffer, key: Buffer | undefined): Buffer {
  const { length } = payload;
  const head =
    length < 126
      ? [length]
      : length <= 0xffff
        ? [126, length >> 8, length & 0xff]
        : [127, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 0xff, length & 0xff];
  head[0]! |= key === undefined ? 0 : 0x80;
  const masked = key === undefined ? payload : payload.map((byte, i) => byte ^ key[i & 3]!);
  return Buffer.concat([Buffer.from([0x82, ...head]), key ?? Buffer.alloc(0), masked]);
}

/** Parses frames byte by byte, as RFC 6455 describes. */
function read(bytes: Buffer): { payload: Buffer; key: Buffer | undefined }[] {
  const frames = [];
  for (let at = 0; at < bytes.length; ) {
    const second = bytes[at + 1]!;
    const short = second & 0x7f;
    const length =
      short < 126
        ? short
        : short === 126
          ? bytes.readUInt16BE(at + 2)
          : Number(bytes.readBigUInt64BE(at + 2));
    at += 2 + (short === 127 ? 8 : short === 126 ? 2 : 0);
    const key = second & 0x80 ? bytes.subarray(at, (at += 4)) : undefined;
    const payload = bytes.subarray(at, (at += length));
    frames.push({
      payload:
        key === undefined ? payload : Buffer.from(payload.map((byte, i) => byte ^ key[i & 3]!)),
      key,
    });
  }
  return frames;
}
