// Trunkline with its JSON codec, on a channel of the transports that all benchmarks open.

import { defineProtocol, json, serve } from '@trunkline/transport-core';
import { OPEN } from '../adapters/trunkline.ts';
import type { Role } from '../secure/nodes.ts';
import type { Carrier, Library } from './library.ts';
import { SCHEMAS, service } from './work.ts';

const small = json(SCHEMAS.small);
const order = json(SCHEMAS.order);
const page = json(SCHEMAS.page);
/** The list has more values than the default limit allows. */
const orders = json(SCHEMAS.orders, { values: 1_000_000 });

const protocol = defineProtocol({
  name: 'bench-real',
  version: 1,
  channel: 0x22,
  methods: {
    echo: { id: 1, request: small, response: small },
    place: { id: 2, request: order, response: order },
    list: { id: 3, request: page, response: orders },
    items: { id: 4, request: page, download: small },
  },
});

async function open(role: Role, carrier: Carrier) {
  const transport = await OPEN[carrier.toLowerCase() as 'tcp' | 'tls' | 'noise'](role);
  return { transport, mount: transport.mount(protocol), close: () => transport.close() };
}

export const library: Library = {
  async serve(carrier) {
    const { transport, mount, close } = await open('server', carrier);
    serve(mount, {
      ...service,
      async *items(request) {
        yield* service.items(request);
      },
    });
    await transport.listen();
    return { address: transport.localAddr(), close };
  },

  async connect(carrier, address) {
    const { transport, mount, close } = await open('client', carrier);
    await transport.dial(address);
    return {
      echo: (request) => mount.send(address, 'echo', request),
      place: (request) => mount.send(address, 'place', request),
      list: (request) => mount.send(address, 'list', request),
      async items(request, take) {
        for await (const item of await mount.send(address, 'items', request)) take(item);
      },
      close,
    };
  },
};
