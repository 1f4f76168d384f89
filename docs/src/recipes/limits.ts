import { createTransport, defineProtocol, json, serve, tcp } from 'trunkline';
import { z } from 'zod';

const KiB = 1_024;
const MiB = 1_024 * KiB;
const Note = json(z.string().max(4_000), { limit: 16 * KiB }); // the codec knows the data best
const notes = defineProtocol({
  name: 'notes',
  version: 1,
  channel: 0x20,
  methods: { save: { id: 1, request: Note, response: json(z.int()) } },
});

const backends = [tcp()];
const server = createTransport('tcp://127.0.0.1:0', {
  protocol: notes,
  backends,
  limits: {
    memory: 256 * MiB, // of all messages together: a quarter of what the process may use
    connections: 5_000, // above the number of clients that you expect
    message: 64 * KiB, // just above the longest message of any protocol
    inbound: { calls: 2 }, // waiting for a handler, for each connection
    handshakes: { perSource: 32 }, // above the number of clients behind one router
  },
});
let finish = () => {};
const disk = new Promise<void>((resolve) => (finish = resolve)); // a slow disk
serve(server, { save: (text) => disk.then(() => text.length) }, { concurrency: 1 });
await server.listen();

const client = createTransport({ protocol: notes, backends });
const { save } = client.to(server.advertiseAddr());
const outcome = (call: Promise<number>) => call.catch(({ code }) => code);

console.log(await outcome(save('x'.repeat(20_000)))); // against the schema: it is not even sent
const calls = ['a', 'b', 'c', 'd'].map((text) => outcome(save(text)));
console.log(await Promise.race(calls)); // one is saved, two wait, and the fourth is refused
finish();
console.log(await Promise.all(calls));
await client.close();
await server.close();
