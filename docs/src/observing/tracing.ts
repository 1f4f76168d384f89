import { tracingChannel } from 'node:diagnostics_channel';
import { type CallRecord, createTransport, defineProtocol, json, serve, tcp } from 'trunkline';
import { z } from 'zod';

const greeter = defineProtocol({
  name: 'greeter',
  version: 1,
  channel: 0x20,
  methods: { greet: { id: 1, request: json(z.string()), response: json(z.string()) } },
});

tracingChannel('trunkline:call').asyncEnd.subscribe((message) => {
  const { protocol, method, code = 'ok', bytesReceived } = message as CallRecord;
  console.log(`${protocol}/${method}: ${code}, ${bytesReceived} bytes received`);
});

const backends = [tcp()];
const server = createTransport('tcp://127.0.0.1:0', { protocol: greeter, backends });
serve(server, { greet: (name) => `Hello, ${name}!` });
await server.listen();
const client = createTransport({ protocol: greeter, backends });
await client.send(server.advertiseAddr(), 'greet', 'Ada');
await client.close();
await server.close();
