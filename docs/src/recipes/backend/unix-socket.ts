// A backend over Unix domain sockets: 'unix:///run/app.sock'.

import { connect, createServer, type Server } from 'node:net';
import { type Backend, TransportError } from '@trunkline/transport-core';
import {
  type BackendLayerOptions,
  type DialOptions,
  reasonError,
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
  readonly #dials = new Set<(error: TransportError) => void>();

  constructor(options: BackendLayerOptions) {
    this.#options = options;
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

  dial(address: string, { timeout, signal }: DialOptions): Promise<StreamConnection> {
    return new Promise((resolve, reject) => {
      const path = pathOf(address);
      if (signal?.aborted) return reject(signal.reason);
      const { clock } = this.#options;
      const socket = connect({ path, allowHalfOpen: true });
      const settle = () => {
        clock.clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.#dials.delete(fail);
      };
      const fail = (error: unknown) => {
        settle();
        socket.destroy();
        reject(error);
      };
      const onAbort = () => fail(signal?.reason);
      const late = `Cannot connect to ${address}: no answer within ${timeout} ms (dialTimeout)`;
      const timer = clock.setTimeout(() => fail(reasonError('dial_timeout', late)), timeout);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#dials.add(fail);
      const onError = (error: Error & { code?: string }) =>
        // Without a listener there is no file either.
        fail(
          socketError(error.code === 'ENOENT' ? { code: 'ECONNREFUSED' } : error, 'dial', address),
        );
      socket.once('error', onError).once('connect', () => {
        settle();
        socket.off('error', onError);
        resolve(new UnixConnection(socket, path, clock));
      });
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
    const error = new TransportError('shutdown', 'The dial was canceled: the layer was closed');
    for (const fail of [...this.#dials]) fail(error);
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
