// The dialing side of a transport: it resolves an address, dials it and completes the hello.

import { reasonError, withDetails } from '../errors.ts';
import type { Connection } from '../stream/connection.ts';
import { nodeOf } from '../stream/membership.ts';
import type { StreamConnection } from '../stream/stream-layer.ts';
import { askResolve } from '../stream/user-hooks.ts';
import type { ConnectionRegistry } from './acceptor.ts';
import type { Members } from './members.ts';

/** Dials targets for the pool. */
export class Dialer {
  readonly #transport: ConnectionRegistry;
  readonly #members: Members;

  constructor(transport: ConnectionRegistry, members: Members) {
    this.#transport = transport;
    this.#members = members;
  }

  /** Connects and completes the hello; see `PoolHost.open`. */
  async open(
    target: string,
    address: string,
    nodeId: string | undefined,
    signal: AbortSignal,
  ): Promise<Connection> {
    const { config, layer } = this.#transport;
    const full = this.#transport.full();
    if (full !== undefined) throw withDetails(full, { target });
    const found =
      config.resolve === undefined || nodeOf(target) !== undefined
        ? address
        : await askResolve(config, target, nodeId === undefined ? address : target, address);
    signal.throwIfAborted();
    const named = nodeOf(found);
    if (named !== undefined) return this.#members.reach(named, target, signal);
    const stream = await layer.dial(found, { timeout: config.dialTimeout, signal, nodeId });
    if (signal.aborted) stream.destroy();
    signal.throwIfAborted();
    return this.#greet(stream, target, nodeId, signal);
  }

  /** Starts a connection and waits until it is up. */
  #greet(
    stream: StreamConnection,
    target: string,
    expected: string | undefined,
    signal: AbortSignal,
  ): Promise<Connection> {
    const { ticker } = this.#transport;
    return new Promise((resolve, reject) => {
      const connection = this.#transport.add(stream, {
        direction: 'out',
        target,
        expected,
        refused: undefined,
        slot: undefined,
        opened: (error) => {
          signal.removeEventListener('abort', onAbort);
          if (error === undefined) resolve(connection);
          else reject(error);
        },
      });
      const onAbort = () =>
        ticker.run(() => connection.break(reasonError('closed', 'the dialer gave up')));
      signal.addEventListener('abort', onAbort, { once: true });
      ticker.run(() => connection.start());
    });
  }
}
