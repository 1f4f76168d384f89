/// <reference lib="esnext.disposable" preserve="true" />
// Keeps a transport reachable from outside of its local network: maps its ports on the router,
// renews the mappings, advertises the external addresses, and removes the mappings at the end.
// Tested in create-port-mapping.test.ts and home-network.test.ts.

import { type AnyTransport, TransportError } from '@trunkline/transport-core';
import {
  backgroundTimer,
  type OptionField,
  option,
  optionsSchema,
  parseOptions,
} from '@trunkline/transport-core/backend';
import { type ListeningAddress, mappableAddresses } from './local-network.ts';
import { RouterMappings } from './router-mappings.ts';

/** Options of `createPortMapping`; all may be left out. */
export interface PortMappingOptions {
  /**
   * The router to ask: the URL of its UPnP description ('http://192.168.1.1:5000/rootDesc.xml'),
   * with an IPv4 address, or its IPv4 address alone to use NAT-PMP. Default: the routers that
   * answer a UPnP search and, if none of them maps the port, the default router by NAT-PMP.
   */
  readonly gateway?: string | undefined;
  /**
   * The interval between renewals, in milliseconds: 1,000 to 1,800,000. After a router restarts,
   * the mapping is missing for at most this long. Default: 300,000.
   */
  readonly renewInterval?: number | undefined;
  /** The description that the router's settings show for the mapping. Default: 'trunkline'. */
  readonly description?: string | undefined;
  /**
   * Receives events about mappings, and about failures with advice. Errors that it throws are
   * ignored.
   */
  readonly onEvent?: ((event: PortMappingEvent) => void) | undefined;
}

/** An event of a port mapping. */
export type PortMappingEvent =
  /** The ports are mapped, and these external addresses are advertised from now on. */
  | {
      readonly type: 'mapped';
      readonly addresses: readonly string[];
      readonly protocol: 'upnp' | 'nat-pmp';
      /** The address of the router in the local network. */
      readonly gateway: string;
    }
  /**
   * An attempt to map, renew or remove a port failed; the error message says what to do. `retryIn`
   * is the time until the next attempt in milliseconds; undefined if no attempt follows.
   */
  | {
      readonly type: 'failed';
      readonly error: TransportError;
      readonly retryIn: number | undefined;
    }
  /** The mapping was not renewed in time, so its addresses are no longer advertised. */
  | { readonly type: 'lost'; readonly addresses: readonly string[] };

/** The mapping of a transport's ports. */
export interface PortMapping extends AsyncDisposable {
  /** The external addresses that the transport advertises; empty without a mapping. */
  readonly addresses: readonly string[];
  /** The error of the last attempt; undefined if it succeeded. */
  readonly error: TransportError | undefined;
  /**
   * Removes the mappings from the router, and advertises the address from before
   * `createPortMapping` again if the external one was advertised. Call it before the transport's
   * `close`, which does not end the renewals. Never rejects: a failure is reported as an event, and
   * the mapping then expires within an hour. Idempotent.
   */
  close(): Promise<void>;
}

/**
 * Maps the ports of a listening transport on the router, so that nodes outside of the local network
 * can dial it. Resolves after the first attempt, even if that failed; further attempts follow. Uses
 * the transport's clock and random source.
 *
 * Rejects with `failed_precondition` if the transport does not listen, or if it listens only on
 * addresses that a router can't reach, and with a TypeError that names an invalid option.
 */
export async function createPortMapping(
  transport: AnyTransport,
  options: PortMappingOptions = {},
): Promise<PortMapping> {
  const config = parseOptions(schema, options, 'createPortMapping');
  const addresses = mappableAddresses(transport.localAddrs());
  const mapper = new PortMapper(transport, addresses, {
    mappings: new RouterMappings(transport.clock, config),
    renewInterval: config.renewInterval,
    onEvent: config.onEvent,
  });
  await mapper.start();
  return mapper;
}

interface PortMapperOptions {
  readonly mappings: RouterMappings;
  readonly renewInterval: number;
  readonly onEvent: PortMappingOptions['onEvent'];
}

