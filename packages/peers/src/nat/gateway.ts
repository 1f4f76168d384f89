// A gateway that maps ports: the interface that UPnP and NAT-PMP implement, and its errors. Tested
// in create-port-mapping.test.ts.

import { TransportError } from '@trunkline/transport-core';
import { cleanText } from '@trunkline/transport-core/backend';

/** A gateway. If a method fails, it rejects with an error that contains the gateway's answer. */
export interface Gateway {
  readonly protocol: 'upnp' | 'nat-pmp';
  /** The IPv4 address of the gateway in the local network. */
  readonly host: string;
  /**
   * Creates a mapping to a port of this machine, or renews it, for `LEASE` seconds. The gateway may
   * choose an external port other than the requested one.
   */
  map(request: MappingRequest, signal: AbortSignal): Promise<ExternalPort>;
  /** Removes a mapping. */
  unmap(request: MappingRequest, signal: AbortSignal): Promise<void>;
}

/** A requested mapping. */
export interface MappingRequest {
  /** The address of this machine; undefined for the one from which it reaches the gateway. */
  readonly internalHost: string | undefined;
  readonly internalPort: number;
  readonly externalPort: number;
}

/** The external end of a mapping. */
export interface ExternalPort {
  readonly host: string;
  readonly port: number;
}

/** The lifetime of a mapping that is not renewed, in seconds. */
export const LEASE = 3_600;

/** Returns the error for a request that a gateway refused or did not answer. */
export function gatewayError(
  gateway: Pick<Gateway, 'protocol' | 'host'>,
  action: string,
  cause: unknown,
  signal: AbortSignal,
): TransportError {
  const shown = signal.aborted ? signal.reason : cause;
  const text = cleanText(shown instanceof Error ? shown.message : String(shown));
  const hint =
    HINTS.find(([pattern]) => pattern.test(text))?.[1] ??
    'restart the router or update its software';
  return new TransportError(
    'unavailable',
    `Cannot ${action} by ${NAMES[gateway.protocol]} on the router ${gateway.host}: ${text}; ${hint}`,
    { target: gateway.host, cause },
  );
}

const NAMES = { upnp: 'UPnP', 'nat-pmp': 'NAT-PMP' };
/**
 * Advice about routers' answers: for UPnP error codes, for `RESULTS` of nat-pmp.ts, and for the "no
 * answer" of nat-pmp.ts and of `RouterMappings.#limit`.
 */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /Code 606|Not Authorized/i,
    "allow port mapping by UPnP or NAT-PMP in the router's settings, or forward the port there by hand",
  ],
  [/Code 718|Code 729/, 'another device uses this external port; listen on another port'],
  [/Code 725/, 'the router accepts only permanent mappings; forward the port there by hand'],
  [/Code 728|Out of Resources/i, 'the router has no free entry; remove mappings in its settings'],
  [/Network Failure/i, 'the router has no connection to the internet; the next attempt follows'],
  [
    /no answer/,
    'check that UPnP or NAT-PMP is turned on in the router, and that no firewall drops its answers',
  ],
];
