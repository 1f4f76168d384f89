import fastify from 'fastify';
import { createTransport, defineProtocol, json, serve, ws } from 'trunkline';
import { z } from 'zod';

const chat = defineProtocol({
  name: 'chat',
  methods: { say: { request: json(z.string()), response: json(z.string()) } },
});

const app = fastify();
app.get('/api/time', async () => ({ year: 2026 }));
await app.listen({ port: 0, host: '127.0.0.1' });

const transport = createTransport('ws://server/rpc', {
  protocol: chat,
  backends: [ws({ server: app.server })],
});
serve(transport, { say: (text) => `heard: ${text}` });
await transport.listen();

const { port } = app.server.address() as { port: number };
console.log(await (await fetch(`http://127.0.0.1:${port}/api/time`)).json());
const page = createTransport({ protocol: chat });
console.log(await page.send(`ws://127.0.0.1:${port}/rpc`, 'say', 'hello'));

await page.close();
await transport.close({ grace: 1_000 }); // first the calls, which leaves the server open
await app.close();
