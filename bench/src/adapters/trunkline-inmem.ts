// Trunkline in memory, with both ends in one process: over links, and over streams of bytes.

import { type Backend, createTransport, type Transport } from '@trunkline/transport-core';
import { direct, inmem } from '@trunkline/transport-inmem';
import { answer } from '../messages.ts';
import { type Adapters, type Caller, inOneProcess } from './adapter.ts';
import { byHandlers, callerOf, type First, OPTIONS } from './trunkline.ts';

export const adapters: Adapters = {
  'trunkline-inmem': inOneProcess(async () => {
    const net = direct();
    net.connectAll();
    return over(net);
  }),
  'trunkline-inmem-streams': inOneProcess(async () => over(inmem())),
};

function over(backend: Backend): Promise<Caller> {
  const open = () => createTransport('inmem://', { ...OPTIONS, backends: [backend] });
  return between(open(), open());
}

/** Serves calls on one of two transports in this process, and returns a caller for the other. */
export async function between(client: Transport<First>, server: Transport<First>): Promise<Caller> {
  byHandlers(server, answer);
  await server.listen();
  return callerOf(client, server.localAddr(), async () => {
    await client.close();
    await server.close();
  });
}
