// Trunkline with default options and its JSON codec, over TCP, mutual TLS and Noise.

import { createNoiseStreamLayer } from '@trunkline/security/noise';
import { createTransport, defineProtocol, json, serve } from '@trunkline/transport-core';
import { NetworkTransport } from '@trunkline/transport-core/backend';
import { tcp } from '@trunkline/transport-tcp';
import { createTcpStreamLayer } from '@trunkline/transport-tcp/layer';
import { identityOf, type Role, tlsOf } from '../secure/nodes.ts';
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
  channel: 0x20,
  methods: {
    echo: { id: 1, request: small, response: small },
    place: { id: 2, request: order, response: order },
    list: { id: 3, request: page, response: orders },
    items: { id: 4, request: page, download: small },
  },
});
const OPTIONS = { protocol, maxPool: 1 } as const;

async function open(role: Role, carrier: Carrier) {
  if (carrier === 'Noise') {
    const identity = identityOf(role);
    const stream = createNoiseStreamLayer(createTcpStreamLayer(), { identity });
    return new NetworkTransport({ ...OPTIONS, stream });
  }
  const backend = carrier === 'TLS' ? tcp({ tls: await tlsOf(role) }) : tcp();
  return createTransport('tcp://127.0.0.1:0', { ...OPTIONS, backends: [backend] });
}

export const trunkline: Library = {
  async serve(carrier) {
    const transport = await open('server', carrier);
    serve(transport, {
      ...service,
      async *items(request) {
        yield* service.items(request);
      },
    });
    await transport.listen();
    return transport.localAddr();
  },

  async connect(carrier, address) {
    const transport = await open('client', carrier);
    await transport.dial(address);
    return {
      echo: (request) => transport.send(address, 'echo', request),
      place: (request) => transport.send(address, 'place', request),
      list: (request) => transport.send(address, 'list', request),
      async items(request, take) {
        for await (const item of await transport.send(address, 'items', request)) take(item);
      },
    };
  },
};
