// Trunkline as its users have it: default deadlines and limits, one connection, plain bytes. What carries it is the adapter's.

import { bytes, defineProtocol, serve, type Transport } from '@trunkline/transport-core';
import type { Role } from '../secure/nodes.ts';
import type { Adapter } from './adapter.ts';

const first = defineProtocol({ name: 'bench', version: 1, channel: 0x20, methods: { answer: { id: 1, request: bytes, response: bytes } } });
const second = defineProtocol({ name: 'bench-elsewhere', version: 1, channel: 0x21, methods: { answer: { id: 1, request: bytes, response: bytes } } });

/** What an adapter opens its transport with. */
export const OPTIONS = { protocol: first, maxPool: 1 } as const;

export function trunkline(name: string, open: (role: Role) => Promise<Transport<typeof first>>): Adapter {
  return {
    name,

    async serve(answer) {
      const transport = await open('server');
      serve(transport, { answer });
      serve(transport.mount(second), { answer });
      await transport.listen();
      return { address: transport.localAddr(), close: () => transport.close() };
    },

    async connect(address) {
      const transport = await open('client');
      const elsewhere = transport.mount(second);
      await transport.dial(address);
      return {
        call: (request) => transport.send(address, 'answer', request),
        callElsewhere: (request) => elsewhere.send(address, 'answer', request),
        close: () => transport.close(),
      };
    },
  };
}
