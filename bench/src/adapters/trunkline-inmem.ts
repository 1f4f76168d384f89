// Trunkline in memory, with both ends in one process: over links, and over streams of bytes.

import {
  type Backend,
  type CommonOptions,
  createTransport,
  type Transport,
} from '@trunkline/transport-core';
import { direct, inmem } from '@trunkline/transport-inmem';
import { answer } from '../messages.ts';
import { type Adapter, type Adapters, type Caller, inOneProcess } from './adapter.ts';
import { byHandlers, callerOf, type First, OPTIONS } from './trunkline.ts';

export const adapters: Adapters = {
  'trunkline-inmem': overLinks((open) => open({})),
  'trunkline-inmem-streams': inOneProcess(() => between(inmem(), (open) => open({}))),
};

/** Opens a transport, with options in addition to those of all adapters. */
export type Opening = (
  open: (options: CommonOptions) => Promise<Transport<First>>,
) => Promise<Transport<First>>;

/** Calls over links in memory. */
export function overLinks(opening: Opening): Adapter {
  return inOneProcess(() => {
    const net = direct();
    net.connectAll();
    return between(net, opening);
  });
}

/** Serves calls on one of two transports in this process, and returns a caller for the other. */
async function between(backend: Backend, opening: Opening): Promise<Caller> {
  const open = async (options: CommonOptions) =>
    createTransport('inmem://', { ...OPTIONS, ...options, backends: [backend] });
  const [client, server] = [await opening(open), await opening(open)];
  byHandlers(server, answer);
  await server.listen();
  return callerOf(client, server.localAddr(), async () => {
    await client.close();
    await server.close();
  });
}
