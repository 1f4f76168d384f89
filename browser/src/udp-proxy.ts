// A UDP proxy before the sockets of WebRTC, which loses the network: while it is cut, it drops each
// packet, and nothing is closed.

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

export class UdpProxy {
  /** Bound sockets that stand for no port yet. */
  readonly #free: Socket[] = [];
  readonly #sockets: Socket[] = [];
  #isCut = false;

  private constructor() {}

  /** @param ports the number of ports that `through` can be called for. */
  static async start(ports: number): Promise<UdpProxy> {
    const proxy = new UdpProxy();
    for (let i = 0; i < ports; i++) {
      const socket = proxy.#create().bind(0, '0.0.0.0');
      await once(socket, 'listening');
      proxy.#free.push(socket);
    }
    return proxy;
  }

  /** Returns the port of the proxy from which packets go to this port of 127.0.0.1. */
  through(port: number): number {
    const front = this.#free.pop();
    if (front === undefined) throw new Error('start the proxy with more ports');
    const clients = new Map<string, Socket>();
    front.on('message', (packet, from) => {
      const client = `${from.address}:${from.port}`;
      let onward = clients.get(client);
      if (onward === undefined) {
        onward = this.#create().bind(0, '127.0.0.1');
        onward.on('message', (answer) => {
          if (!this.#isCut) front.send(answer, from.port, from.address);
        });
        clients.set(client, onward);
      }
      if (!this.#isCut) onward.send(packet, port, '127.0.0.1');
    });
    return front.address().port;
  }

  cut(): void {
    this.#isCut = true;
  }

  mend(): void {
    this.#isCut = false;
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
  }

  #create(): Socket {
    const socket = createSocket('udp4');
    socket.on('error', () => {}); // a packet that can't be sent is lost
    this.#sockets.push(socket);
    return socket;
  }
}
