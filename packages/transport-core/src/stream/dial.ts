// Dialer resolves an address, dials it and completes the hello. If there are several addresses, it
// tries one after another.

import { reasonError, TransportError, withDetails, withoutStack } from '../errors.ts';
import type { Connection, ConnectionHost } from './connection.ts';
import { askResolve, nodeOf, orderAddresses } from './membership.ts';
import type { DialedName, Members, NameWatch } from './names.ts';
import type { StreamConnection } from './stream-layer.ts';

/** The parts that are common to the dials of all addresses of a target. */
interface AddressDial {
  readonly target: string;
  readonly nodeId: string | undefined;
  readonly signal: AbortSignal;
  readonly watch: NameWatch | undefined;
  /** The IP addresses of the target's host, if they are known. */
  readonly addresses?: readonly string[] | undefined;
}

/** Dials targets for the pool. */
export class Dialer {
  readonly #transport: ConnectionHost;
  readonly #members: Members;

  constructor(transport: ConnectionHost, members: Members) {
    this.#transport = transport;
    this.#members = members;
  }

  /** Connects and completes the hello; see `Open` of the pool. */
  async open(
    target: string,
    address: string,
    nodeId: string | undefined,
    signal: AbortSignal,
    name?: DialedName,
  ): Promise<Connection> {
    const { config, membership, random } = this.#transport;
    const full = this.#transport.full();
    if (full !== undefined) throw withDetails(full, { target });
    const dial = { target, nodeId, signal, watch: name?.watch };
    if (name !== undefined) {
      const { watch, inUse } = name;
      return this.#tryAll(await watch.order(config.dialTimeout, signal, inUse), dial);
    }
    const { resolve } = config;
    const found =
      typeof resolve !== 'function' || nodeOf(target) !== undefined
        ? address
        : await askResolve(resolve, target, nodeId === undefined ? address : target, address);
    signal.throwIfAborted();
    if (typeof found === 'string')
      return this.#connect(found, {
        ...dial,
        addresses: found === address ? membership?.addressesOf?.(target) : undefined,
      });
    return this.#tryAll(orderAddresses(found, random), dial);
  }

  /** Dials one address after another until one answers. */
  async #tryAll(addresses: readonly string[], dial: AddressDial): Promise<Connection> {
    const { target, signal, watch } = dial;
    let last: TransportError | undefined;
    for (const address of addresses) {
      signal.throwIfAborted();
      const full = this.#transport.full();
      if (full !== undefined) throw withDetails(full, { target });
      try {
        return await this.#connect(address, dial);
      } catch (error) {
        signal.throwIfAborted();
        last = error as TransportError;
        watch?.distrust();
      }
    }
    throw last === undefined ? noAddresses(target) : allFailed(target, addresses, last);
  }

  /** Connects to one address, or to the node that it names. */
  async #connect(address: string, dial: AddressDial): Promise<Connection> {
    const { target, nodeId, signal, watch, addresses } = dial;
    const named = nodeOf(address);
    if (named !== undefined) {
      const connection = await this.#members.reach(named, target, signal, watch === undefined);
      watch?.reached(connection, address);
      return connection;
    }
    const { config, layer } = this.#transport;
    try {
      const stream = await layer.dial(address, {
        timeout: config.dialTimeout,
        signal,
        nodeId,
        addresses,
      });
      if (signal.aborted) stream.destroy();
      signal.throwIfAborted();
      return await this.#greet(stream, address, dial);
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
    { target, nodeId: expected, signal, watch }: AddressDial,
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
      watch?.reached(connection, address);
      const onAbort = () =>
        ticker.run(() => connection.break(reasonError('closed', 'the dialer gave up')));
      signal.addEventListener('abort', onAbort, { once: true });
      ticker.run(() => connection.start());
    });
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

function noAddresses(target: string): TransportError {
  return reasonError('no_addresses', `Cannot connect to ${target}: it has no addresses now`, {
    target,
    sent: false,
  });
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
