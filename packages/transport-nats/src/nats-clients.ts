// The NATS connections of one layer, one for each list of servers.

import type { ConnectionOptions } from '@nats-io/nats-core';
import { type Clock, type ObserverEvent, TransportError } from '@trunkline/transport-core';
import { type ConnectToNats, NatsClient } from './nats-client.ts';
import { natsError } from './nats-errors.ts';

export class NatsClients {
  readonly #connect: ConnectToNats;
  readonly #options: ConnectionOptions;
  readonly #maxPending: number;
  readonly #clock: Clock;
  readonly #tell: (event: ObserverEvent) => void;
  readonly #moved: (old: NatsClient) => void;
  readonly #clients = new Map<string, Entry>();
  /**
   * The last client that was lost or left, for each of the last `MOST_CLIENTS` lists of servers,
   * oldest first. The next one takes over its `known` servers and its farewells.
   */
  readonly #last = new Map<string, NatsClient>();

  /**
   * @param options user, password and other options of the NATS client, without servers.
   * @param moved is called when the server of a client shuts down, once `get` returns another
   * client in its place.
   */
  constructor(
    connect: ConnectToNats,
    options: ConnectionOptions,
    maxPending: number,
    clock: Clock,
    tell: (event: ObserverEvent) => void,
    moved: (old: NatsClient) => void,
  ) {
    this.#connect = connect;
    this.#options = options;
    this.#maxPending = maxPending;
    this.#clock = clock;
    this.#tell = tell;
    this.#moved = moved;
  }

  /**
   * Returns the client for these servers; connects if there is none, or if it was lost. If there
   * are too many, one without subscriptions is closed first; if all have some, it rejects with
   * `resource_exhausted`. Rejects with a TransportError if it can't connect.
   */
  get(servers: readonly string[]): Promise<NatsClient> {
    const key = servers.join(',');
    const entry = this.#clients.get(key);
    if (entry !== undefined) return entry.opening;
    for (const [other, { client }] of this.#clients) {
      if (this.#clients.size < MOST_CLIENTS) break;
      if (client?.isIdle && this.#clients.delete(other)) client.retire();
    }
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
    opening.then(
      (client) => this.#opened(key, servers, made, client),
      () => this.#forget(key, made),
    );
    return opening;
  }

  #opened(key: string, servers: readonly string[], entry: Entry, client: NatsClient): void {
    entry.client = client;
    const { server } = client;
    this.#tell({ type: 'broker', state: 'connected', server });
    client.onLost((error) => {
      this.#forget(key, entry);
      // A client that this end has closed says nothing about the servers' next client.
      if (error === undefined) this.#last.delete(key);
      else this.#tell({ type: 'broker', state: 'lost', server, error });
    });
    client.onLeaving(() => void this.#replace(key, servers, entry));
  }

  #forget(key: string, entry: Entry): void {
    if (entry.client !== undefined) this.#remember(key, entry.client);
    if (this.#clients.get(key) === entry) this.#clients.delete(key);
  }

  #remember(key: string, client: NatsClient): void {
    this.#last.delete(key);
    this.#last.set(key, client);
    const [oldest] = this.#last.keys();
    if (this.#last.size > MOST_CLIENTS) this.#last.delete(oldest!);
  }

  /** Opens another client in the place of one whose server shuts down; tries until that is lost. */
  async #replace(key: string, servers: readonly string[], entry: Entry): Promise<void> {
    if (entry.isLeaving) return;
    entry.isLeaving = true;
    this.#remember(key, entry.client!);
    for (let delay = FIRST_DELAY; this.#clients.get(key) === entry; delay *= 2) {
      try {
        const client = await this.#open(key, servers);
        if (this.#clients.get(key) !== entry) return client.retire();
        const next: Entry = { opening: Promise.resolve(client), client };
        this.#clients.set(key, next);
        this.#opened(key, servers, next, client);
        return this.#moved(entry.client!);
      } catch {
        await this.#clock.sleep(Math.min(delay, LAST_DELAY));
      }
    }
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
    const last = this.#last.get(key);
    // Certificates name hosts, and a server reports only the addresses of the cluster's other
    // servers.
    const known = this.#options.tls == null ? (last?.known ?? []) : [];
    const others = known.filter((server) => !servers.includes(server));
    try {
      const connection = await this.#connect({
        ...this.#options,
        servers: [...servers, ...others],
        reconnect: false,
        noAsyncTraces: true,
      });
      const client = new NatsClient(connection, this.#maxPending, this.#clock);
      const { tooSmall } = client;
      if (tooSmall !== undefined) {
        void client.close();
        throw tooSmall;
      }
      if (last !== undefined) client.takeLeaveFor(last);
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
  /** True once the server has announced that it shuts down. */
  isLeaving?: boolean;
}

/** The back-off in milliseconds; it doubles from the first to the last delay. */
const FIRST_DELAY = 5;
const LAST_DELAY = 1_000;
/** The maximum number of clients at a time; those that were left or retired do not count. */
const MOST_CLIENTS = 16;
