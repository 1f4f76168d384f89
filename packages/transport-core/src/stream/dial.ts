// Dialer finds where a target leads, and dials it: a list of addresses is tried one after another,
// a watched name leads to such a list, and a node is reached over a connection that the membership
// knows. Below is NameWatch: the addresses of one name as the resolver reports them, and the
// address that each connection of the name leads to. The pool watches a name from the first dial of
// a target until it drops the target. pool.names.test.ts and transport-inmem/src/names.test.ts test
// names, pool.test.ts dials, and the package peers nodes.

import { reasonError, TransportError, withDetails, withoutStack } from '../errors.ts';
import {
  isResolver,
  type ResolvedAddress,
  type ResolveFunction,
  type Resolver,
} from '../resolver.ts';
import { errorText, inMs } from '../text.ts';
import { type Connection, type ConnectionHost, connectionOf } from './connection.ts';
import { type ListedAddress, nodeOf, orderAddresses, readAddresses } from './membership.ts';
import type { StreamConnection } from './stream-layer.ts';

/**
 * A target as its dials and its name see it. It is an interface because `PoolEntry`, which
 * implements it, imports this file.
 */
export interface DialTarget {
  /** The target as written, and its parts. */
  readonly target: string;
  readonly address: string;
  readonly nodeId: string | undefined;
  /** The connections that take calls, oldest first. */
  readonly connections: readonly Connection[];
  /** Set while the address is a watched name. */
  readonly watch: NameWatch | undefined;
  /** Called after each valid list of addresses that the resolver reports, even an unchanged one. */
  listChanged(): void;
  /** Stops using a connection. */
  remove(connection: Connection): void;
}

/** A watched name, as a snapshot shows it. */
export interface NameSnapshot {
  /** The name as it is given to the resolver. */
  readonly name: string;
  /** Its current addresses; undefined before the first result. */
  readonly addresses: readonly ResolvedAddress[] | undefined;
  /** The error of the last resolution; undefined if it succeeded. */
  readonly error?: string | undefined;
}

/** Dials the targets of a transport, and bounds the number of names that it watches. */
export class Dialer {
  readonly transport: ConnectionHost;
  /**
   * The connections to peers that drain, by their addresses; those that are over don't count, and
   * are removed by `NameWatch.drains`, the only one that changes the map.
   */
  readonly draining = new Map<string, Connection>();
  /**
   * The names of targets. Those beyond `WATCHES` are here, too, but without a resolver: dials of
   * them fail until the pool has dropped the target.
   */
  readonly watches = new Set<NameWatch>();
  /** The IP addresses at which connections were dialed, if the membership gave them. */
  readonly #addresses = new WeakMap<Connection, readonly string[]>();
  /** Targets that the option `resolve` mapped to a node, as the caller wrote them. */
  readonly #nodes = new Map<string, string>();

  constructor(transport: ConnectionHost) {
    this.transport = transport;
  }

  /**
   * Connects and completes the hello; rejects with a TransportError or the signal's reason. A
   * target has one dial at a time. The connection may have ended when the promise resolves.
   */
  open(entry: DialTarget, signal: AbortSignal): Promise<Connection> {
    return this.transport.reporter.dial(entry.target, () => this.#dial(entry, signal));
  }

  async #dial(entry: DialTarget, signal: AbortSignal): Promise<Connection> {
    const { target, address, watch } = entry;
    const { config, random } = this.transport;
    this.#refuseIfFull(target);
    if (watch !== undefined) return this.#tryAll(await watch.order(signal), entry, signal);
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
    const full = this.transport.full();
    if (full !== undefined) throw withDetails(full, { target });
  }

  /** Dials one address after another until one answers. */
  async #tryAll(
    addresses: readonly string[],
    entry: DialTarget,
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
  async #connect(address: string, entry: DialTarget, signal: AbortSignal): Promise<Connection> {
    const { target, nodeId, watch } = entry;
    const named = nodeOf(address);
    if (named !== undefined) {
      const connection = await this.#reach(named, entry, signal);
      watch?.reached(connection, address);
      return connection;
    }
    const { config, layer, membership } = this.transport;
    // A membership may know the IP addresses of the host that the caller names. They hold for all
    // connections of the target, because another lookup could return addresses that may not be
    // dialed.
    const known = membership?.addressesOf?.(target) ?? this.#addresses.get(entry.connections[0]!);
    const addresses = address === entry.address ? known : undefined;
    try {
      const options = { timeout: config.dialTimeout, signal, nodeId, addresses };
      const stream = await layer.dial(address, options);
      // Another dial may have taken the last place meanwhile.
      if (signal.aborted || this.transport.full() !== undefined) stream.destroy();
      signal.throwIfAborted();
      this.#refuseIfFull(target);
      const connection = await this.#greet(stream, address, entry, signal);
      if (addresses !== undefined) this.#addresses.set(connection, addresses);
      return connection;
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
    { target, watch }: DialTarget,
    signal: AbortSignal,
  ): Promise<Connection> {
    const { ticker } = this.transport;
    return new Promise((resolve, reject) => {
      const connection = this.transport.add(stream, {
        direction: 'out',
        target,
        opened: (error) => {
          signal.removeEventListener('abort', onAbort);
          if (error === undefined) resolve(connection);
          else reject(error);
        },
      });
      // Before it is up: the pool retires a connection whose address it does not find in the list.
      watch?.reached(connection, address);
      const onAbort = () =>
        ticker.run(() => connection.session.break(reasonError('closed', 'the dialer gave up')));
      signal.addEventListener('abort', onAbort, { once: true });
      ticker.run(() => connection.start());
    });
  }

