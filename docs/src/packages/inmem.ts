import { bytes, defineProtocol, serve } from '@trunkline/transport-core';
import { connectAll, createInmemTransport } from '@trunkline/transport-inmem';

const echo = defineProtocol({
  name: 'echo',
  methods: { echo: { request: bytes, response: bytes } },
});
const [a, b] = ['a', 'b'].map((addr) => createInmemTransport({ protocol: echo, addr }));
connectAll(a!, b!);
serve(b!, { echo: (request) => request });
await b!.listen();

console.log(await a!.send('b', 'echo', new Uint8Array([1, 2, 3])));
await a!.disconnect('b'); // the link is gone, until connect
await a!.send('b', 'echo', new Uint8Array(1)).catch((error) => console.log(error.code, error.sent));
await Promise.all([a!.close(), b!.close()]);
