// The NATS connections of one layer, one for each list of servers.

import type { ConnectionOptions } from '@nats-io/nats-core';
import { type Clock, type Observer, TransportError } from '@trunkline/transport-core';
import { type ConnectToNats, NatsClient } from './nats-client.ts';
import { natsError } from './nats-errors.ts';

export class NatsClients {
  readonly #connect: ConnectToNats;
  readonly #options: ConnectionOptions;
  readonly #maxPending: number;
  readonly #clock: Clock;
  readonly #observer: Observer | undefined;
  readonly #clients = new Map<string, Entry>();
  /** Other servers of a cluster, by the list of servers through which they became known. */
  readonly #known = new Map<string, readonly string[]>();

  /** @param options user, password and other options of the NATS client, without servers. */
  constructor(
    connect: ConnectToNats,
    options: ConnectionOptions,
    maxPending: number,
    clock: Clock,
    observer?: Observer | undefined,
  ) {
    this.#connect = connect;
    this.#options = options;
    this.#maxPending = maxPending;
    this.#clock = clock;
    this.#observer = observer;
  }

  /** Returns the client for these servers; connects if there is none, or if it was lost. */
  get(servers: readonly string[]): Promise<NatsClient> {
    const key = servers.join(',');
    const entry = this.#clients.get(key);
    if (entry !== undefined) return entry.opening;
    if (this.#clients.size >= MOST_CLIENTS)
      return Promise.reject(
        new TransportError(
          'resource_exhausted',
          `Cannot connect to the NATS server ${key}: this transport is connected to ${MOST_CLIENTS} others already; set 'servers' to use only your own`,
          { target: key },
        ),
      );
    const opening = this.#open(key, servers);
    const made: Entry = { opening, client: undefined };
    this.#clients.set(key, made);
    const forget = () => {
      if (this.#clients.get(key) === made) this.#clients.delete(key);
    };
    opening.then((client) => {
      made.client = client;
      const { server } = client;
      this.#observer?.event?.({ type: 'broker', state: 'connected', server });
      client.onLost((error) => {
        forget();
        if (error !== undefined)
          this.#observer?.event?.({ type: 'broker', state: 'lost', server, error });
      });
    }, forget);
    return opening;
  }

  /**
   * Closes each client when its last connection has ended. Resolves when the clients without
   * connections are closed.
   */
  async close(): Promise<void> {
    const entries = [...this.#clients.values()];
    this.#clients.clear();
    await Promise.all(
      entries.map(({ opening, client }) => {
        if (client === undefined)
          return void opening.then(
            (late) => late.retire(),
            () => {},
          );
        client.retire();
        return client.isIdle ? client.ended : undefined;
      }),
    );
  }

  async #open(key: string, servers: readonly string[]): Promise<NatsClient> {
    const others = (this.#known.get(key) ?? []).filter((server) => !servers.includes(server));
    try {
      const connection = await this.#connect({
        ...this.#options,
        servers: [...servers, ...others],
        reconnect: false,
        noAsyncTraces: true,
      });
      const client = new NatsClient(connection, this.#maxPending, this.#clock);
      // Certificates name hosts, and a server reports only the addresses of the cluster's other
      // servers.
      if (this.#options.tls == null) this.#known.set(key, client.known);
      return client;
    } catch (error) {
      throw natsError(error, 'connect', key);
    }
  }
}

/** A client that is being opened, or is open. */
interface Entry {
  readonly opening: Promise<NatsClient>;
  client: NatsClient | undefined;
}

/** The maximum number of NATS systems to which one layer is connected at a time. */
const MOST_CLIENTS = 16;
