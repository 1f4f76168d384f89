// The nodes of the tests in Node: a server, and a hub over which pages and servers find each other.

import { EventEmitter, on } from 'node:events';
import {
  type ConnectionEvent,
  createTransport,
  type Remote,
  serve,
  type Transport,
} from '@trunkline/transport-core';
import { createSignalHub, signalingProtocol } from '@trunkline/transport-webrtc/signaling';
import { ws } from '@trunkline/transport-ws';
import type { ExecutionContext } from 'ava';
import type { lines } from './lines.ts';

/** A call of `wait`. */
export interface Waiting {
  readonly from: Remote;
  readonly signal: AbortSignal;
}

/** A server that remembers the calls of `wait`, and what happened to its connections. */
export class TestServer {
  readonly transport: Transport<typeof lines>;
  readonly #calls = new EventEmitter();
  readonly #waiting = on(this.#calls, 'wait');
  readonly #connections: AsyncIterator<ConnectionEvent>;

  private constructor(transport: Transport<typeof lines>) {
    this.transport = transport;
    this.#connections = transport.connections();
    serve(transport, {
      echo: (request) => request,
      wait: (_request, { from, signal }) => {
        this.#calls.emit('wait', { from, signal });
        return new Promise(() => {});
      },
    });
  }

  /** Serves and listens; the transport is closed after the test. */
  static async listen(
    t: ExecutionContext,
    transport: Transport<typeof lines>,
  ): Promise<TestServer> {
    const server = new TestServer(transport);
    t.teardown(() => transport.close());
    await transport.listen();
    return server;
  }

  get address(): string {
    return this.transport.localAddr();
  }

  /** Resolves with the next call of `wait`. */
  async waiting(): Promise<Waiting> {
    const { value } = await this.#waiting.next();
    return value[0];
  }

  /** Resolves when the next connection comes up or goes down. */
  async next(type: ConnectionEvent['type']): Promise<void> {
    for (;;) {
      const { value } = await this.#connections.next();
      if (value.type === type) return;
    }
  }
}

/** Starts a hub on WebSocket, and returns its address. */
export async function startHub(t: ExecutionContext): Promise<string> {
  const transport = createTransport('ws://127.0.0.1:0', {
    protocol: signalingProtocol,
    backends: [ws()],
  });
  createSignalHub({ transport });
  t.teardown(() => transport.close());
  await transport.listen();
  return transport.localAddr();
}
