import {
  type CallRecord,
  createTransport,
  defineProtocol,
  inmem,
  json,
  type Observer,
  serve,
} from 'trunkline';
import { z } from 'zod';

const greeter = defineProtocol({
  name: 'greeter',
  version: 1,
  channel: 0x20,
  methods: { greet: { id: 1, request: json(z.string()), response: json(z.string()) } },
});

// Adds each call to a bucket of its duration. Nothing is allocated for a call.
class Durations implements Observer {
  static readonly bounds = [1, 10, 100, 1_000]; // milliseconds
  readonly counts = new Uint32Array(Durations.bounds.length + 1);
  active = 0;
  failed = 0;

  handlerStarted(): void {
    this.active++;
  }

  handlerEnded({ duration, code }: CallRecord): void {
    this.active--;
    if (code !== undefined) this.failed++;
    let bucket = 0;
    while (duration > Durations.bounds[bucket]!) bucket++;
    this.counts[bucket]!++;
  }
}

const backends = [inmem()];
const observer = new Durations();
const server = createTransport('inmem://greeter', { protocol: greeter, backends, observer });
serve(server, {
  greet: (name) => {
    if (name === '') throw new Error('nobody to greet');
    return `Hello, ${name}!`;
  },
});
await server.listen();

const client = createTransport({ protocol: greeter, backends });
console.log(await client.send('inmem://greeter', 'greet', 'Ada'));
await client.send('inmem://greeter', 'greet', '').catch((error) => console.log(error.code));
const total = observer.counts.reduce((sum, count) => sum + count);
console.log(`${total} calls, ${observer.failed} failed, ${observer.active} active`);
await client.close();
await server.close();
