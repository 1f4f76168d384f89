// A minimal client of the NATS protocol that publishes and subscribes
// (docs.nats.io/reference/reference-protocols/nats-protocol): lines of text, followed by payloads.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export class NatsClient {
  readonly #socket: Socket;
  readonly #received: (message: Uint8Array) => void;
  /** Received bytes that are not yet a whole line or payload. */
  #rest: Buffer = Buffer.alloc(0);
  /** Resolves the wait for the answer to the last PING. */
  #ponged: (() => void) | undefined;

  private constructor(socket: Socket, received: (message: Uint8Array) => void) {
    this.#socket = socket;
    this.#received = received;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  /** @param address such as '127.0.0.1:4222'. */
  static async connect(
    address: string,
    received: (message: Uint8Array) => void,
  ): Promise<NatsClient> {
    const at = address.lastIndexOf(':');
    const socket = connect({
      host: address.slice(0, at),
      port: Number(address.slice(at + 1)),
      noDelay: true,
    });
    await once(socket, 'connect');
    const client = new NatsClient(socket, received);
    // `echo: false`: the server does not send the client's own messages back.
    socket.write('CONNECT {"verbose":false,"pedantic":false,"echo":false,"protocol":1}\r\n');
    await client.#ping();
    return client;
  }

  /** The number of bytes sent and received. */
  get bytes(): number {
    return this.#socket.bytesWritten + this.#socket.bytesRead;
  }

  /** Subscribes, and resolves once the server has the subscription. */
  subscribe(subject: string): Promise<void> {
    this.#socket.write(`SUB ${subject} 1\r\n`);
    return this.#ping();
  }

  publish(subject: string, message: Uint8Array): void {
    if (this.#socket.writableCorked === 0) {
      this.#socket.cork();
      process.nextTick(() => this.#socket.uncork());
    }
    this.#socket.write(`PUB ${subject} ${message.length}\r\n`);
    this.#socket.write(message);
    this.#socket.write('\r\n');
  }

  async close(): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.end();
    this.#socket.destroySoon();
    await closed;
  }

  #ping(): Promise<void> {
    this.#socket.write('PING\r\n');
    return new Promise((resolve) => {
      this.#ponged = resolve;
    });
  }

  #take(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    for (;;) {
      const end = bytes.indexOf('\r\n', at);
      if (end < 0) break;
      const line = bytes.toString('latin1', at, end);
      const payload = end + 2;
      if (line.startsWith('MSG ')) {
        const size = Number(line.slice(line.lastIndexOf(' ') + 1));
        if (payload + size + 2 > bytes.length) break;
        this.#received(bytes.subarray(payload, payload + size));
        at = payload + size + 2;
      } else {
        this.#control(line);
        at = payload;
      }
    }
    this.#rest = bytes.subarray(at);
  }

  #control(line: string): void {
    if (line === 'PING') this.#socket.write('PONG\r\n');
    else if (line === 'PONG') this.#ponged?.();
    else if (line.startsWith('-ERR')) throw new Error(`the NATS server says ${line}`);
  }
}
