// A backend over Unix domain sockets: 'unix:///run/app.sock'.

import { connect, createServer, type Server } from 'node:net';
import { type Backend, TransportError } from '@trunkline/transport-core';
import {
  type BackendLayerOptions,
  type DialOptions,
  PendingDials,
  type StreamConnection,
  type StreamLayer,
  socketError,
} from '@trunkline/transport-core/backend';
import { UnixConnection } from './unix-connection.ts';

export function unix(): Backend {
  return { schemes: ['unix'], layer: (options) => new UnixLayer(options) };
}

class UnixLayer implements StreamLayer {
  readonly #options: BackendLayerOptions;
  #server: Server | undefined;
  readonly #dials: PendingDials;

  constructor(options: BackendLayerOptions) {
    this.#options = options;
    this.#dials = new PendingDials(options.clock);
  }

  async listen(accept: (connection: StreamConnection) => void): Promise<void> {
    const path = this.#path();
    if (this.#server !== undefined)
      throw new TransportError(
        'failed_precondition',
        `Already listening at ${path}: close() first`,
      );
    const server = createServer({ allowHalfOpen: true }, (socket) =>
      accept(new UnixConnection(socket, `a client of ${path}`, this.#options.clock)),
    );
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.on('close', resolve); // closed before it listened
      server.on('error', (error) => {
        this.#server = undefined;
        reject(socketError(error, 'listen', path));
      });
      server.listen(path, resolve);
    });
  }

  dial(address: string, options: DialOptions): Promise<StreamConnection> {
    return this.#dials.open(address, options, ({ connected, failed }) => {
      const path = pathOf(address);
      const socket = connect({ path, allowHalfOpen: true });
      const onError = (error: Error & { code?: string }) =>
        // Without a listener there is no file either.
        failed(
          socketError(error.code === 'ENOENT' ? { code: 'ECONNREFUSED' } : error, 'dial', address),
        );
      socket.once('error', onError).once('connect', () => {
        socket.off('error', onError);
        connected(new UnixConnection(socket, path, this.#options.clock));
      });
      return () => socket.destroy();
    });
  }

  localAddr(): string {
    if (this.#server === undefined)
      throw new TransportError('failed_precondition', 'Not listening yet: await listen() first');
    return this.#path();
  }

  advertiseAddr(): string {
    return this.#options.advertiseAddr ?? this.localAddr();
  }

  async close(): Promise<void> {
    this.#dials.close();
    this.#server?.close();
    this.#server = undefined;
  }

  #path(): string {
    return pathOf(this.#options.bindAddr ?? '');
  }
}

function pathOf(address: string): string {
  const path = /^(?:unix:\/\/)?(\/.+)$/.exec(address)?.[1];
  if (path !== undefined && Buffer.byteLength(path) <= LONGEST_PATH) return path;
  throw new TransportError(
    'invalid_argument',
    `'${address}' is no socket: expected unix:// and an absolute path of at most ${LONGEST_PATH} bytes`,
    { target: address },
  );
}

/** Maximum length of a socket's path on Linux, in bytes. */
const LONGEST_PATH = 107;
