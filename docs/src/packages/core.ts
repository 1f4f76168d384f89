import {
  bytes,
  createTransport,
  defineProtocol,
  empty,
  json,
  serve,
} from '@trunkline/transport-core';
import { inmem } from '@trunkline/transport-inmem';
import { z } from 'zod';

const Range = z.object({ from: z.int(), to: z.int() });
const numbers = defineProtocol({
  name: 'numbers',
  methods: {
    add: { request: json(z.array(z.number())), response: json(z.number()), timeout: 5_000 }, // request and response
    note: { request: bytes }, // one-way
    sum: { request: json(z.string()), upload: json(z.number()), response: json(z.number()) }, // the caller streams
    count: { request: json(Range), download: json(z.number()) }, // the callee streams
    double: {
      request: empty,
      upload: json(z.number()),
      download: json(z.number()),
    }, // both stream
  },
});

const backends = [inmem()];
const server = createTransport('inmem://numbers', { protocol: numbers, backends });
serve(server, {
  add: (terms) => terms.reduce((sum, term) => sum + term, 0),
  note: (text) => console.log(`noted ${text.length} bytes`),
  async sum(_name, { upload }) {
    let sum = 0;
    for await (const number of upload) sum += number;
    return sum;
  },
  async *count({ from, to }) {
    for (let number = from; number < to; number++) yield number;
  },
  async double(_request, rpc) {
    for await (const number of rpc.upload) await rpc.write(2 * number);
  },
});
await server.listen();

const client = createTransport({ protocol: numbers, backends });
const there = client.to('inmem://numbers');
async function* odd() {
  yield* [1, 3, 5];
}
await there.note(new Uint8Array(3));
console.log(await there.add([1, 2, 3], { timeout: 3_000, metadata: { tenant: 'a' } }));
console.log(await there.sum('odd', { upload: odd() }));
for await (const number of there.count({ from: 0, to: 1_000_000 })) if (number === 3) break; // leaving the loop cancels the call
for await (const number of there.double(undefined, { upload: odd() })) console.log(number);
await client.close();
await server.close();
