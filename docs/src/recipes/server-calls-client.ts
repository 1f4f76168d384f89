import { createTransport, defineProtocol, json, type Remote, serve, tcp } from 'trunkline';
import { z } from 'zod';

const text = json(z.string());
const notices = defineProtocol({
  name: 'notices',
  version: 1,
  channel: 0x20,
  methods: {
    join: { id: 1, request: text, response: json(z.int()) },
    show: { id: 2, request: text, response: json(z.boolean()) },
  },
});
const backends = [tcp()];

const server = createTransport('tcp://127.0.0.1:0', { protocol: notices, backends });
const members = new Map<string, Remote>();
serve(server, {
  join(name, { from }) {
    members.set(name, from); // the connection of the caller, which is a target of calls
    return members.size;
  },
});
await server.listen();

const client = createTransport({ protocol: notices, backends }); // does not listen
serve(client, {
  show(notice) {
    console.log(`Ada reads: ${notice}`);
    return true;
  },
});
const release = client.hold(server.advertiseAddr()); // keeps the connection, and dials it again
console.log(await client.send(server.advertiseAddr(), 'join', 'Ada'), 'member');

for (const [name, remote] of members) {
  const isShown = await server.send(remote, 'show', 'tea is ready').catch(() => false);
  if (!isShown) members.delete(name); // gone: it joins again when it is back
}
release();
await client.close();
await server.close();
