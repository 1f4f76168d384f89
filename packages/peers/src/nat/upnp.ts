// Maps ports by UPnP: finds gateways (InternetGatewayDevice:2) by SSDP and speaks SOAP with them,
// through the library.

import {
  type ExternalPort,
  type Gateway,
  gatewayError,
  LEASE,
  type MappingRequest,
} from './gateway.ts';
import type { LibraryGateway, NatLibrary } from './library.ts';

/** Yields the gateways that answer a search, until `signal` aborts. */
export async function* findUpnpGateways(
  library: NatLibrary,
  description: string,
  signal: AbortSignal,
): AsyncGenerator<Gateway, void, undefined> {
  const upnp = library.upnpNat({ autoRefresh: false, description });
  // IPv6 needs no mapping.
  for await (const gateway of upnp.findGateways({ signal, searchInterval: SEARCH_INTERVAL }))
    if (gateway.family === 'IPv4') yield new UpnpGateway(gateway);
}

/** Returns the gateway that a device description ('http://192.168.1.1:5000/rootDesc.xml') names. */
export async function upnpGatewayAt(
  library: NatLibrary,
  description: string,
  location: URL,
  signal: AbortSignal,
): Promise<Gateway> {
  const upnp = library.upnpNat({ autoRefresh: false, description });
  try {
    return new UpnpGateway(await upnp.getGateway(location, { signal }));
  } catch (error) {
    throw gatewayError(
      { protocol: 'upnp', host: location.host },
      'read the description',
      error,
      signal,
    );
  }
}

class UpnpGateway implements Gateway {
  readonly protocol = 'upnp';
  readonly host: string;
  readonly #gateway: LibraryGateway;

  constructor(gateway: LibraryGateway) {
    this.host = gateway.host;
    this.#gateway = gateway;
  }

  async map(request: MappingRequest, signal: AbortSignal): Promise<ExternalPort> {
    const { internalHost, internalPort, externalPort } = request;
    try {
      const mapping = await this.#gateway.map(internalPort, internalHost, {
        externalPort,
        protocol: 'tcp',
        ttl: LEASE * 1_000,
        autoRefresh: false,
        signal,
      });
      return { host: mapping.externalHost, port: mapping.externalPort };
    } catch (error) {
      throw gatewayError(this, `map port ${internalPort}`, error, signal);
    }
  }

  /**
   * Sends DeletePortMapping itself, because the library's own `unmap` (4.0.5) sends the internal
   * port instead of the external one, leaves the protocol empty, and hides the router's answer.
   */
  async unmap({ externalPort }: MappingRequest, signal: AbortSignal): Promise<void> {
    try {
      const device = await (this.#gateway as unknown as LibraryService).getGateway({ signal });
      const args = [
        ['NewRemoteHost', ''],
        ['NewExternalPort', externalPort],
        ['NewProtocol', 'TCP'],
      ] as const;
      await device.run(WAN_IP_CONNECTION, 'DeletePortMapping', args, { signal });
    } catch (error) {
      // Error 714 means that the mapping is already gone.
      if (!/Code 714/.test(String(error)))
        throw gatewayError(this, `remove the mapping of port ${externalPort}`, error, signal);
    }
  }
}

/** The library's service class. This method is private in the library's declarations. */
interface LibraryService {
  getGateway(options: { readonly signal: AbortSignal }): Promise<{
    run(
      service: string,
      action: string,
      args: readonly (readonly [string, string | number])[],
      options: { readonly signal: AbortSignal },
    ): Promise<unknown>;
  }>;
}

const WAN_IP_CONNECTION = 'urn:schemas-upnp-org:service:WANIPConnection:2';
/**
 * The interval between searches, in milliseconds. Searches are repeated because UDP loses messages
 * and routers answer only some of them.
 */
const SEARCH_INTERVAL = 1_000;
