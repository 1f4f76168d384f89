// The health of a node: whether it is alive, and which of its services take calls. Other nodes ask
// for it with the health protocol; probes ask over HTTP.

import {
  type AllowCall,
  type AnyTransport,
  serve,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';
import { type RpcBase, refuseUnknown } from '@trunkline/transport-core/backend';
import { type ServiceControl, serviceOf } from '@trunkline/transport-core/internal';
import {
  type healthProtocol,
  mountHealth,
  type ServingStatus,
  unmountHealth,
} from './health-protocol.ts';

/** The service whose status is the readiness of the node. */
const READY = 'trunkline.ready';
/** The number of watches that are woken in one turn of the event loop. */
const WAKES = 128;

/** Options of `serveHealth`. */
export interface HealthOptions {
  /**
   * Decides which peers may ask for the status of named services. Any peer may ask for the empty
   * name, whose status shows only that the node answers. Default: all.
   */
  readonly allow?: AllowCall | undefined;
}

/** The health of a node, as `serveHealth` returns it. */
export interface Health {
  /**
   * Sets the status of a service. Default: 'serving' for the protocols of the transport.
   *
   * @throws TypeError for another status.
   */
  set(service: string, status: 'serving' | 'not_serving'): void;
  /**
   * Returns the status of a service; that of 'trunkline.ready' is `isReady`. Once the transport
   * drains, only the program's protocols whose calls go on are 'serving'; once it closes, none is.
   */
  status(service: string): ServingStatus;
  /**
   * True if the transport is open and not draining, no service was set to 'not_serving', and no
   * listener has failed. A node that never called `listen` can be ready.
   */
  readonly isReady: boolean;
  /**
   * Ends the protocol. Balancers with `healthCheck` on this transport watch over another mount from
   * their next call on.
   */
  close(): Promise<void>;
}

/**
 * Mounts the health protocol on a transport and answers its calls.
 *
 * @throws TypeError if the transport serves it already, or the program has mounted it itself.
 */
export function serveHealth(transport: AnyTransport, options: HealthOptions = {}): Health {
  refuseUnknown(options, 'serveHealth', ['allow']);
  return new HealthService(transport, options.allow);
}

type Asked = 'from' | 'method' | 'metadata';

class HealthService implements Health {
  readonly #service: ServiceControl;
  readonly #mount: Transport<typeof healthProtocol>;
  readonly #set = new Map<string, 'serving' | 'not_serving'>();
  /** Functions that make each open `watch` read the status again. */
  readonly #watchers = new Set<() => void>();
  /** Those of them that were not called since the last change. */
  readonly #behind = new Set<() => void>();
  readonly #unsubscribe: () => void;
  #isClosed = false;

  constructor(transport: AnyTransport, allow: AllowCall | undefined) {
    const control = serviceOf(transport, 'serveHealth');
    this.#service = control;
    this.#mount = mountHealth(transport);
    const ask = async (service: string, rpc: Pick<RpcBase<string, string>, Asked>) => {
      if (service === '' || allow === undefined) return;
      if (await allow(rpc.from, rpc.method, rpc.metadata)) return;
      throw new TransportError('permission_denied', `this peer may not ask for '${service}'`, {
        reason: 'denied',
      });
    };
    serve(this.#mount, {
      check: async (service, rpc) => {
        await ask(service, rpc);
        return this.#answer(service);
      },
      watch: async (service, rpc) => {
        await ask(service, rpc);
        return this.#watch(service, rpc.signal);
      },
    });
    // `serve` throws if the transport has a health already, which then stays as it was.
    this.#unsubscribe = control.onServingChanged(() => {
      const isWaking = this.#behind.size > 0;
      for (const look of this.#watchers) this.#behind.add(look);
      if (!isWaking) this.#wake();
    });
    control.health = (service) => this.status(service);
  }

  get isReady(): boolean {
    if (!this.#service.isReady) return false;
    return [...this.#set.values()].every((status) => status === 'serving');
  }

  set(service: string, status: 'serving' | 'not_serving'): void {
    if (status !== 'serving' && status !== 'not_serving')
      throw new TypeError(`health.set: expected 'serving' or 'not_serving', got ${String(status)}`);
    this.#set.set(service, status);
    this.#service.servingChanged();
  }

  status(service: string): ServingStatus {
    if (service === READY) return this.isReady ? 'serving' : 'not_serving';
    const { mounts, state } = this.#service;
    const known =
      this.#set.get(service) ??
      ([...mounts.values()].some(({ protocol }) => protocol.name === service)
        ? 'serving'
        : 'unknown');
    const isLeaving = state !== 'open' || this.#service.hasWithdrawn(service);
    return known === 'serving' && isLeaving ? 'not_serving' : known;
  }

  #answer(service: string): ServingStatus {
    return service === '' ? 'serving' : this.status(service);
  }

  /**
   * Wakes the watches, some in each turn of the event loop: 25,000 of them would keep it busy for
   * half a second.
   */
  #wake(): void {
    let left = WAKES;
    for (const look of this.#behind) {
      if (left-- === 0) break;
      this.#behind.delete(look);
      look();
    }
    if (this.#behind.size === 0) return;
    const { clock } = this.#service;
    if (clock.turn === undefined) clock.setTimeout(() => this.#wake(), 0);
    else clock.turn(() => this.#wake());
  }

  async *#watch(service: string, signal: AbortSignal): AsyncGenerator<ServingStatus, void> {
    let wake = () => {};
    const look = () => wake();
    this.#watchers.add(look);
    signal.addEventListener('abort', look, { once: true });
    try {
      let last: ServingStatus | undefined;
      while (!this.#isClosed && !signal.aborted) {
        const status = this.#answer(service);
        if (status !== last) yield (last = status);
        // A service that was withdrawn never serves again, so its watch ends.
        else if (this.#service.hasWithdrawn(service) || this.#service.state !== 'open') return;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      this.#watchers.delete(look);
      this.#behind.delete(look);
      signal.removeEventListener('abort', look);
    }
  }

  close(): Promise<void> {
    this.#isClosed = true;
    this.#service.health = undefined; // which notifies the watchers
    this.#unsubscribe();
    unmountHealth(this.#mount);
    return this.#mount.close();
  }
}

/** The part of a node:http request that `healthHandler` reads. */
export interface HealthRequest {
  readonly url?: string | undefined;
}

/** The part of a node:http response that `healthHandler` writes. */
export interface HealthResponse {
  writeHead(status: number, headers: Record<string, string>): unknown;
  end(body: string): unknown;
}

/**
 * Returns a handler of HTTP requests for probes: `/healthz` is answered with 200 as long as the
 * process answers, `/readyz` with 200 if `health.isReady`, otherwise with 503. It returns false,
 * and does nothing, for any other path.
 */
export function healthHandler(
  health: Pick<Health, 'isReady'>,
): (request: HealthRequest, response: HealthResponse) => boolean {
  return ({ url = '' }, response) => {
    const [path] = url.split('?');
    if (path !== '/healthz' && path !== '/readyz') return false;
    const isGood = path === '/healthz' || health.isReady;
    response.writeHead(isGood ? 200 : 503, { 'content-type': 'text/plain' });
    response.end(isGood ? 'ok\n' : 'not ready\n');
    return true;
  };
}
