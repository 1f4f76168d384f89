import { createTransport, defineProtocol, json, serve } from 'trunkline';
import { createPeers } from 'trunkline/peers';
import { z } from 'zod';

const jobs = defineProtocol({
  name: 'jobs',
  methods: {
    work: { request: json(z.string()), download: json(z.int()) },
    done: { request: json(z.object({ job: z.int(), result: z.int() })) },
  },
});

async function scheduler(seeds: string[], todo: number[]) {
  const transport = createTransport('tcp://127.0.0.1:0', { protocol: jobs });
  const peers = createPeers({ transport, seeds });
  let left = todo.length;
  let finish = () => {};
  const finished = new Promise<void>((resolve) => (finish = resolve));
  serve(transport, {
    async *work() {
      for (let job = todo.shift(); job !== undefined; job = todo.shift()) yield job;
    },
    done({ job, result }) {
      console.log(`${job} squared is ${result}`);
      if (--left === 0) finish();
    },
  });
  await transport.listen();
  await peers.start();
  return { transport, peers, finished };
}

const one = await scheduler([], [2, 3]);
const two = await scheduler([one.transport.advertiseAddr()], []);
await two.peers.ready();

// A worker is a client, not a peer.
const worker = createTransport({ protocol: jobs });
const at = one.transport.advertiseAddr();
for await (const job of worker.send(at, 'work', 'worker 1')) {
  await worker.send(at, 'done', { job, result: job * job });
}
await one.finished;

await worker.close();
for (const { peers, transport } of [one, two]) {
  await peers.close();
  await transport.close();
}
