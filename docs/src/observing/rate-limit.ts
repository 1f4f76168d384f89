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

/** Lets each node make `burst` calls at once, and `rate` a second after that. */
function rateLimit(rate: number, burst: number, now = () => performance.now()): ServerInterceptor {
  const callers = new Map<string | Remote, { tokens: number; at: number }>();
  return (next) => (call) => {
    const caller = call.from.nodeId ?? call.from; // a proven id: over all its connections
    const at = now();
    const last = callers.get(caller) ?? { tokens: burst, at };
    const tokens = Math.min(burst, last.tokens + ((at - last.at) / 1_000) * rate);
    if (tokens < 1) throw new TransportError('resource_exhausted', 'too many calls of this node');
    callers.delete(caller);
    callers.set(caller, { tokens: tokens - 1, at });
    if (callers.size > 10_000) callers.delete(callers.keys().next().value!); // the least recent
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
