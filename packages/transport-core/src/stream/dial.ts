// Dialer resolves an address, dials it and completes the hello. If there are several addresses, it
// tries one after another.

import { reasonError, TransportError, withDetails, withoutStack } from '../errors.ts';
import type { ResolveFunction } from '../resolver.ts';
import { errorText } from '../text.ts';
import type { Connection, ConnectionHost } from './connection.ts';
import { type ListedAddress, nodeOf, orderAddresses, readAddresses } from './membership.ts';
import type { Names } from './names.ts';
import type { PoolEntry } from './pool.ts';
import type { StreamConnection } from './stream-layer.ts';

/** Dials targets for the pool. */
export class Dialer {
  readonly #transport: ConnectionHost;
  readonly #names: Names;

  constructor(transport: ConnectionHost, names: Names) {
    this.#transport = transport;
    this.#names = names;
  }

  /** Connects and completes the hello; see `Pool.open`. */
  async open(entry: PoolEntry, signal: AbortSignal): Promise<Connection> {
    const { target, address, watch } = entry;
    const { config, random } = this.#transport;
    this.#refuseIfFull(target);
    if (watch !== undefined) {
      const order = await watch.order(config.dialTimeout, signal, entry.connections[0]);
      return this.#tryAll(order, entry, signal);
    }
    const { resolve } = config;
    const found =
      typeof resolve !== 'function' || nodeOf(target) !== undefined
        ? address
        : await askResolve(resolve, entry);
    signal.throwIfAborted();
    if (typeof found === 'string') return this.#connect(found, entry, signal);
    return this.#tryAll(orderAddresses(found, random), entry, signal);
  }

  #refuseIfFull(target: string): void {
    const full = this.#transport.full();
    if (full !== undefined) throw withDetails(full, { target });
  }

  /** Dials one address after another until one answers. */
  async #tryAll(
    addresses: readonly string[],
    entry: PoolEntry,
    signal: AbortSignal,
  ): Promise<Connection> {
    const { target, watch } = entry;
    let last: TransportError | undefined;
    for (const address of addresses) {
      signal.throwIfAborted();
      this.#refuseIfFull(target);
      try {
        return await this.#connect(address, entry, signal);
      } catch (error) {
        signal.throwIfAborted();
        last = error as TransportError;
        watch?.distrust();
      }
    }
    if (last !== undefined) throw allFailed(target, addresses, last);
    const message = `Cannot connect to ${target}: it has no addresses now`;
    throw reasonError('no_addresses', message, { target, sent: false });
  }

  /** Connects to one address, or to the node that it names. */
  async #connect(address: string, entry: PoolEntry, signal: AbortSignal): Promise<Connection> {
    const { target, nodeId, watch } = entry;
    const named = nodeOf(address);
    if (named !== undefined) {
      const connection = await this.#names.reach(named, target, signal, watch === undefined);
      watch?.reached(connection, address);
      return connection;
    }
    const { config, layer, membership } = this.#transport;
    // A membership may know the IP addresses of the host that the caller names.
    const addresses = address === entry.address ? membership?.addressesOf?.(target) : undefined;
    try {
      const options = { timeout: config.dialTimeout, signal, nodeId, addresses };
      const stream = await layer.dial(address, options);
      if (signal.aborted) stream.destroy();
      signal.throwIfAborted();
      return await this.#greet(stream, address, entry, signal);
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof TransportError
        ? withoutStack(error, { unreachable: error.unreachable ?? !isOwn(error) })
        : error;
    }
  }

  /** Starts a connection and waits until it is up. */
  #greet(
    stream: StreamConnection,
    address: string,
    { target, nodeId: expected, watch }: PoolEntry,
    signal: AbortSignal,
  ): Promise<Connection> {
    const { ticker } = this.#transport;
    return new Promise((resolve, reject) => {
      const connection = this.#transport.add(stream, {
        direction: 'out',
        target,
        expected,
        opened: (error) => {
          signal.removeEventListener('abort', onAbort);
          if (error === undefined) resolve(connection);
          else reject(error);
        },
      });
      watch?.reached(connection, address);
      const onAbort = () =>
        ticker.run(() => connection.session.break(reasonError('closed', 'the dialer gave up')));
      signal.addEventListener('abort', onAbort, { once: true });
      ticker.run(() => connection.start());
    });
  }
}

/**
 * Calls the user's function that resolves the address of a target. Returns the address to dial, or
 * a list of addresses.
 */
async function askResolve(
  resolve: ResolveFunction,
  { target, address, nodeId }: PoolEntry,
): Promise<string | readonly ListedAddress[]> {
  try {
    const result = (await resolve(address)) ?? address;
    return typeof result === 'string' ? result : readAddresses(result);
  } catch (error) {
    if (error instanceof TransportError) throw error;
    const shown = nodeId === undefined ? address : target;
    const text = `the 'resolve' option failed for '${shown}': ${errorText(error)}`;
    throw reasonError('host_not_found', text, { target, cause: error });
  }
}

/**
 * Returns true if this end is the cause of a failed dial: it has no room or no file descriptor for
 * a connection, or its own certificate has expired.
 */
function isOwn({ code, reason, origin }: TransportError): boolean {
  return origin === 'remote'
    ? reason === 'expired_certificate'
    : code === 'shutdown' || (code === 'resource_exhausted' && (reason ?? 'full') === 'full');
}

/** Returns the error of the last address, with all addresses that were tried. */
function allFailed(
  target: string,
  addresses: readonly string[],
  last: TransportError,
): TransportError {
  const shown = addresses.slice(0, SHOWN).join(', ');
  const more = addresses.length > SHOWN ? ` and ${addresses.length - SHOWN} more` : '';
  const message = `Cannot connect to ${target}: tried ${shown}${more}; the last error: ${last.message}`;
  return withDetails(last, { target, sent: false, cause: last }, message);
}

/** The maximum number of addresses that an error lists. */
const SHOWN = 8;
