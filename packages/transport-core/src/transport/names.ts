// The names that a transport watches. Finds the resolver of a target, and bounds the number of
// watched names.

import type { Clock } from '../clock.ts';
import type { CommonConfig } from '../common-options.ts';
import { TransportError } from '../errors.ts';
import type { Random } from '../random.ts';
import { isResolver, type ResolvedAddress, type Resolver } from '../resolver.ts';
import type { Membership } from '../stream/membership.ts';
import { NameWatch, type NameWatchHost } from '../stream/name-watch.ts';

/** The transport as its names see it. */
export interface NamingTransport {
  readonly config: Pick<CommonConfig, 'resolve'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly membership: Membership | undefined;
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

/** The names that one transport watches. */
export class Names implements NameWatchHost {
  readonly #transport: NamingTransport;
  readonly draining: NameWatchHost['draining'] = new Map();
  readonly #watches = new Set<NameWatch>();

  constructor(transport: NamingTransport) {
    this.#transport = transport;
  }

  get clock(): Clock {
    return this.#transport.clock;
  }

  get random(): Random {
    return this.#transport.random;
  }

  /**
   * Watches an address if a resolver handles it as a name; otherwise returns undefined. `changed`
   * is called after each change to its list.
   */
  watch(address: string, changed: () => void): NameWatch | undefined {
    const resolver = this.#resolverOf(address);
    if (resolver === undefined) return undefined;
    const isFull = this.#watches.size >= WATCHES;
    const watch = new NameWatch(this, address, isFull ? tooMany(address) : resolver, changed);
    this.#watches.add(watch);
    return watch;
  }

  ended(watch: NameWatch): void {
    this.#watches.delete(watch);
  }

  #resolverOf(address: string): Resolver | undefined {
    const { config, membership } = this.#transport;
    if (isResolver(config.resolve) && config.resolve.handles(address)) return config.resolve;
    const { resolver } = membership ?? {};
    return resolver?.handles(address) === true ? resolver : undefined;
  }

  /** The watched names with their addresses. */
  get snapshot(): NameSnapshot[] {
    return [...this.#watches].map(({ name, addresses, error }) => ({
      name,
      addresses,
      ...(error !== undefined && { error: error.message }),
    }));
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