  // Names.

  /** Watches the address of a target if a resolver handles it as a name. */
  watch(target: DialTarget): NameWatch | undefined {
    const { config, membership } = this.transport;
    const resolver = [config.resolve, membership?.resolver].find(
      (one) => isResolver(one) && one.handles(target.address),
    ) as Resolver | undefined;
    if (resolver === undefined) return undefined;
    const isFull = this.watches.size >= WATCHES;
    const watch = new NameWatch(this, target, isFull ? undefined : resolver);
    this.watches.add(watch);
    return watch;
  }

  /** The watched names with their addresses. */
  get names(): NameSnapshot[] {
    return [...this.watches].map(({ name, addresses, error }) => ({
      name,
      addresses,
      ...(error !== undefined && { error: error.message }),
    }));
  }

  // Nodes, with the help of the membership.

  /**
   * Returns the live connections of a target that names a node (`node:<id>`, `<id>` or
   * `<id>@address`), or that the option `resolve` has mapped to one; for `<id>@address`, only
   * connections that proved the id.
   */
  links(target: string): readonly Connection[] {
    const { membership } = this.transport;
    if (membership === undefined) return NONE;
    const named = nodeOf(target) ?? this.#nodes.get(target);
    if (named !== undefined) return membership.links(named).map(connectionOf);
    if (target.charAt(64) !== '@') return NONE;
    const id = target.slice(0, 64);
    const proven = membership.links(id).filter(({ nodeId }) => nodeId === id);
    return proven.map(connectionOf);
  }

  /** Returns the first of these connections that takes calls. */
  live(target: string): Connection | undefined {
    return this.links(target).find((connection) => connection.isUp);
  }

  /** Connects to a node, or returns a connection to it. */
  async #reach(nodeId: string, entry: DialTarget, signal: AbortSignal): Promise<Connection> {
    const { target, watch } = entry;
    const { membership } = this.transport;
    if (membership === undefined) {
      const message = `Cannot connect to ${target}: this transport cannot find nodes by their ids; createPeers({ transport }) can`;
      throw new TransportError('failed_precondition', message, { target, sent: false });
    }
    const connection = connectionOf(await membership.reach(nodeId, signal));
    // The option `resolve` has mapped the target to this node: while the node is connected, calls
    // to the target use its connection, without another dial.
    if (watch === undefined && nodeOf(target) === undefined) {
      if (this.#nodes.size >= NAMES) this.#nodes.clear();
      this.#nodes.set(target, nodeId);
    }
    return connection;
  }
}

/**
 * Calls the user's function that resolves the address of a target. Returns the address to dial, or
 * a list of addresses.
 */
async function askResolve(
  resolve: ResolveFunction,
  { target, address, nodeId }: DialTarget,
): Promise<string | readonly ListedAddress[]> {
  try {
    const result = (await resolve(address)) ?? address;
    return typeof result === 'string' ? result : readAddresses(result);
  } catch (error) {
    const shown = nodeId === undefined ? address : target;
    throw unresolved(`the 'resolve' option failed for '${shown}'`, target, error);
  }
}

/** Returns the error for a name that was not resolved: the cause, if it is a TransportError. */
function unresolved(text: string, target: string, cause: unknown): TransportError {
  return cause instanceof TransportError
    ? cause
    : reasonError('host_not_found', `${text}: ${errorText(cause)}`, { target, cause });
}

/**
 * Returns true if this end is the cause of a failed dial: it is closed, has no room or no file
 * descriptor for a connection, or its own certificate has expired.
 */
function isOwn({ code, reason, origin }: TransportError): boolean {
  return origin === 'remote'
    ? reason === 'expired_certificate'
    : code === 'shutdown' || (code === 'resource_exhausted' && (reason ?? 'full') === 'full');
}

/** Returns the error of the last address, with the addresses that were tried. */
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

// The names that the pool watches.

/** The addresses of the name of one target, and those that its connections lead to. */
export class NameWatch {
  readonly target: DialTarget;
  readonly #dialer: Dialer;
  readonly #resolver: Resolver | undefined;
  readonly #stop: () => void = () => {};
  /** The current addresses; undefined before the first report. */
  addresses: readonly ListedAddress[] | undefined = undefined;
  /** The last failure; undefined once the resolver reports addresses again. */
  error: TransportError | undefined = undefined;
  /** Tells the dial that waits for the first report, if one does. A name has one dial at a time. */
  #reported = () => {};
  readonly #via = new WeakMap<Connection, string>();
  #isOver = false;

