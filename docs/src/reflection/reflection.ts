import { createReflector, reflectedProtocol, serveReflection } from '@trunkline/admin/reflection';
import {
  bytes,
  createTransport,
  defineProtocol,
  json,
  serve,
  type Transport,
  tcp,
} from 'trunkline';
import { z } from 'zod';

const greeter = defineProtocol({
  name: 'greeter',
  version: 1,
  channel: 0x20,
  doc: 'Greets people.',
  methods: {
    greet: {
      id: 1,
      doc: 'Returns a greeting.',
      request: json(z.object({ name: z.string() })),
      response: json(z.object({ text: z.string() })),
    },
  },
});

const backends = [tcp()];
const server = createTransport('tcp://127.0.0.1:0', { protocol: greeter, backends });
serve(server, { greet: ({ name }) => ({ text: `Hello, ${name}!` }) });
serveReflection(server, { allow: ({ endpoint }) => endpoint.startsWith('127.0.0.1:') });
await server.listen();
const address = server.advertiseAddr();

// A tool does not know the protocols of the server.
const empty = defineProtocol({
  name: 'tool',
  version: 1,
  methods: { none: { id: 1, request: bytes } },
});
const tool = createTransport({ protocol: empty, backends });
const reflector = createReflector(tool);
for (const { name, doc } of await reflector.list(address)) console.log(`${name}: ${doc}`);

const description = await reflector.describe(address, 'greeter');
console.log(JSON.stringify(description.methods[0]?.request.schema));

const mount: Transport = tool.mount(await reflectedProtocol(description));
console.log(await mount.send(address, 'greet', { name: 'Ada' }));
const wrong = mount.send(address, 'greet', { nme: 'Ada' });
console.log(await wrong.catch((error) => error.message));
await tool.close();
await server.close();
