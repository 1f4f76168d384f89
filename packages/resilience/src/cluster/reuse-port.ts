// Finds out whether several listeners on this machine can share a port, by trying it.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';

/** Returns true if two listeners can share a port. Node 20 ignores the option, so they can't. */
export async function canSharePorts(): Promise<boolean> {
  const servers: Server[] = [];
  const listen = async (port: number) => {
    const server = createServer((socket) => socket.destroy());
    servers.push(server);
    // The types of Node 20 lack the option.
    const place: object = { host: '127.0.0.1', port, reusePort: true };
    server.listen(place);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  try {
    await listen(await listen(0));
    return true;
  } catch {
    return false;
  } finally {
    for (const server of servers) server.close();
  }
}
