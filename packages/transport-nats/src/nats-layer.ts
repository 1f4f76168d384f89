// The NATS stream layer: listens under a name, and dials names.

import {
  type Clock,
  type ObserverEvent,
  type Random,
  systemClock,
  systemRandom,
  TransportError,
} from '@trunkline/transport-core';
import {
  type DialOptions,
  type ListenOptions,
  PendingDials,
  type StreamConnection,
  type StreamLayer,
} from '@trunkline/transport-core/backend';
import { connectToNats } from '#connect';
import { Acceptor } from './nats-acceptor.ts';
import { formatAddress, hostOf, type NatsAddress, parseAddress, Subjects } from './nats-address.ts';
import type { NatsClient } from './nats-client.ts';
import { NatsClients } from './nats-clients.ts';
import { dialByName, type PendingDial, prefixed } from './nats-dial.ts';
import { clientOptions, type NatsStreamLayerOptions, serversOf } from './nats-options.ts';
import { randomId } from './random-id.ts';

type Listening =
  | { readonly state: 'no' }
  | { readonly state: 'starting'; readonly after: 'no' | 'failed' }
  /** `#move` replaces the acceptor. */
  | { readonly state: 'yes'; acceptor: Acceptor }
  /**
   * The listener was stopped, or has failed and the transport is about to call `listen` again. The
   * layer keeps its address.
   */
  | { readonly state: 'failed' };

interface Accepts {
  readonly accept: (connection: StreamConnection) => void;
  readonly failed: ((error: TransportError) => void) | undefined;
  readonly options: Partial<ListenOptions>;
}

export class NatsLayer implements StreamLayer {
  readonly clock: Clock;
  readonly #options: NatsStreamLayerOptions;
  readonly #random: Random;
  readonly #subjects: Subjects;
  readonly #clients: NatsClients;
  /** The servers of the `servers` option, which are used instead of those in addresses. */
  readonly #servers: readonly string[] | undefined;
  /** The address to listen on. */
  readonly #own: NatsAddress;
  /** The beginning of the subjects at which this node receives. */
  readonly #inbox: string;
  #listening: Listening = { state: 'no' };
  /** The acceptor of `stopListening`, whose dials may still be confirmed until `close`. */
  #stopped: Acceptor | undefined;
  /** The arguments of the last call to `listen`. */
  #accepts: Accepts | undefined;
  readonly #dials: PendingDials;

  /** @param options were checked in nats.ts. */
  constructor(options: NatsStreamLayerOptions) {
    this.#options = options;
    this.clock = options.clock ?? systemClock;
    this.#dials = new PendingDials(this.clock);
    this.#random = options.random ?? systemRandom;
    const {
      prefix = 'trunkline',
      network = 'default',
      bindAddr,
      maxPending = MAX_PENDING,
    } = options;
    this.#subjects = new Subjects(prefix, network);
    this.#servers = serversOf(options);
    const given = bindAddr === undefined ? undefined : parseAddress(bindAddr, 'listen at');
    this.#own = {
      server: given?.server ?? hostOf(this.#servers?.[0] ?? DEFAULT_SERVER),
      name: given?.name ?? options.node ?? randomId(this.#random),
    };
    this.#inbox = this.#subjects.inbox(options.node ?? this.#own.name);
    this.#clients = new NatsClients(
      connectToNats,
      clientOptions(options),
      maxPending,
      this.clock,
      (event) => this.#tell(event),
      (old) => void this.#move(old),
    );
  }

