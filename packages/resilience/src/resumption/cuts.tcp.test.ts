// Streams over real sockets that are cut after a random number of bytes.

import { createTransport, serve } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { faulty } from '@trunkline/transport-testkit';
import test, { type ExecutionContext } from 'ava';
import { resumable, resume } from '../index.resumption.ts';
import { feed } from './testing/feed.ts';

const OPTIONS = { attempts: 100, initialBackoff: 1, maxBackoff: 5 };

/** Reads a stream of numbered blobs while its connections are cut. Returns the number of cuts. */
async function readBlobs(
  t: ExecutionContext,
  { seed, blobs, size, cutEvery }: { seed: number; blobs: number; size: number; cutEvery: number },
): Promise<number> {
  const server = createTransport('tcp://127.0.0.1:0', { protocol: feed, backends: [tcp()] });
  let runs = 0;
  let calls = 0;
  const served = resumable(server, 'blobs', async function* (end) {
    runs++;
    for (let at = 0; at < end; at++) {
      const blob = new Uint8Array(size).fill(at % 251);
      new DataView(blob.buffer).setUint32(0, at);
      yield blob;
    }
  });
  serve(server, {
    blobs: (request: number, rpc: Parameters<typeof served>[1]) => {
      calls++;
      return served(request, rpc);
    },
  });
  await server.listen();
  const network = faulty(tcp(), { seed });
  const client = createTransport({ protocol: feed, backends: [network] });
  t.teardown(() => Promise.all([client.close(), server.close()]));
  let expected = 0;
  const items = await resume(client, server.advertiseAddr(), 'blobs', blobs, OPTIONS);
  for await (const blob of items) {
    const at = new DataView(blob.buffer, blob.byteOffset).getUint32(0);
    if (at !== expected || blob.length !== size || blob[size - 1] !== at % 251)
      t.fail(`blob ${at} came instead of ${expected}`);
    // The first item must arrive before the first cut, because a lost request ends the stream.
    if (expected++ === 0) network.set({ cutEvery });
  }
  t.is(expected, blobs);
  t.is(runs, 1);
  return calls - 1;
}

test('sockets are cut in the middle of items: every item arrives once and in order', async (t) => {
  const calls = await readBlobs(t, { seed: 1, blobs: 5_000, size: 300, cutEvery: 50_000 });
  t.log(`${calls} further calls`);
  t.true(calls > 10);
});

test('sockets are cut in the middle of long items', async (t) => {
  const calls = await readBlobs(t, { seed: 2, blobs: 60, size: 200_000, cutEvery: 1_000_000 });
  t.log(`${calls} further calls`);
  t.true(calls > 3);
});
