// A client of a WAMP router as an attacker writes it, from the WAMP specification: JSON over a
// WebSocket by hand.

import type { Socket } from 'node:net';
import { openSocket } from './carriers.ts';
import { upgradeRequest, WebSocketReader, webSocketFrame } from './web-socket-client.ts';
import { text } from './wire.ts';

/** A session with a router, which calls procedures. */
export class HostileWampClient {
  readonly socket: Socket;
  /** The number of calls that were answered with a result, and of those that failed. */
  results = 0;
  errors = 0;
  readonly #reader = new WebSocketReader();
  #wake: () => void = () => {};
  #isJoined = false;
  #lastId = 0;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      for (const payload of this.#reader.push(chunk)) this.#take(payload);
      this.#wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => this.#wake());
  }

  /** Joins the realm `main`. */
  static async join(port: number): Promise<HostileWampClient> {
    const none = { key: '', cert: '' };
    const socket = await openSocket({
      carrier: 'ws',
      host: '127.0.0.1',
      port,
      ...none,
      stranger: none,
    });
    const client = new HostileWampClient(socket);
    socket.write(upgradeRequest('/', { 'Sec-WebSocket-Protocol': 'wamp.2.json' }));
    await client.#until(() => client.#reader.status !== 0);
    client.#send([1, 'main', { roles: { caller: {}, callee: {} } }]);
    await client.#until(() => client.#isJoined);
    return client;
  }

  /** Calls a procedure with any arguments. */
  call(procedure: string, args: readonly unknown[]): void {
    this.#send([48, ++this.#lastId, {}, procedure, args]);
  }

  /** Resolves when so many calls have been answered, or the router has ended the session. */
  async answered(count: number): Promise<void> {
    await this.#until(() => this.results + this.errors >= count);
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition() && !this.socket.destroyed)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
  }

  #send(message: unknown): void {
    this.socket.write(webSocketFrame(text(JSON.stringify(message)), { opcode: 1 }));
  }

  #take(payload: Uint8Array): void {
    const [type] = JSON.parse(new TextDecoder().decode(payload)) as [number];
    if (type === 2) this.#isJoined = true;
    else if (type === 50) this.results++;
    else if (type === 8) this.errors++;
  }
}