  /**
   * Starts to watch the address of a target, which is a name.
   *
   * @param resolver undefined if too many names are watched already.
   */
  constructor(dialer: Dialer, target: DialTarget, resolver: Resolver | undefined) {
    this.target = target;
    this.#dialer = dialer;
    this.#resolver = resolver;
    try {
      if (resolver === undefined) throw tooMany(this.name);
      this.#stop = resolver.watch(this.name, {
        resolved: (addresses) => this.#resolved(addresses),
        failed: (error) => this.#failed(error),
      });
    } catch (error) {
      this.#failed(error);
    }
  }

  #resolved(given: unknown): void {
    if (this.#isOver) return;
    try {
      this.addresses = readAddresses(given);
    } catch (error) {
      return this.#failed(error);
    }
    this.error = undefined;
    this.#reported();
    this.target.listChanged();
  }

  /** @param error the resolver's, its exception, or the error of a malformed report. */
  #failed(error: unknown): void {
    if (this.#isOver) return;
    this.error = unresolved(`the resolver failed for '${this.name}'`, this.name, error);
    this.#reported();
  }

  /** The name as it is given to the resolver. */
  get name(): string {
    return this.target.address;
  }

  // Dialing.

  /**
   * Returns the addresses in the order in which a dial tries them, the one in use first, and those
   * whose peers drain last; waits for the first report, for at most `dialTimeout`. Rejects with the
   * resolver's error, or `host_not_found`, if it has never reported any, or with the signal's
   * reason.
   */
  async order(signal: AbortSignal): Promise<readonly string[]> {
    const { config, random } = this.#dialer.transport;
    const [inUse] = this.target.connections;
    const addresses = this.addresses ?? (await this.#first(config.dialTimeout, signal));
    const order = orderAddresses(addresses, random, inUse && this.#via.get(inUse));
    return [false, true].flatMap((drains) => order.filter((one) => this.#drains(one) === drains));
  }

  async #first(timeout: number, signal: AbortSignal): Promise<readonly ListedAddress[]> {
    // Each caller needs an error of its own.
    const failure = () => withDetails(this.error!, { sent: false });
    if (this.error !== undefined) {
      // Before `distrust`: the resolver may report addresses at once, which ends the failure.
      const error = failure();
      this.distrust();
      throw error;
    }
    signal.throwIfAborted();
    const wait = new AbortController();
    const end = () => wait.abort();
    this.#reported = end;
    signal.addEventListener('abort', end, { once: true });
    await this.#dialer.transport.clock.sleep(timeout, wait.signal).catch(() => {});
    signal.removeEventListener('abort', end);
    signal.throwIfAborted();
    if (this.addresses !== undefined) return this.addresses;
    if (this.error !== undefined) throw failure();
    const message = `the resolver found no address of '${this.name}' within ${inMs(timeout)}`;
    throw reasonError('host_not_found', message, { target: this.name, sent: false });
  }

  /**
   * Notifies the resolver that an address could not be dialed, that its connection is lost, or that
   * a dial found no addresses because the resolver had failed.
   */
  distrust(): void {
    if (!this.#isOver) this.#resolver?.resolveNow?.(this.name);
  }

  // Connections.

  /** Records the address that a connection of this name leads to, as the list spells it. */
  reached(connection: Connection, address: string): void {
    this.#via.set(connection, address);
  }

  /** Returns true if a connection leads to a listed address, or if no list was reported yet. */
  lists(connection: Connection): boolean {
    const via = this.#via.get(connection);
    return this.addresses === undefined || this.addresses.some(({ address }) => address === via);
  }

  /**
   * Returns true if a connection leads to a node, so that it belongs to the membership and serves
   * other targets, too.
   */
  borrows(connection: Connection): boolean {
    const via = this.#via.get(connection);
    return via !== undefined && nodeOf(via) !== undefined;
  }

  /**
   * Records that the peer of a connection drains: its address is dialed last while the connection
   * lives. Returns true if the name lists an address that does not drain.
   */
  drains(connection: Connection): boolean {
    const via = this.#via.get(connection);
    if (via === undefined) return false;
    const { draining } = this.#dialer;
    for (const [address, { over }] of draining) if (over) draining.delete(address);
    draining.set(via, connection);
    return this.addresses?.some(({ address }) => !this.#drains(address)) === true;
  }

  #drains(address: string): boolean {
    return this.#dialer.draining.get(address)?.over === false;
  }

  /** Stops watching. The pool has aborted the dial before. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stop();
    this.#dialer.watches.delete(this);
  }
}

function tooMany(name: string): TransportError {
  const text = `Cannot watch '${name}': this transport watches ${WATCHES} names already; call fewer names from one transport`;
  return new TransportError('resource_exhausted', text, { target: name, sent: false });
}

/** The maximum number of names that a transport watches at a time. */
const WATCHES = 1_024;
/** The number of targets that are remembered with their nodes; at one more, all are forgotten. */
const NAMES = 1_024;
const NONE: readonly Connection[] = Object.freeze([]);
