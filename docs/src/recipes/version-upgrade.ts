import { createTransport, defineProtocol, json, serve, tcp } from 'trunkline';
import { z } from 'zod';

const Name = z.string();
const users1 = defineProtocol({
  name: 'users',
  methods: { find: { request: json(Name), response: json(z.string()) } },
});
// Version 2 adds a method and keeps the old one, with its name and its meaning.
const users2 = defineProtocol({
  name: 'users',
  version: 2,
  accepts: [1, 2],
  methods: {
    ...users1.methods,
    profile: {
      request: json(Name),
      response: json(z.object({ name: Name, city: z.string() })),
    },
  },
});
// Version 3 no longer speaks to version 1.
const users3 = defineProtocol({ ...users2, version: 3, accepts: [2, 3] });

const backends = [tcp()];
for (const protocol of [users2, users3]) {
  const server = createTransport('tcp://127.0.0.1:0', { protocol, backends });
  serve(server, {
    find: (name) => `${name} of Turin`,
    profile: (name) => ({ name, city: 'Turin' }),
  });
  await server.listen();
  const at = server.advertiseAddr();
  for (const old of [users1, users2]) {
    const client = createTransport({ protocol: old, backends });
    const found = await client
      .to(at)
      .find('Ada')
      .catch(({ reason }) => reason);
    console.log(`a client of version ${old.version} at version ${protocol.version}: ${found}`);
    await client.close();
  }
  await server.close();
}

// While nodes are replaced one by one, a caller of version 2 meets servers of version 1, too.
const before = createTransport('tcp://127.0.0.1:0', { protocol: users1, backends });
serve(before, { find: (name) => `${name} of Turin` });
await before.listen();
const caller = createTransport({ protocol: users2, backends });
const server = caller.to(before.advertiseAddr());
console.log(`find at a server of version 1: ${await server.find('Ada')}`);
const { code } = await server.profile('Ada').catch((error) => error);
console.log(`profile at a server of version 1: ${code}`);
await caller.close();
await before.close();
