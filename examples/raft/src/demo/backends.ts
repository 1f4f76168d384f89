// The three ways to carry the same protocol. This is all of the demo that knows them apart.

import type { Transport } from '@trunkline/transport-core';
import { connectAll, createInmemTransport } from '@trunkline/transport-inmem';
import { createTcpTransport } from '@trunkline/transport-tcp';
import { createWsTransport } from '@trunkline/transport-ws';
import { raftProtocol as protocol, type RaftProtocol } from '../protocol.ts';

/** Opens a listening transport, at a free address or at one that an earlier transport had. */
export type Open = (addr?: string) => Promise<Transport<RaftProtocol>>;

export const BACKENDS: Readonly<Record<string, () => Open>> = {
  inmem: () => {
    const reachable = new Map<string, ReturnType<typeof createInmemTransport<RaftProtocol>>>();
    return async (addr) => {
      const transport = createInmemTransport({ protocol, addr });
      await transport.listen();
      reachable.set(transport.localAddr(), transport);
      connectAll(...reachable.values());
      return transport;
    };
  },
  tcp: () => (addr) => listening(createTcpTransport({ protocol, bindAddr: addr ?? '127.0.0.1:0' })),
  ws: () => (addr) => listening(createWsTransport({ protocol, bindAddr: addr === undefined ? '127.0.0.1:0' : new URL(addr).host })),
};

async function listening(transport: Transport<RaftProtocol>): Promise<Transport<RaftProtocol>> {
  try {
    await transport.listen();
    return transport;
  } catch (error) {
    await transport.close();
    throw error;
  }
}
