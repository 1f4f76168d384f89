// Tests that a program may use its memory again although TCP sends large payloads from where they
// are.

import { bytes, createTransport, defineProtocol, owned, serve } from '@trunkline/transport-core';
import test from 'ava';
import { tcp } from './tcp.ts';

for (const [name, codec] of [
  ['bytes', bytes],
  ['owned(bytes)', owned(bytes)],
] as const) {
  const files = defineProtocol({
    name: 'files',
    version: 1,
    channel: 0x40,
    methods: { read: { id: 1, request: bytes, download: codec } },
  });

  test(`${name}: items of all sizes arrive as they were yielded`, async (t) => {
    const a = createTransport('tcp://127.0.0.1:0', { protocol: files, backends: [tcp()] });
    const b = createTransport('tcp://127.0.0.1:0', { protocol: files, backends: [tcp()] });
    t.teardown(() => Promise.all([a.close(), b.close()]));
    await b.listen();
    serve(b, {
      async *read(request) {
        let memory = new Uint8Array(new Uint32Array(request.slice().buffer)[0]!);
        for (let i = 0; i < ITEMS; i++) {
          // The owner of `owned` bytes makes new ones for each item.
          if (codec !== bytes) memory = memory.slice();
          yield memory.fill(i);
          if (codec === bytes) memory.fill(99);
        }
      },
    });
    // So many calls that the server collects their items before it writes them.
    const download = async (size: number) => {
      let next = 0;
      const request = new Uint8Array(new Uint32Array([size]).buffer);
      for await (const item of await a.send(b.localAddr(), 'read', request)) {
        t.deepEqual([...new Set(item)], [next++]);
        t.is(item.length, size);
      }
      t.is(next, ITEMS);
    };
    for (const size of [100, 20_000, 65_535, 65_536, 200_000])
      await Promise.all(Array.from({ length: 20 }, () => download(size)));
  });
}

const ITEMS = 8;
