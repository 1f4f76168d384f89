// Loads '@achingbrain/nat-port-mapper', an optional peer dependency, and describes the part of it
// that this package uses.

import { TransportError } from '@trunkline/transport-core';

/**
 * The library. Its types are repeated here, so that the declarations of this package compile
 * without it.
 */
export interface NatLibrary {
  upnpNat(options: LibraryOptions): {
    findGateways(options: {
      readonly signal: AbortSignal;
      readonly searchInterval: number;
    }): AsyncIterable<LibraryGateway>;
    getGateway(descriptor: URL, options: { readonly signal: AbortSignal }): Promise<LibraryGateway>;
  };
  pmpNat(address: string, options: LibraryOptions): LibraryGateway;
}

/** Options of the library; refreshing is turned off, because it runs on the system's clock. */
export interface LibraryOptions {
  readonly autoRefresh: false;
  readonly description?: string;
}

/** A gateway of the library. */
export interface LibraryGateway {
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly family: 'IPv4' | 'IPv6';
  map(
    internalPort: number,
    internalHost: string,
    options: {
      readonly externalPort: number;
      readonly protocol: 'tcp';
      readonly ttl: number;
      readonly autoRefresh: false;
      readonly signal: AbortSignal;
    },
  ): Promise<{ readonly externalHost: string; readonly externalPort: number }>;
  stop(): Promise<void>;
}

/**
 * Loads the library.
 *
 * @throws TransportError `failed_precondition` if it is not installed.
 */
export async function loadLibrary(
  load: () => Promise<unknown> = () => import('@achingbrain/nat-port-mapper'),
): Promise<NatLibrary> {
  try {
    return (await load()) as NatLibrary;
  } catch (error) {
    throw new TransportError(
      'failed_precondition',
      `createPortMapping: the package '@achingbrain/nat-port-mapper', which speaks to routers, can't be loaded (${(error as Error).message}); install it: npm install @achingbrain/nat-port-mapper@~4.0.5`,
      { cause: error },
    );
  }
}
