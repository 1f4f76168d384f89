// The interface of name resolution: the addresses behind a target, and their changes. NameWatch
// (stream/dial.ts) and the balancer of the package resilience use it. stream/pool.names.test.ts and
// transport-inmem/src/names.test.ts test the former, and the latter file tests `combineResolvers`.

import type { TransportError } from './errors.ts';

/** One of the addresses behind a name. */
export interface ResolvedAddress {
  /** A target that can be dialed, such as '10.0.0.7:7000' or 'tcp://10.0.0.7:7000'. */
  readonly address: string;
  /**
   * The share of dials that try this address first, relative to the other addresses of the same
   * priority (RFC 2782, weight); at least 0. Addresses with 0 come after those. Default 1.
   */
  readonly weight?: number | undefined;
  /**
   * Addresses with a higher number are used only while no address with a lower number can be
   * reached (RFC 2782, priority). Default 0.
   */
  readonly priority?: number | undefined;
}

/** Receives the addresses of a name while it is watched. */
export interface ResolutionObserver {
  /**
   * The complete list, at first and after each change. An empty list means that there is currently
   * no instance. Of more than 1,024 addresses, a transport uses those with the lowest `priority`.
   * It treats a malformed list like `failed`.
   */
  resolved(addresses: readonly ResolvedAddress[]): void;
  /**
   * The name can't be resolved at the moment. The addresses of the last `resolved` stay valid, and
   * the resolver keeps trying.
   */
  failed(error: TransportError): void;
}

/** Finds the addresses of names, and follows their changes. */
export interface Resolver {
  /**
   * Returns true if the target is a name that this resolver knows how to resolve, such as
   * 'dns:///orders:7000'. Other targets are dialed as they are. Must not throw.
   */
  handles(target: string): boolean;
  /**
   * Reports the addresses of a target, at first and whenever they change, until the returned
   * function is called. Never calls the observer before it returns. May throw for a target that it
   * can't watch; calls to the target then fail.
   */
  watch(target: string, observer: ResolutionObserver): () => void;
  /**
   * Reports that an address of a target could not be dialed or lost its connection, so the list may
   * be out of date. The resolver decides when to resolve the name again; it must not do so for each
   * report. Optional.
   */
  resolveNow?(target: string): void;
}

/**
 * The option `resolve` as a function, called for each dial with the address of the target. It
 * returns the address to dial, a list of addresses of which one is dialed, or undefined to dial the
 * address as it is.
 */
export type ResolveFunction = (
  target: string,
) => ResolveResult | undefined | Promise<ResolveResult | undefined>;

/** An address, or a list of addresses. */
export type ResolveResult = string | readonly ResolvedAddress[];

/** Combines resolvers into one: each name is resolved by the first resolver that handles it. */
export function combineResolvers(...resolvers: readonly Resolver[]): Resolver {
  const resolverOf = (target: string) => resolvers.find((resolver) => resolver.handles(target));
  return {
    handles: (target) => resolverOf(target) !== undefined,
    watch(target, observer) {
      const resolver = resolverOf(target);
      if (resolver === undefined)
        throw new TypeError(`combineResolvers: no resolver handles '${target}'`);
      return resolver.watch(target, observer);
    },
    resolveNow: (target) => resolverOf(target)?.resolveNow?.(target),
  };
}

/** Returns true if the value is a Resolver rather than a resolve function. */
export function isResolver(value: unknown): value is Resolver {
  const { handles, watch } = (value ?? {}) as Partial<Resolver>;
  return typeof handles === 'function' && typeof watch === 'function';
}
