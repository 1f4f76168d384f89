// A TCP proxy before a server, which loses the network: while it is cut, no byte passes, and
// nothing is closed.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class TcpProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** The sockets whose other half broke while the network was lost; they learn it later. */
  readonly #broken = new Set<Socket>();
  #isCut = false;

  private constructor(server: Server, port: number) {
    this.#server = server;
    server.on('connection', (socket) => {
      const onward = connect(port, '127.0.0.1');
      for (const [from, to] of [
        [socket, onward],
        [onward, socket],
      ] as const) {
        this.#sockets.add(from);
        from.on('data', (bytes) => to.write(bytes));
        from.on('end', () => to.end());
        // A paused socket still reads a little, so it can be reset while the network is lost.
        from.on('error', () => (this.#isCut ? this.#broken.add(to) : to.destroy()));
        from.on('close', () => this.#sockets.delete(from));
        if (this.#isCut) from.pause();
      }
    });
  }

  /** @param port the server's port on 127.0.0.1. */
  static async start(port: number): Promise<TcpProxy> {
    const server = createServer();
    const proxy = new TcpProxy(server, port);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.pause();
  }

  mend(): void {
    this.#isCut = false;
    for (const socket of this.#broken) socket.destroy();
    this.#broken.clear();
    for (const socket of this.#sockets) socket.resume();
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