class PortMapper implements PortMapping {
  addresses: readonly string[] = [];
  error: TransportError | undefined = undefined;
  readonly #transport: AnyTransport;
  readonly #listening: readonly ListeningAddress[];
  readonly #options: PortMapperOptions;
  /** The address that the transport advertises without a mapping. */
  readonly #former: string;
  #failures = 0;
  #timer: unknown;
  #attempt: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined = undefined;

  constructor(
    transport: AnyTransport,
    listening: readonly ListeningAddress[],
    options: PortMapperOptions,
  ) {
    this.#transport = transport;
    this.#listening = listening;
    this.#options = options;
    this.#former = transport.advertiseAddr();
  }

  start(): Promise<void> {
    this.#attempt = this.#map();
    return this.#attempt;
  }

  async #map(): Promise<void> {
    const { mappings, renewInterval } = this.#options;
    const before = this.addresses;
    try {
      const { ports, gateway } = await mappings.map(this.#listening);
      if (this.#closing !== undefined) return;
      const addresses = this.#listening.map((address, i) =>
        address.at(ports[i]!.host, ports[i]!.port),
      );
      const isNews = addresses.join() !== this.addresses.join();
      if (isNews) this.#advertise(addresses);
      this.#failures = 0;
      this.error = undefined;
      const { protocol, host } = gateway;
      if (isNews) this.#tell({ type: 'mapped', addresses, protocol, gateway: host });
      this.#schedule(renewInterval);
    } catch (error) {
      if (this.#closing !== undefined) return;
      this.error = error as TransportError;
      const retryIn = this.#schedule(Math.min(renewInterval, FIRST_RETRY * 2 ** this.#failures++));
      this.#tell({ type: 'failed', error: this.error, retryIn });
      if (this.addresses.length > 0 && !mappings.isHeld) this.#advertise([]);
      if (before.length > 0 && this.addresses.length === 0)
        this.#tell({ type: 'lost', addresses: before });
    }
  }

  /**
   * Schedules the next attempt after at most `most` milliseconds, or up to a tenth earlier at
   * random. Returns the delay in milliseconds.
   */
  #schedule(most: number): number {
    const { clock, random } = this.#transport;
    const delay = Math.round(most * (1 - random() / 10));
    this.#timer = backgroundTimer(clock, () => void this.start(), delay);
    return delay;
  }

  /**
   * Advertises the external addresses and then the former ones. If the transport refuses them,
   * advertises only the former ones and throws.
   */
  #advertise(addresses: readonly string[]): void {
    const former = this.#former.split(',');
    const isChanged = this.addresses.length > 0;
    this.addresses = [];
    try {
      this.#transport.advertise([...new Set([...addresses, ...former])]);
    } catch (cause) {
      if (isChanged) this.#transport.advertise(former);
      throw new TransportError(
        'invalid_argument',
        `createPortMapping: the transport cannot advertise ${addresses.join(', ')}: ${(cause as Error).message}`,
        { cause },
      );
    }
    this.addresses = addresses;
  }

  #tell(event: PortMappingEvent): void {
    try {
      this.#options.onEvent?.(event);
    } catch {
      // Errors of `onEvent` are ignored, like those of an observer.
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { mappings } = this.#options;
    this.#transport.clock.clearTimeout(this.#timer);
    mappings.stop();
    // A request in flight may still create a mapping, which must be removed as well.
    await this.#attempt;
    if (this.addresses.length > 0) this.#advertise([]);
    for (const error of await mappings.removeAll())
      this.#tell({ type: 'failed', error, retryIn: undefined });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

const schema = optionsSchema({
  gateway: option.optional(option.text(1_024)),
  renewInterval: option.withDefault(option.integer(1_000, 1_800_000), 300_000),
  description: option.withDefault(option.text(), 'trunkline'),
  onEvent: option.optional(option.callback<(event: PortMappingEvent) => void>()),
} satisfies Record<keyof PortMappingOptions, OptionField>);

/**
 * The time, in milliseconds, from a first failure to the next attempt; doubled after each further
 * consecutive failure.
 */
const FIRST_RETRY = 15_000;
