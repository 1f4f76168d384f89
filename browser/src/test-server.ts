// The server of the tests of lost connections, and how they call the functions of their page.

import {
  type ConnectionEvent,
  type Remote,
  serve,
  type Transport,
} from '@trunkline/transport-core';
import type { ExecutionContext } from 'ava';
import type { LinePage, lines } from './lines.ts';

/** Returns a function that calls the globals of a page. */
export function askOf(evaluate: (expression: string) => Promise<unknown>) {
  return <N extends keyof LinePage>(name: N, ...args: Parameters<LinePage[N]>) =>
    evaluate(`${name}(...${JSON.stringify(args)})`) as Promise<Awaited<ReturnType<LinePage[N]>>>;
}

/** A server that remembers the calls of `wait`, and what happened to its connections. */
export class TestServer {
  readonly transport: Transport<typeof lines>;
  readonly #waiting: Waiting[] = [];
  readonly #events: AsyncIterator<ConnectionEvent>;
  #arrived: () => void = () => {};

  private constructor(transport: Transport<typeof lines>) {
    this.transport = transport;
    this.#events = transport.connections();
    serve(transport, {
      echo: (request) => request,
      wait: (_request, { from, signal }) => {
        this.#waiting.push({ from, signal });
        this.#arrived();
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

  /** Resolves with the next call of `wait`. */
  async waiting(): Promise<Waiting> {
    if (this.#waiting.length === 0) await new Promise<void>((resolve) => (this.#arrived = resolve));
    return this.#waiting.shift()!;
  }

  /** Resolves when the next connection comes up or goes down. */
  async next(type: ConnectionEvent['type']): Promise<void> {
    for (;;) {
      const { value } = await this.#events.next();
      if (value.type === type) return;
    }
  }
}

/** A call of `wait`. */
export interface Waiting {
  readonly from: Remote;
  readonly signal: AbortSignal;
}
