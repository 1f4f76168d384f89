import { bytes, createTransport, defineProtocol, json, serve } from 'trunkline';
import { z } from 'zod';

const term = z.int();
const Vote = z.object({ term, candidate: z.string() });
const raft = defineProtocol({
  name: 'raft',
  methods: {
    requestVote: { request: json(Vote), response: json(z.boolean()), timeout: 500 },
    installSnapshot: { request: json(term), upload: bytes, response: json(z.int()) },
  },
});

const follower = createTransport('tcp://127.0.0.1:0', { protocol: raft });
serve(follower, {
  requestVote: (request) => request.term > 1,
  async installSnapshot(_term, { upload }) {
    let size = 0;
    for await (const chunk of upload) size += chunk.length;
    return size;
  },
});
await follower.listen();

const leader = createTransport({ protocol: raft });
const target = follower.localAddr();
console.log(await leader.send(target, 'requestVote', { term: 2, candidate: 'a' }));
async function* snapshot() {
  for (let sent = 0; sent < 4; sent++) yield new Uint8Array(64 * 1024);
}
console.log(await leader.send(target, 'installSnapshot', 2, { upload: snapshot() }), 'bytes');
await leader.close();
await follower.close();
