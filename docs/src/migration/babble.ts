import { createTransport, defineProtocol, empty, json } from 'trunkline';
import { z } from 'zod';

const Known = z.record(z.string(), z.int());
const Events = z.object({ events: z.array(z.string()) });
const babble = defineProtocol({
  name: 'babble',
  methods: {
    sync: {
      request: json(z.object({ known: Known, limit: z.int() })),
      response: json(Events),
    },
    eagerSync: { request: json(Events), response: json(z.boolean()) },
    fastForward: {
      request: empty,
      response: json(z.object({ snapshot: z.string() })),
    },
    join: { request: json(z.string()), response: json(z.boolean()), timeout: 10_000 },
  },
});

const node = createTransport('tcp://127.0.0.1:0', {
  protocol: babble,
  maxPool: 2,
  timeout: 1_000,
});
await node.listen();

async function consume() {
  for await (const rpc of node.consumer()) {
    switch (rpc.method) {
      case 'sync':
        rpc.respond({ events: ['a', 'b'].slice(0, rpc.request.limit) });
        break;
      case 'eagerSync':
      case 'join':
        rpc.respond(true);
        break;
      case 'fastForward':
        rpc.respond({ snapshot: '' });
    }
  }
}
const consuming = consume();

const other = createTransport({ protocol: babble });
const { events } = await other.send(node.localAddr(), 'sync', { known: {}, limit: 100 });
console.log(events);
await other.close();
await node.close(); // ends the loop
await consuming;
