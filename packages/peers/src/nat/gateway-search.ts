// Finds the routers of the local network that may map ports, and limits the time of each request
// to them.

import { isIPv4 } from 'node:net';
import { type Clock, TransportError } from '@trunkline/transport-core';
import { inMs } from '@trunkline/transport-core/backend';
import type { Gateway } from './gateway.ts';
import { routerCandidates } from './local-network.ts';
import { NatPmpGateway } from './nat-pmp.ts';
import { findUpnpGateways, isDescriptionUrl, UpnpGateway } from './upnp.ts';

/** Options of a search. */
export interface GatewaySearchOptions {
  readonly gateway?: string | undefined;
  readonly description: string;
}

export class GatewaySearch {
  readonly #clock: Clock;
  readonly #options: GatewaySearchOptions;
  readonly #stop = new AbortController();

  /** @throws TypeError for a `gateway` that is neither a URL nor an IPv4 address. */
  constructor(clock: Clock, options: GatewaySearchOptions) {
    const { gateway } = options;
    if (gateway !== undefined && !isIPv4(gateway) && !isDescriptionUrl(gateway))
      throw new TypeError(
        `createPortMapping: gateway: '${gateway}' is neither the URL of a UPnP description with an IPv4 address ('http://192.168.1.1:5000/rootDesc.xml') nor an IPv4 address`,
      );
    this.#clock = clock;
    this.#options = options;
  }

  /** Ends the current search, and all later ones. */
  stop(): void {
    this.#stop.abort(new TransportError('cancelled', 'createPortMapping: the mapping was closed'));
  }

  /** Yields the routers, the most promising one first. */
  async *gateways(last: Gateway | undefined): AsyncGenerator<Gateway, void, undefined> {
    const { gateway, description } = this.#options;
    if (gateway !== undefined) {
      yield isIPv4(gateway)
        ? new NatPmpGateway(gateway)
        : new UpnpGateway(new URL(gateway), description);
      return;
    }
    const hosts = new Set<string>();
    if (last?.protocol === 'nat-pmp') {
      hosts.add(last.host);
      yield last;
    }
    const search = this.#limit(SEARCH_TIME);
    try {
      for await (const found of findUpnpGateways(this.#clock, description, search.signal)) {
        yield found;
        if (this.#stop.signal.aborted) return;
      }
    } finally {
      search.end();
    }
    for (const host of await routerCandidates()) {
      if (this.#stop.signal.aborted) return;
      if (!hosts.has(host)) yield new NatPmpGateway(host);
    }
  }

  /** Runs a request, which `signal` aborts after `timeout` milliseconds. */
  async within<T>(timeout: number, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const request = this.#limit(timeout, false);
    try {
      return await run(request.signal);
    } finally {
      request.end();
    }
  }

  /**
   * Returns a signal that aborts after a time. With `isSearch`, it also aborts when `stop` ends all
   * searches. `stop` does not abort requests, because their effect would be unknown.
   */
  #limit(timeout: number, isSearch = true): { signal: AbortSignal; end(): void } {
    const controller = new AbortController();
    const abort = () =>
      controller.abort(
        new TransportError('deadline_exceeded', `no answer within ${inMs(timeout)}`),
      );
    const timer = this.#clock.setTimeout(abort, timeout);
    const stop = this.#stop.signal;
    if (isSearch) {
      stop.addEventListener('abort', abort, { once: true });
      if (stop.aborted) abort();
    }
    const end = () => {
      this.#clock.clearTimeout(timer);
      stop.removeEventListener('abort', abort);
    };
    return { signal: controller.signal, end };
  }
}

/** Time limit of a search by UPnP in milliseconds; routers answer within one second (MX). */
const SEARCH_TIME = 3_000;
/** Time limit of one request to a UPnP gateway in milliseconds. */
export const REQUEST_TIME = 5_000;
