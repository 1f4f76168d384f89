import { bytes, createTransport, defineProtocol, serve } from '@trunkline/transport-core';
import { direct } from '@trunkline/transport-inmem';

const echo = defineProtocol({
  name: 'echo',
  methods: { echo: { request: bytes, response: bytes } },
});
const net = direct();
const [a, b] = ['inmem://a', 'inmem://b'].map((address) =>
  createTransport(address, { protocol: echo, backends: [net] }),
);
net.connect('a', 'b');
serve(b!, { echo: (request) => request });
await b!.listen();

console.log(await a!.send('inmem://b', 'echo', new Uint8Array([1, 2, 3])));
net.disconnect('a', 'b'); // until connect
await a!.send('inmem://b', 'echo', new Uint8Array(1)).catch(({ code }) => console.log(code));
await Promise.all([a!.close(), b!.close()]);
