// The relay of a hub as a StreamLayer, whose addresses are node ids. Its streams are not secured:
// `createHubSignal` puts stream-noise around it.

import {
  type Clock,
  type Remote,
  type Rpc,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';
import {
  type DialOptions,
  isNodeId,
  type StreamConnection,
  type StreamLayer,
} from '@trunkline/transport-core/backend';
import { nobodyThere, withDeadline } from './deadline.ts';
import { nextItem } from './hub-link.ts';
import type { SignalingProtocol } from './protocol.ts';
import { RelayConnection } from './relay-connection.ts';

const EMPTY = new Uint8Array(0);

/**
 * Dials and accepts streams over the hub. It accepts them while the signal listens, because the hub
 * opens none to other nodes. A second `listen` replaces the receiver of the first.
 */
export class RelayLayer implements StreamLayer {
  readonly clock: Clock;
  readonly #address: string;
  readonly #transport: Transport<SignalingProtocol>;
  readonly #link: { reach(): Promise<Remote> };
  #accept: ((connection: StreamConnection) => void) | undefined;

  constructor(
    address: string,
    transport: Transport<SignalingProtocol>,
    link: { reach(): Promise<Remote> },
  ) {
    this.clock = transport.clock;
    this.#address = address;
    this.#transport = transport;
    this.#link = link;
  }

  async listen(accept: (connection: StreamConnection) => void): Promise<void> {
    this.#accept = accept;
  }

  async dial(target: string, { timeout, signal }: DialOptions): Promise<StreamConnection> {
    this.checkAddress(target);
    const pending = new PendingStream();
    try {
      return await withDeadline({ clock: this.clock, timeout, signal, target }, async (ending) => {
        const remote = await this.#link.reach();
        ending.throwIfAborted();
        const items = await this.#transport.send(
          remote,
          'relay',
          { to: target },
          {
            upload: pending.outgoing(),
            signal: AbortSignal.any([ending, pending.destroyed.signal]),
            timeout: Number.POSITIVE_INFINITY,
          },
        );
        const call = items[Symbol.asyncIterator]();
        await nextItem(call);
        return pending.open(target, call, this.clock);
      });
    } catch (error) {
      throw nobodyThere(error, target);
    }
  }

  checkAddress(address: string): void {
    if (!isNodeId(address))
      throw new TransportError(
        'invalid_argument',
        `'${address}' is not a node id, which a relay dials`,
      );
  }

  localAddr(): string {
    return this.#address;
  }

  advertiseAddr(): string {
    return this.#address;
  }

  async close(): Promise<void> {
    this.#accept = undefined;
  }

  /** Serves a stream that another node opens. */
  async *serve(rpc: Rpc<SignalingProtocol, 'relayed'>): AsyncGenerator<Uint8Array> {
    const accept = this.#accept;
    if (accept === undefined)
      throw new TransportError('not_found', `node '${this.#address}' accepts no relayed streams`);
    yield EMPTY;
    const connection = new RelayConnection(
      rpc.request.from,
      rpc.upload[Symbol.asyncIterator](),
      this.clock,
      (error) => void rpc.fail(error),
    );
    accept(connection);
    yield* connection.outgoing();
  }
}

/** A dialed stream, whose bytes are requested before the other node accepts it. */
class PendingStream {
  readonly destroyed = new AbortController();
  #accepted: (connection: RelayConnection) => void = () => {};
  readonly #connection = new Promise<RelayConnection>((resolve) => {
    this.#accepted = resolve;
  });

  async *outgoing(): AsyncGenerator<Uint8Array> {
    yield* (await this.#connection).outgoing();
  }

  open(peer: string, call: AsyncIterator<Uint8Array>, clock: Clock): RelayConnection {
    const connection = new RelayConnection(peer, call, clock, (error) =>
      this.destroyed.abort(error),
    );
    this.#accepted(connection);
    return connection;
  }
}
