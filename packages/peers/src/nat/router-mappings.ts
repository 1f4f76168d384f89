// Finds the routers of the local network, creates and renews the mappings that this node has on
// them, and remembers each mapping until it is removed or its lease has ended. Tested in
// create-port-mapping.test.ts and home-network.test.ts.

import { isIPv4 } from 'node:net';
import { type Clock, TransportError } from '@trunkline/transport-core';
import { cleanText, inMs } from '@trunkline/transport-core/backend';
import { type ExternalPort, type Gateway, LEASE, type MappingRequest } from './gateway.ts';
import { isPublicAddress, type ListeningAddress, routerCandidates } from './local-network.ts';
import { NatPmpGateway } from './nat-pmp.ts';
import { findUpnpGateways, isDescriptionUrl, UpnpGateway } from './upnp.ts';

/** Options of `createPortMapping` that say which routers are asked, and how. */
export interface RouterMappingsOptions {
  readonly gateway?: string | undefined;
  readonly description: string;
}

/** A mapping on a router. */
interface HeldMapping {
  readonly gateway: Gateway;
  readonly request: MappingRequest;
  /** The time at which its lease ends. */
  readonly until: number;
}

export class RouterMappings {
  readonly #clock: Clock;
  readonly #options: RouterMappingsOptions;
  readonly #stop = new AbortController();
  /** The mappings by protocol, router, internal port and external port. */
  readonly #held = new Map<string, HeldMapping>();
  /**
   * The router of the last attempt, undefined if that failed. It is asked first if it speaks
   * NAT-PMP; UPnP gateways are searched for each time.
   */
  #last: Gateway | undefined = undefined;

  /** @throws TypeError for a `gateway` that is neither a URL nor an IPv4 address. */
  constructor(clock: Clock, options: RouterMappingsOptions) {
    const { gateway } = options;
    if (gateway !== undefined && !isIPv4(gateway) && !isDescriptionUrl(gateway))
      throw new TypeError(
        `createPortMapping: gateway: '${gateway}' is neither the URL of a UPnP description with an IPv4 address ('http://192.168.1.1:5000/rootDesc.xml') nor an IPv4 address`,
      );
    this.#clock = clock;
    this.#options = options;
  }

  /** True while there is a mapping whose lease has not ended. */
  get isHeld(): boolean {
    return this.#held.size > 0;
  }

  /** Ends the current search for routers, and all later ones. */
  stop(): void {
    this.#stop.abort(new TransportError('cancelled', 'createPortMapping: the mapping was closed'));
  }

  /**
   * Maps all addresses on the first router that accepts them, or renews their mappings there. Call
   * it only when no other `map` and no `removeAll` is running, as `PortMapper` does.
   *
   * @throws TransportError: the only error, or `unavailable` with the texts of all.
   */
  async map(
    addresses: readonly ListeningAddress[],
  ): Promise<{ readonly ports: readonly ExternalPort[]; readonly gateway: Gateway }> {
    this.#forgetEnded();
    const errors: TransportError[] = [];
    try {
      for await (const gateway of this.#gateways(this.#last)) {
        try {
          const ports: ExternalPort[] = [];
          for (const address of addresses) ports.push(await this.#mapOne(gateway, address));
          this.#last = gateway;
          return { ports, gateway };
        } catch (error) {
          errors.push(asError(error));
        }
      }
    } catch (error) {
      errors.push(asError(error));
    }
    this.#last = undefined;
    if (errors.length === 1) throw errors[0]!;
    throw new TransportError(
      'unavailable',
      errors.length === 0
        ? 'createPortMapping: no router answered by UPnP or NAT-PMP; turn one of them on in its settings, or forward the port there by hand and give advertiseAddr'
        : errors.map(({ message }) => message).join('. '),
      { cause: errors[0] },
    );
  }

  async #mapOne(gateway: Gateway, { host, port }: ListeningAddress): Promise<ExternalPort> {
    const before = [...this.#held.values()].find(
      (held) => held.gateway.host === gateway.host && held.request.internalPort === port,
    );
    const wanted = before?.request.externalPort ?? port;
    const request = { internalHost: host, internalPort: port, externalPort: wanted };
    const external = await this.#ask(gateway, (signal) => gateway.map(request, signal));
    if (!isIPv4(external.host) || !(external.port > 0 && external.port <= 65_535))
      throw new TransportError(
        'unavailable',
        `The router ${gateway.host} answered that it has mapped port ${port} to ${cleanText(external.host)}:${external.port}, which has no valid IPv4 address or port; restart it or update its software, or forward the port there by hand and give advertiseAddr`,
        { target: gateway.host },
      );
    const made = { ...request, externalPort: external.port };
    const key = [gateway.protocol, gateway.host, port, external.port].join();
    this.#held.set(key, { gateway, request: made, until: this.#clock.now() + LEASE * 1_000 });
    if (isPublicAddress(external.host)) return external;
    await this.#remove(key);
    throw new TransportError(
      'unavailable',
      `The router ${gateway.host} has mapped port ${port}, but its own address ${external.host} is not public: it is behind another router or a provider's NAT; map the port there, or ask the provider for a public address`,
      { target: gateway.host },
    );
  }

