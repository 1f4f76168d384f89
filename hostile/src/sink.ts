// The sink of controls: a process that reads what it is sent, and keeps nothing.

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { serveCommands } from './parent-channel.ts';

export interface SinkReport {
  readonly port: number;
}

const server = createServer((socket) => socket.on('error', () => {}).resume());
serveCommands<object, SinkReport>(
  async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return { port: (server.address() as AddressInfo).port };
  },
  () => server.close(),
);
