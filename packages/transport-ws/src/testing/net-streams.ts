// The plain bytes below a WebSocket: a stream layer over node:net, for tests that eavesdrop, tamper
// or impersonate.

import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { TransportError } from '@trunkline/transport-core';
import {
  parseHostPort,
  reasonError,
  type StreamConnection,
  type StreamLayer,
  type StreamSink,
} from '@trunkline/transport-core/backend';

export function createNetStreamLayer(): StreamLayer {
  let server: Server | undefined;
  const localAddr = () => `127.0.0.1:${(server!.address() as AddressInfo).port}`;
  return {
    async listen(accept) {
      const listening = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
        accept(new NetConnection(socket)),
      );
      server = listening;
      await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    },
    dial(address): Promise<StreamConnection> {
      const { host, port } = parseHostPort(address)!;
      return new Promise((resolve, reject) => {
        const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
        const onError = (error: Error) =>
          reject(reasonError('reset', String(error), { target: address, cause: error }));
        socket.once('error', onError);
        socket.once('connect', () => {
          socket.off('error', onError);
          resolve(new NetConnection(socket));
        });
      });
    },
    localAddr,
    advertiseAddr: localAddr,
    close: async () => void server?.close(),
  };
}

class NetConnection implements StreamConnection {
  readonly endpoint: string;
  readonly #socket: Socket;
  #error: TransportError | undefined;
  #ended = false;

  constructor(socket: Socket) {
    this.endpoint = `${socket.remoteAddress}:${socket.remotePort}`;
    this.#socket = socket;
    socket.on(
      'error',
      (error) =>
        (this.#error = new TransportError('unavailable', String(error), { reason: 'reset' })),
    );
    socket.on('end', () => {
      this.#ended = true;
      socket.end();
    });
  }

  attach(sink: StreamSink): void {
    this.#socket.on('data', (chunk) => sink.data(new Uint8Array(chunk)));
    this.#socket.on('drain', () => sink.drained());
    this.#socket.on('close', () =>
      sink.closed(
        this.#error ??
          (this.#ended
            ? undefined
            : new TransportError('unavailable', 'cut off', { reason: 'reset' })),
      ),
    );
  }

  write(chunk: Uint8Array): boolean {
    return this.#socket.destroyed || this.#socket.writableEnded || this.#socket.write(chunk);
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.resetAndDestroy();
  }
}
