// Maps ports by NAT-PMP (RFC 6886), through the library.

import {
  type ExternalPort,
  type Gateway,
  gatewayError,
  LEASE,
  type MappingRequest,
} from './gateway.ts';
import type { LibraryGateway, NatLibrary } from './library.ts';

/** Returns the NAT-PMP gateway at an IPv4 address. Does not check that it answers. */
export function natPmpGateway(library: NatLibrary, host: string): Gateway {
  return new NatPmpGateway(library, host);
}

class NatPmpGateway implements Gateway {
  readonly protocol = 'nat-pmp';
  readonly host: string;
  readonly #library: NatLibrary;

  constructor(library: NatLibrary, host: string) {
    this.#library = library;
    this.host = host;
  }

  map(request: MappingRequest, signal: AbortSignal): Promise<ExternalPort> {
    return this.#ask(`map port ${request.internalPort}`, request, LEASE, signal);
  }

  async unmap(request: MappingRequest, signal: AbortSignal): Promise<void> {
    await this.#ask(`remove the mapping of port ${request.externalPort}`, request, 0, signal);
  }

  /**
   * Sends a request. Each request uses a new client, because the library's client (4.0.5) never
   * recovers from a lost answer.
   *
   * @param lease the lifetime in seconds. The library documents `ttl` in milliseconds, but copies
   * the number unchanged into the message, whose unit is seconds.
   */
  async #ask(
    action: string,
    { internalHost, internalPort, externalPort }: MappingRequest,
    lease: number,
    signal: AbortSignal,
  ): Promise<ExternalPort> {
    const client = this.#library.pmpNat(this.host, { autoRefresh: false });
    let fail: (error: unknown) => void = () => {};
    const failed = new Promise<never>((_, reject) => {
      fail = reject;
    });
    // The library reports errors of its socket as an event.
    (client as LibraryGateway & Emitter).on('error', fail);
    try {
      const mapping = await Promise.race([
        failed,
        client.map(internalPort, internalHost, {
          externalPort,
          protocol: 'tcp',
          ttl: lease,
          autoRefresh: false,
          signal,
        }),
      ]);
      return { host: mapping.externalHost, port: mapping.externalPort };
    } catch (error) {
      throw gatewayError(this, action, error, signal);
    } finally {
      // Closing fails if the socket could not be bound.
      await client.stop().catch(() => {});
    }
  }
}

interface Emitter {
  on(event: 'error', listener: (error: unknown) => void): void;
}
