// Watches the health of the addresses of a name, as gRPC's health checking does. An address gets
// calls once its server has said that it serves them, or that it has no such service.

import {
  type AnyTransport,
  type Clock,
  type Random,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';
import { type healthProtocol, mountHealth } from '../health/health-protocol.ts';
import type { AddressState } from './address-state.ts';

/** The settings of HealthChecks. */
export interface HealthCheckSettings {
  /** The service whose status counts: the name of the protocol. */
  readonly service: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Called when `isReady` becomes true. */
  readonly ready: () => void;
}

/** The watches of the addresses of one name. */
export class HealthChecks {
  /** True once an address serves calls, or each was asked; stays true. Calls need not wait then. */
  isReady = false;
  readonly #settings: HealthCheckSettings;
  #mount: Transport<typeof healthProtocol> | undefined = undefined;
  #addresses: readonly AddressState[] = [];
  readonly #watches = new Map<AddressState, AbortController>();
  readonly #asked = new WeakSet<AddressState>();

  constructor(settings: HealthCheckSettings) {
    this.#settings = settings;
  }

  /** Begins to watch, over the transport of a call. Does nothing while it watches already. */
  start(transport: AnyTransport): void {
    if (this.#mount !== undefined) return;
    this.#mount = mountHealth(transport);
    this.follow(this.#addresses);
  }

  /** Watches these addresses, and no others. */
  follow(addresses: readonly AddressState[]): void {
    this.#addresses = addresses;
    if (this.#mount === undefined) return;
    for (const [address, watch] of this.#watches) {
      if (addresses.includes(address)) continue;
      this.#watches.delete(address);
      watch.abort();
    }
    for (const address of addresses) {
      if (this.#watches.has(address)) continue;
      const watch = new AbortController();
      this.#watches.set(address, watch);
      void this.#watch(this.#mount, address, watch.signal);
    }
    this.#look();
  }

  close(): void {
    this.follow([]);
  }

  async #watch(
    mount: Transport<typeof healthProtocol>,
    address: AddressState,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, random, service } = this.#settings;
    for (let delay = BACK_OFF.first; !signal.aborted; ) {
      try {
        for await (const status of mount.send(address.address, 'watch', service, { signal })) {
          delay = BACK_OFF.first;
          this.#report(address, status !== 'not_serving');
        }
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof TransportError && error.code === 'shutdown') return this.#ended(mount);
        if (isWithoutHealth(error)) this.#report(address, true);
        else this.#wasAsked(address);
      }
      await clock.sleep(delay * (0.8 + 0.4 * random()), signal).catch(() => {});
      delay = Math.min(delay * BACK_OFF.factor, BACK_OFF.most);
    }
  }

  #report(address: AddressState, isServing: boolean): void {
    address.serves(isServing, this.#settings.clock.now());
    if (isServing) this.#become();
    this.#wasAsked(address);
  }

  #wasAsked(address: AddressState): void {
    this.#asked.add(address);
    this.#look();
  }

  #look(): void {
    if (this.#addresses.every((address) => this.#asked.has(address))) this.#become();
  }

  #become(): void {
    if (this.isReady || this.#addresses.length === 0) return;
    this.isReady = true;
    this.#settings.ready();
  }

  /** Called when the transport was closed: the next call watches over its own transport. */
  #ended(mount: Transport<typeof healthProtocol>): void {
    if (this.#mount !== mount) return;
    this.#mount = undefined;
    for (const watch of this.#watches.values()) watch.abort();
    this.#watches.clear();
  }
}

/**
 * Returns true if a server has answered that it does not tell its health; it then counts as
 * serving.
 */
function isWithoutHealth(error: unknown): boolean {
  return (
    error instanceof TransportError &&
    error.unreachable === undefined &&
    (error.code === 'unimplemented' || error.code === 'permission_denied')
  );
}

/** The back-off of a watch that has ended, in milliseconds, as that of addresses that are down. */
const BACK_OFF = { first: 1_000, factor: 1.6, most: 30_000 };
