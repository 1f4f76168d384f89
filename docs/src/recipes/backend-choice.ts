import { createTransport, defineProtocol, inmem, json, serve, tcp, ws } from 'trunkline';
import { z } from 'zod';

const greeter = defineProtocol({
  name: 'greeter',
  version: 1,
  channel: 0x20,
  methods: { greet: { id: 1, request: json(z.string()), response: json(z.string()) } },
});
const backends = [inmem(), tcp(), ws()];

/** The address alone selects the backend, so it can come from the configuration. */
async function startServer(addresses: string) {
  const server = createTransport(addresses.split(','), { protocol: greeter, backends });
  serve(server, { greet: (name) => `Hello, ${name}!` });
  await server.listen();
  return server;
}

const server = await startServer(
  process.env['ADDRESSES'] ?? 'inmem://greeter,tcp://127.0.0.1:0,ws://127.0.0.1:0/rpc',
);
const client = createTransport({ protocol: greeter, backends });
for (const address of server.localAddrs()) {
  const scheme = new URL(address).protocol;
  console.log(scheme, await client.send(address, 'greet', 'Ada'));
}
await client.close();
await server.close();
