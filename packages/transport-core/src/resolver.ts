// The interface of name resolution: the addresses behind a target, and their changes.

import type { TransportError } from './errors.ts';

/** One of the addresses behind a name. */
export interface ResolvedAddress {
  /** A target that can be dialed, such as '10.0.0.7:7000' or 'tcp://10.0.0.7:7000'. */
  readonly address: string;
  /**
   * The share of calls relative to the other addresses of the same priority (RFC 2782, weight); at
   * least 0. Default 1.
   */
  readonly weight?: number | undefined;
  /**
   * Addresses of a higher number are used only while none of a lower one can be (RFC 2782,
   * priority). Default 0.
   */
  readonly priority?: number | undefined;
}

/** Receives the addresses of a name while it is watched. */
export interface ResolutionObserver {
  /** The complete list, at first and after each change. An empty list: there is no instance now. */
  resolved(addresses: readonly ResolvedAddress[]): void;
  /**
   * The name could not be resolved now. The addresses of the last `resolved` stay valid, and the
   * resolver goes on trying.
   */
  failed(error: TransportError): void;
}

/** Finds the addresses of names, and follows their changes. */
export interface Resolver {
  /**
   * Whether the target is a name that this resolver knows how to resolve, such as
   * 'dns:///orders:7000'. Other targets are dialed as they are.
   */
  handles(target: string): boolean;
  /**
   * Reports the addresses of a target, at first and whenever they change, until the returned
   * function is called. Never calls the observer before it returns.
   */
  watch(target: string, observer: ResolutionObserver): () => void;
}
