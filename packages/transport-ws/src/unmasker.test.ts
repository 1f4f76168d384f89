// Tests the Unmasker with frames cut into chunks at random.

import { randomBytes } from 'node:crypto';
import { seededRandom } from '@trunkline/transport-core/testing';
import test from 'ava';
import { BINARY, frame, framesOf } from './testing/frames.ts';
import { Unmasker } from './unmasker.ts';

test('masks are removed, however the frames are cut, without changing the original bytes', (t) => {
  const random = seededRandom(7);
  const below = (end: number) => Math.floor(random() * end);
  for (let round = 0; round < 100; round++) {
    const payloads = Array.from({ length: 1 + below(12) }, () =>
      randomBytes([0, 1, 3, below(126), below(1_000), 66_000][below(6)]!),
    );
    const keys = payloads.map(() => (below(8) === 0 ? undefined : randomBytes(4)));
    const sent = Buffer.concat(payloads.map((payload, i) => frame(BINARY, payload, keys[i])));
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
    const got = framesOf(Buffer.concat(chunks));
    t.is(got.length, payloads.length);
    for (const [i, { payload, key }] of got.entries()) {
      if (!payloads[i]!.equals(payload))
        t.fail(`round ${round}: frame ${i} of ${payloads[i]!.length} bytes`);
      if (most === 1_000_000 && key !== undefined && key.some((byte) => byte !== 0))
        t.fail(`round ${round}: frame ${i} has its mask yet`);
    }
  }
});

test('a header that arrived in pieces keeps its key, because a reader may have seen a part of it', (t) => {
  const sent = frame(BINARY, Buffer.from('abcdefg'), Buffer.from([1, 2, 3, 4]));
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
