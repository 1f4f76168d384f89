// Trunkline over TCP as its users have it: default deadlines and limits, one connection, plain bytes.

import { bytes, defineProtocol, serve, type Transport } from '@trunkline/transport-core';
import { createTcpTransport } from '@trunkline/transport-tcp';
import type { Adapter } from './adapter.ts';

const first = defineProtocol({ name: 'bench', version: 1, channel: 0x20, methods: { answer: { id: 1, request: bytes, response: bytes } } });
const second = defineProtocol({ name: 'bench-elsewhere', version: 1, channel: 0x21, methods: { answer: { id: 1, request: bytes, response: bytes } } });

export const trunklineTcp: Adapter = {
  name: 'trunkline-tcp',

  async serve(answer) {
    const transport = open();
    serve(transport, { answer });
    serve(transport.mount(second), { answer });
    await transport.listen();
    return { address: transport.localAddr(), close: () => transport.close() };
  },

  async connect(address) {
    const transport = open();
    const elsewhere = transport.mount(second);
    await transport.dial(address);
    return {
      call: (request) => transport.send(address, 'answer', request),
      callElsewhere: (request) => elsewhere.send(address, 'answer', request),
      close: () => transport.close(),
    };
  },
};

function open(): Transport<typeof first> {
  return createTcpTransport({ protocol: first, maxPool: 1 });
}
