import { createTransport, defineProtocol, empty, json, serve } from 'trunkline';
import { multicast } from 'trunkline/resilience';
import { z } from 'zod';

const Entry = z.object({ key: z.string(), value: z.string(), version: z.int() });
const store = defineProtocol({
  name: 'store',
  methods: { write: { request: json(Entry), response: empty, timeout: 2_000 } },
});

async function startReplica() {
  const replica = createTransport('tcp://127.0.0.1:0', { protocol: store });
  const data = new Map<string, z.infer<typeof Entry>>();
  serve(replica, {
    write(entry) {
      if ((data.get(entry.key)?.version ?? 0) < entry.version) data.set(entry.key, entry);
    },
  });
  await replica.listen();
  return replica;
}
const replicas = [await startReplica(), await startReplica(), await startReplica()];
const targets = replicas.map((replica) => replica.advertiseAddr());
const client = createTransport({ protocol: store });

async function write(entry: z.infer<typeof Entry>): Promise<number> {
  let written = 0;
  const answers = multicast(client, targets, 'write', entry, {
    until: 'quorum', // a majority of responses; errors do not count
    rest: 'run', // otherwise open calls are canceled then
  });
  for await (const { error } of answers) if (error === undefined) written++;
  if (written <= targets.length / 2)
    throw new Error(`only ${written} of ${targets.length} have it`);
  return written;
}

await replicas[2]!.close(); // one is down
console.log(await write({ key: 'tea', value: 'green', version: 1 }), 'have it');
await replicas[1]!.close(); // two are down
await write({ key: 'tea', value: 'black', version: 2 }).catch((error) =>
  console.log(error.message),
);
await client.close();
await replicas[0]!.close();
