import { createHash } from 'node:crypto';
import { bytes, createTransport, defineProtocol, json, serve } from 'trunkline';
import { z } from 'zod';

const Progress = z.object({ received: z.int(), sha256: z.string().optional() });
const files = defineProtocol({
  name: 'files',
  methods: {
    save: { request: json(z.string()), upload: bytes, download: json(Progress) },
  },
});

const server = createTransport('tcp://127.0.0.1:0', { protocol: files });
serve(server, {
  async *save(_name, { upload }) {
    const hash = createHash('sha256');
    let received = 0;
    let reported = 0;
    for await (const chunk of upload) {
      hash.update(chunk); // a real server awaits its disk here, and the sender waits for it
      received += chunk.length;
      if (received - reported < 4_000_000) continue;
      reported = received;
      yield { received };
    }
    yield { received, sha256: hash.digest('hex') };
  },
});
await server.listen();

const SIZE = 10_000_000;
/** Yields a file in chunks, as `createReadStream(path)` does. */
async function* read() {
  for (let at = 0; at < SIZE; at += 250_000) yield new Uint8Array(250_000);
}

const client = createTransport({ protocol: files });
const reports = await client.to(server.advertiseAddr()).save('photo.raw', { upload: read() });
for await (const { received, sha256 } of reports) {
  console.log(`${(100 * received) / SIZE} %`, sha256?.slice(0, 8) ?? '');
}
await client.close();
await server.close();