  /** Removes all mappings; returns the errors. */
  async removeAll(): Promise<TransportError[]> {
    this.#forgetEnded();
    const errors: TransportError[] = [];
    for (const key of [...this.#held.keys()]) {
      const error = await this.#remove(key);
      if (error !== undefined) errors.push(error);
    }
    return errors;
  }

  async #remove(key: string): Promise<TransportError | undefined> {
    const { gateway, request } = this.#held.get(key)!;
    this.#held.delete(key);
    try {
      await this.#ask(gateway, (signal) => gateway.unmap(request, signal));
      return undefined;
    } catch (error) {
      return asError(error);
    }
  }

  /** Sends a request to a router, and repeats it if its datagram may have been lost. */
  async #ask<T>(gateway: Gateway, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const times = gateway.protocol === 'upnp' ? [REQUEST_TIME] : DATAGRAM_TIMES;
    for (let i = 0; ; i++) {
      const { signal, end } = this.#limit(times[i]!);
      try {
        return await run(signal);
      } catch (error) {
        if (!signal.aborted || i === times.length - 1) throw error;
      } finally {
        end();
      }
    }
  }

  /** Yields the routers, the most promising one first. */
  async *#gateways(last: Gateway | undefined): AsyncGenerator<Gateway, void, undefined> {
    const { gateway, description } = this.#options;
    if (gateway !== undefined) {
      yield isIPv4(gateway)
        ? new NatPmpGateway(gateway)
        : new UpnpGateway(new URL(gateway), description);
      return;
    }
    const known = last?.protocol === 'nat-pmp' ? last : undefined;
    if (known !== undefined) yield known;
    const stop = this.#stop.signal;
    const search = this.#limit(SEARCH_TIME, stop);
    try {
      for await (const found of findUpnpGateways(this.#clock, description, search.signal)) {
        yield found;
        if (stop.aborted) return;
      }
    } finally {
      search.end();
    }
    for (const host of await routerCandidates()) {
      if (stop.aborted) return;
      if (host !== known?.host) yield new NatPmpGateway(host);
    }
  }

  /**
   * Returns a signal that aborts after a time, or with `stop`. No request to a router is given
   * `stop`, because its effect would be unknown.
   */
  #limit(timeout: number, stop?: AbortSignal): { readonly signal: AbortSignal; end(): void } {
    const controller = new AbortController();
    const abort = () =>
      controller.abort(
        new TransportError('deadline_exceeded', `no answer within ${inMs(timeout)}`),
      );
    const timer = this.#clock.setTimeout(abort, timeout);
    stop?.addEventListener('abort', abort, { once: true });
    if (stop?.aborted) abort();
    const end = () => {
      this.#clock.clearTimeout(timer);
      stop?.removeEventListener('abort', abort);
    };
    return { signal: controller.signal, end };
  }

  #forgetEnded(): void {
    for (const [key, { until }] of this.#held)
      if (until <= this.#clock.now()) this.#held.delete(key);
  }
}

function asError(error: unknown): TransportError {
  return error instanceof TransportError
    ? error
    : new TransportError('unavailable', `createPortMapping: ${(error as Error).message}`, {
        cause: error,
      });
}

/** Time limit of a search by UPnP in milliseconds; routers answer within one second (MX). */
const SEARCH_TIME = 3_000;
/** Time limit of one request to a UPnP gateway in milliseconds. */
const REQUEST_TIME = 5_000;
/** Times to wait for an answer after each datagram of a request, in milliseconds. */
const DATAGRAM_TIMES = [500, 1_000, 2_000];
