import {
  createTransport,
  defineProtocol,
  inmem,
  json,
  type Remote,
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

/** Lets each peer make `burst` calls at once, and `rate` a second after that. */
function rateLimit(rate: number, burst: number, now = () => performance.now()): ServerInterceptor {
  const peers = new WeakMap<Remote, { tokens: number; at: number }>();
  return (next) => (call) => {
    const at = now();
    const last = peers.get(call.from) ?? { tokens: burst, at };
    const tokens = Math.min(burst, last.tokens + ((at - last.at) / 1_000) * rate);
    if (tokens < 1) throw new TransportError('resource_exhausted', 'too many calls of this peer');
    peers.set(call.from, { tokens: tokens - 1, at });
    return next(call);
  };
}

const backends = [inmem()];
const server = createTransport('inmem://greeter', {
  protocol: greeter,
  backends,
  interceptors: { server: [rateLimit(0.001, 2)] },
});
serve(server, { greet: (name) => `Hello, ${name}!` });
await server.listen();
const client = createTransport({ protocol: greeter, backends });
for (const name of ['Ada', 'Bob', 'Eve'])
  console.log(await client.send('inmem://greeter', 'greet', name).catch((error) => error.code));
await client.close();
await server.close();