  async listen(
    accept: (connection: StreamConnection) => void,
    failed?: (error: TransportError) => void,
    options: Partial<ListenOptions> = {},
  ): Promise<void> {
    const { state } = this.#listening;
    if (state === 'starting' || state === 'yes')
      throw new TransportError(
        'failed_precondition',
        `Already listening at ${this.#address}: close() first`,
      );
    const starting: Listening = { state: 'starting', after: state };
    this.#listening = starting;
    this.#accepts = { accept, failed, options };
    let acceptor: Acceptor | undefined;
    let refusal: TransportError | undefined;
    try {
      const client = await this.#client();
      if (this.#listening !== starting) throw closedMeanwhile();
      acceptor = this.#acceptor(client, (error) => (refusal = error));
      await client.flush();
      if (refusal !== undefined) throw refusal;
      if (this.#listening !== starting) throw closedMeanwhile();
      this.#listening = { state: 'yes', acceptor };
      if (client.isRetired) void this.#move(client);
    } catch (error) {
      acceptor?.close();
      if (this.#listening === starting) this.#listening = { state };
      throw cannotListen(this.#address, error);
    }
  }

  /** Returns the client over which this node listens. */
  #client(): Promise<NatsClient> {
    return this.#clients.get(this.#servers ?? [this.#own.server]);
  }

  /**
   * Listens over a client. Call it after `listen` has set `#accepts`.
   *
   * @param refused is called if the acceptor fails, also after this node listens.
   */
  #acceptor(client: NatsClient, refused: (error: TransportError) => void): Acceptor {
    const { accept, failed, options } = this.#accepts!;
    const acceptor: Acceptor = new Acceptor({
      client,
      subjects: this.#subjects,
      name: this.#own.name,
      inbox: this.#inbox,
      clock: this.clock,
      random: this.#random,
      listen: options,
      accept,
      failed: (error) => {
        const refusal = cannotListen(this.#address, error);
        refused(refusal);
        if (this.#listening.state !== 'yes' || this.#listening.acceptor !== acceptor) return;
        this.#listening = { state: 'failed' };
        failed?.(refusal);
      },
      acceptFailed: (error) => this.#tell({ type: 'acceptFailed', error }),
    });
    return acceptor;
  }

  /**
   * Leaves a client whose server shuts down. If this node listens over it, it first listens over
   * its successor, which `NatsClients.get` already returns. Never rejects.
   */
  async #move(old: NatsClient): Promise<void> {
    const text = `the NATS server ${old.server} shuts down (lame duck mode)`;
    const error = new TransportError('unavailable', `${text}; this node moves to another server`, {
      target: old.server,
    });
    this.#tell({ type: 'broker', state: 'warning', server: old.server, error });
    const listening = this.#listening;
    if (listening.state === 'yes' && listening.acceptor.client === old) {
      const before = listening.acceptor;
      try {
        const client = await this.#client();
        if (this.#listening === listening) {
          listening.acceptor = this.#acceptor(client, () => {});
          await client.flush();
          await this.clock.sleep(OVERLAP);
        }
      } catch {
        // The successor is lost, so the listener has failed, too, and listens again.
      }
      before.retire();
      void this.clock.sleep(OVERLAP).then(() => before.close());
    }
    old.leave(text);
  }

  #tell(event: ObserverEvent): void {
    try {
      this.#options.observer?.event?.(event);
    } catch {
      // An observer must not throw; its errors are ignored.
    }
  }

  stopListening(): void {
    const listening = this.#listening;
    // The pending `listen` then rejects.
    if (listening.state === 'starting') this.#listening = { state: listening.after };
    if (listening.state !== 'yes') return;
    this.#stopped = listening.acceptor;
    this.#stopped.retire();
    this.#listening = { state: 'failed' };
  }

  dial(address: string, options: DialOptions): Promise<StreamConnection> {
    let step = 'connecting to the NATS server';
    return this.#dials.open(
      address,
      options,
      ({ connected, failed, wanted }) => {
        const target = parseAddress(address, 'dial');
        let dial: PendingDial | undefined;
        let attempts = 0;
        const begin = (client: NatsClient) => {
          if (!wanted()) return;
          step = 'waiting for the node';
          dial = dialByName(
            {
              client,
              subjects: this.#subjects,
              inbox: this.#inbox,
              address,
              name: target.name,
              clock: this.clock,
              random: this.#random,
            },
            (result) => {
              // The node may be lost, or has stopped: another one may listen under the name.
              const isLate = result instanceof TransportError && result.reason === 'closed';
              if (result === undefined || (isLate && ++attempts < ATTEMPTS)) return begin(client);
              if (result instanceof TransportError) failed(result);
              else connected(result);
            },
          );
        };
        this.#clients
          .get(this.#servers ?? [target.server])
          .then(begin, (error: TransportError) => failed(prefixed(address, error)));
        return () => dial?.abandon();
      },
      (limit) => `not connected ${limit}, while ${step}`,
    );
  }

  checkAddress(address: string): void {
    parseAddress(address, 'dial');
  }

  get #address(): string {
    return formatAddress(this.#own);
  }

  localAddr(): string {
    const listening = this.#listening;
    const state = listening.state === 'starting' ? listening.after : listening.state;
    if (state !== 'no') return this.#address;
    throw new TransportError('failed_precondition', 'Not listening yet: await listen() first');
  }

  advertiseAddr(): string {
    return this.#options.advertiseAddr ?? this.localAddr();
  }

  async close(): Promise<void> {
    this.#dials.close();
    if (this.#listening.state === 'yes') this.#listening.acceptor.close();
    this.#stopped?.close();
    this.#listening = { state: 'no' };
    await this.#clients.close();
  }
}

function closedMeanwhile(): TransportError {
  return new TransportError('shutdown', 'Listening was cancelled: the layer was stopped or closed');
}

function cannotListen(address: string, error: unknown): TransportError {
  const { code, reason, message, cause } = error as TransportError;
  if (code === 'shutdown' || message.startsWith('Cannot listen')) return error as TransportError;
  return new TransportError(code, `Cannot listen at ${address}: ${message}`, {
    reason,
    target: address,
    cause,
  });
}

/** The default server, used if neither the options nor the address to listen on name one. */
const DEFAULT_SERVER = '127.0.0.1:4222';
/**
 * The number of nodes that one dial may reach, if each of them has just stopped listening. Repeats
 * because a server was lost do not count.
 */
const ATTEMPTS = 3;
/**
 * The time, in milliseconds, for which a node listens over two servers when it moves, and after
 * that for which answered dials may still be confirmed over the first. The servers of a cluster
 * learn at different times that a name has come or gone.
 */
const OVERLAP = 500;
/** The default of `maxPending`, in bytes: half of a server's default `max_pending`. */
const MAX_PENDING = 32 * 1024 * 1024;
