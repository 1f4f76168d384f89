// The far end of the line, which serves Trunkline over TCP and WebSocket, and raw sockets:
// `server.js <host>`.

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createTransport, serve } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { ws } from '@trunkline/transport-ws';
import { runCommands } from '../commands.ts';
import { items, protocol } from './protocol.ts';
import { serveRaw } from './raw.ts';

const host = process.argv[2]!;
const transports = [
  createTransport(`tcp://${host}:0`, { protocol, backends: [tcp()] }),
  createTransport(`ws://${host}:0`, { protocol, backends: [ws()] }),
] as const;
for (const transport of transports) {
  serve(transport, {
    upload: async (_, { upload }) => {
      let size = 0;
      for await (const item of upload) size += item.length;
      return size;
    },
    download: (size) => items(size),
    put: ({ length }) => length,
    get: (size) => new Uint8Array(size),
  });
  await transport.listen();
}
const raw = serveRaw().listen(0, host);
await once(raw, 'listening');
const [overTcp, overWs] = transports.map((transport) => transport.advertiseAddr()!);
const addresses = { host, raw: (raw.address() as AddressInfo).port, tcp: overTcp!, ws: overWs! };

const commands = { addresses: () => addresses };
export type ServerCommands = typeof commands;

runCommands(commands, () => {
  raw.close();
  for (const transport of transports) void transport.close();
});
