// Calls over several backends while fake timers stand still, and after they were removed.

import {
  type Backend,
  createTransport,
  defineProtocol,
  direct,
  inmem,
  json,
  serve,
  tcp,
  ws,
} from 'trunkline';
import { z } from 'zod';

const math = defineProtocol({
  name: 'math',
  methods: { double: { request: json(z.int()), response: json(z.int()) } },
});

/**
 * Makes calls and closes transports while nobody advances the timers that `install` puts into the
 * globals, and after `remove` has restored the real ones. `install` leaves `process.nextTick` as it
 * is if its argument is true, because Node's own sockets use it. Returns the number of calls.
 */
export async function makeCalls(
  install: (usesSockets: boolean) => void,
  remove: () => void,
): Promise<number> {
  let calls = 0;
  for (const pair of [inmemPair, directPair, tcpPair, wsPair]) {
    const before = await pair();
    install(pair === tcpPair || pair === wsPair);
    const during = await pair();
    calls += await before.call();
    calls += await during.call();
    await (await pair()).close();
    remove();
    calls += await before.call();
    calls += await during.call();
    await before.close();
    await during.close();
  }
  return calls;
}

async function open(backend: Backend, address: string, own?: string) {
  const options = { protocol: math, backends: [backend] };
  const server = createTransport(address, options);
  const client = own === undefined ? createTransport(options) : createTransport(own, options);
  serve(server, { double: (number) => 2 * number });
  await server.listen();
  return {
    call: async () => (await client.send(server.localAddr(), 'double', 21)) / 42,
    close: async () => {
      await client.close();
      await server.close();
    },
  };
}

const inmemPair = () => open(inmem(), 'inmem://math');
const tcpPair = () => open(tcp(), 'tcp://127.0.0.1:0');
const wsPair = () => open(ws(), 'ws://127.0.0.1:0');
function directPair() {
  const net = direct();
  const pair = open(net, 'inmem://math', 'inmem://client');
  net.connectAll();
  return pair;
}
