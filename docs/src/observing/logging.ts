import {
  createTransport,
  defineProtocol,
  inmem,
  json,
  type ServerInterceptor,
  serve,
} from 'trunkline';
import { z } from 'zod';

const greeter = defineProtocol({
  name: 'greeter',
  version: 1,
  channel: 0x20,
  methods: { greet: { id: 1, request: json(z.string()), response: json(z.string()) } },
});

const logging: ServerInterceptor = (next) => async (call) => {
  const name = `${call.protocol}/${call.method}`;
  try {
    const result = await next(call);
    console.log(`${name}: ok`);
    return result;
  } catch (error) {
    console.log(`${name}: ${(error as Error).message}`);
    throw error;
  }
};

const backends = [inmem()];
const server = createTransport('inmem://greeter', {
  protocol: greeter,
  backends,
  interceptors: { server: [logging] },
});
serve(server, {
  greet: (name) => {
    if (name === '') throw new Error('nobody to greet');
    return `Hello, ${name}!`;
  },
});
await server.listen();
const client = createTransport({ protocol: greeter, backends });
for (const name of ['Ada', '']) await client.send('inmem://greeter', 'greet', name).catch(() => {});
await client.close();
await server.close();
