import {
  createTransport,
  defineProtocol,
  inmem,
  json,
  type ServerInterceptor,
  serve,
  TransportError,
} from 'trunkline';
import { z } from 'zod';

const greeter = defineProtocol({
  name: 'greeter',
  version: 1,
  channel: 0x20,
  methods: { greet: { id: 1, request: json(z.string()), response: json(z.string()) } },
});

// A codec checks the shape of a request. This checks what depends on more than the request.
const known = new Set(['Ada']);
const validation: ServerInterceptor = (next) => (call) => {
  if (call.method === 'greet' && !known.has(call.request as string))
    throw new TransportError('invalid_argument', `${call.request} is not a member`);
  return next(call);
};

const backends = [inmem()];
const server = createTransport('inmem://greeter', { protocol: greeter, backends });
serve(server, { greet: (name) => `Hello, ${name}!` }, { interceptors: [validation] });
await server.listen();
const client = createTransport({ protocol: greeter, backends });
for (const name of ['Ada', 'Bob'])
  console.log(await client.send('inmem://greeter', 'greet', name).catch((error) => error.message));
await client.close();
await server.close();
