import { createTransport, defineProtocol, json, serve, TransportError } from 'trunkline';
import { z } from 'zod';

const methods = {
  greet: { request: json(z.string()), response: json(z.string()) },
} as const;
const version1 = defineProtocol({ name: 'greeter', methods });
// Version 2 still serves callers of version 1.
const version2 = defineProtocol({ name: 'greeter', version: 2, accepts: [1, 2], methods });

const server = createTransport('inmem://door', {
  protocol: version2,
  admit(remote) {
    if (remote.hello['token'] !== 'open sesame')
      throw new TransportError('permission_denied', 'the token is wrong');
  },
});
serve(server, { greet: (name, rpc) => `Hello, ${name} of ${rpc.from.hello['tenant']}!` });
await server.listen();

for (const token of ['open sesame', 'let me in']) {
  const client = createTransport({
    protocol: version1,
    hello: { token, tenant: 'accounting' },
  });
  const greeting = await client.send('inmem://door', 'greet', 'Ada').catch((error) => error.code);
  console.log(greeting);
  await client.close();
}
await server.close();
