// Targets other than addresses: Names watches names, and finds the connections of a node by its id.
//
// A NameWatch holds the addresses of one name as the resolver reports them, and the address that
// each connection of the name leads to. The pool watches a name for as long as it has an entry for
// the target.

import { reasonError, TransportError, withDetails } from '../errors.ts';
import { isResolver, type ResolvedAddress, type Resolver } from '../resolver.ts';
import { errorText, inMs } from '../text.ts';
import { type Connection, connectionOf } from './connection.ts';
import { type ListedAddress, nodeOf, orderAddresses, readAddresses } from './membership.ts';
import type { TransportResources } from './transport-resources.ts';

/** The addresses of one name, and the connections to them. */
export class NameWatch {
  readonly name: string;
  readonly #names: Names;
  readonly #resolver: Resolver | undefined;
  readonly #changed: () => void;
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
   * Starts to watch a name.
   *
   * @param resolver undefined if too many names are watched already.
   * @param changed called after each change to the list.
   */
  constructor(names: Names, name: string, resolver: Resolver | undefined, changed: () => void) {
    this.#names = names;
    this.name = name;
    this.#changed = changed;
    this.#resolver = resolver;
    try {
      if (resolver === undefined) throw tooMany(name);
      this.#stop = resolver.watch(name, {
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
    this.#changed();
  }

  /** @param error the resolver's, its exception, or the error of a malformed report. */
  #failed(error: unknown): void {
    if (this.#isOver) return;
    const text = `the resolver failed for '${this.name}': ${errorText(error)}`;
    this.error =
      error instanceof TransportError
        ? error
        : reasonError('host_not_found', text, { target: this.name, cause: error });
    this.#reported();
  }

  // Dialing.

  /**
   * Returns the addresses in the order in which a dial tries them; waits for the first report, for
   * at most `timeout` milliseconds. Rejects with the resolver's error if it has never reported any,
   * or with the signal's reason.
   *
   * @param inUse a connection whose address comes first.
   */
  async order(
    timeout: number,
    signal: AbortSignal,
    inUse: Connection | undefined,
  ): Promise<readonly string[]> {
    const addresses = this.addresses ?? (await this.#first(timeout, signal));
    const first = inUse === undefined ? undefined : this.#via.get(inUse);
    const order = orderAddresses(addresses, this.#names.transport.random, first);
    return [false, true].flatMap((drains) => order.filter((one) => this.#drains(one) === drains));
  }

  #first(timeout: number, signal: AbortSignal): Promise<readonly ListedAddress[]> {
    // Each caller needs an error of its own.
    const failure = () => withDetails(this.error!, { sent: false });
    if (this.error !== undefined) {
      this.distrust();
      return Promise.reject(failure());
    }
    signal.throwIfAborted();
    const { clock } = this.#names.transport;
    let leave = () => {};
    const first = new Promise<readonly ListedAddress[]>((resolve, reject) => {
      this.#reported = () => {
        if (this.error !== undefined) reject(failure());
        else resolve(this.addresses!);
      };
      const onAbort = () => reject(signal.reason);
      const message = `the resolver found no address of '${this.name}' within ${inMs(timeout)}`;
      const timer = clock.setTimeout(
        () => reject(reasonError('host_not_found', message, { target: this.name, sent: false })),
        timeout,
      );
      leave = () => {
        clock.clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
      };
      signal.addEventListener('abort', onAbort, { once: true });
    });
    return first.finally(leave);
  }

  /** Notifies the resolver that an address could not be dialed, or that its connection is lost. */
  distrust(): void {
    if (!this.#isOver) this.#resolver?.resolveNow?.(this.name);
  }

  // Connections.

  /** Records the address that a connection of this name leads to. */
  reached(connection: Connection, address: string): void {
    this.#via.set(connection, address);
  }

  /** Returns true if a connection leads to an address that is still listed. */
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
    const { draining } = this.#names;
    for (const [address, { over }] of draining) if (over) draining.delete(address);
    draining.set(via, connection);
    return this.addresses?.some(({ address }) => !this.#drains(address)) === true;
  }

  #drains(address: string): boolean {
    return this.#names.draining.get(address)?.over === false;
  }

  /** Stops watching. The pool has aborted the dial before. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stop();
    this.#names.ended(this);
  }
}

// The names that a transport watches, and the nodes that its targets name. Finds the resolver of a
// target, and bounds the number of watched names.

/** A watched name, as a snapshot shows it. */
export interface NameSnapshot {
  /** The name as it is given to the resolver. */
  readonly name: string;
  /** Its current addresses; undefined before the first result. */
  readonly addresses: readonly ResolvedAddress[] | undefined;
  /** The error of the last resolution; undefined if it succeeded. */
  readonly error?: string | undefined;
}

/** The names that one transport watches, and the nodes that it reaches by their ids. */
export class Names {
  readonly transport: TransportResources;
  /** The connections to peers that drain, by their addresses; those that are over don't count. */
  readonly draining = new Map<string, Connection>();
  readonly #watches = new Set<NameWatch>();
  /** Targets that the option `resolve` mapped to a node, as the caller wrote them. */
  readonly #nodes = new Map<string, string>();

  constructor(transport: TransportResources) {
    this.transport = transport;
  }

  /**
   * Watches an address if a resolver handles it as a name; otherwise returns undefined. `changed`
   * is called after each change to its list.
   */
  watch(address: string, changed: () => void): NameWatch | undefined {
    const { config, membership } = this.transport;
    const resolver = [config.resolve, membership?.resolver].find(
      (one) => isResolver(one) && one.handles(address),
    ) as Resolver | undefined;
    if (resolver === undefined) return undefined;
    const isFull = this.#watches.size >= WATCHES;
    const watch = new NameWatch(this, address, isFull ? undefined : resolver, changed);
    this.#watches.add(watch);
    return watch;
  }

  /** Called when a name is no longer watched. */
  ended(watch: NameWatch): void {
    this.#watches.delete(watch);
  }

  /** The watched names with their addresses. */
  get snapshot(): NameSnapshot[] {
    return [...this.#watches].map(({ name, addresses, error }) => ({
      name,
      addresses,
      ...(error !== undefined && { error: error.message }),
    }));
  }

  // Nodes, with the help of the membership.

  /**
   * Returns the live connections of a target that names a node, `node:<id>` or `<id>@address`; for
   * the second form, only connections that proved the id.
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

  /**
   * Connects to a node, or returns a connection to it.
   *
   * @param remembers true if `target` is a name that stands for this node from now on.
   */
  async reach(
    nodeId: string,
    target: string,
    signal: AbortSignal,
    remembers: boolean,
  ): Promise<Connection> {
    const { membership } = this.transport;
    if (membership === undefined) {
      const message = `Cannot connect to ${target}: this transport cannot find nodes by their ids; createPeers({ transport }) can`;
      throw new TransportError('failed_precondition', message, { target, sent: false });
    }
    const connection = connectionOf(await membership.reach(nodeId, signal));
    if (remembers && nodeOf(target) === undefined) {
      if (this.#nodes.size >= NAMES) this.#nodes.clear();
      this.#nodes.set(target, nodeId);
    }
    return connection;
  }
}

function tooMany(name: string): TransportError {
  return new TransportError(
    'resource_exhausted',
    `Cannot watch '${name}': this transport watches ${WATCHES} names already; call fewer names from one transport`,
    { target: name, sent: false },
  );
}

/** The maximum number of names that a transport watches at a time. */
const WATCHES = 1_024;
/** The number of targets that are remembered with their nodes. */
const NAMES = 1_024;
const NONE: readonly Connection[] = Object.freeze([]);
