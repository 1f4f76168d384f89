// A stream layer on the simulated network: its addresses are names of nodes.

import { type Clock, TransportError } from '@trunkline/transport-core';
import { type PendingDial, reasonError } from '@trunkline/transport-core/backend';
import { type CallbackRunner, MemoryLayer } from '@trunkline/transport-inmem/layer';
import type { Incarnation } from './incarnation.ts';
import type { SimNetwork } from './sim-network.ts';
import type { TransportPort } from './transport-port.ts';

/** The stream layer of one transport of a node. */
export class SimLayer extends MemoryLayer implements TransportPort {
  readonly incarnation: Incarnation;
  readonly address: string;
  /**
   * Runs the callbacks of its connections. All arrivals are separate events already, so a turn is
   * merely deferred.
   */
  readonly callbacks: CallbackRunner;
  readonly #network: SimNetwork;

  constructor(
    network: SimNetwork,
    incarnation: Incarnation,
    address: string,
    clock: Clock,
    advertiseAddr?: string,
  ) {
    super(clock, advertiseAddr);
    this.#network = network;
    this.incarnation = incarnation;
    this.address = address;
    this.callbacks = { run: (callback) => clock.defer(callback), stop() {} };
  }

  protected override bind(): string {
    const { listening } = this.#network;
    if (listening.get(this.address)?.incarnation.alive === true) {
      throw reasonError(
        'address_in_use',
        `Cannot listen on ${this.address}: another transport of the simulation listens on it`,
        { target: this.address },
      );
    }
    listening.set(this.address, this);
    this.incarnation.addresses.add(this.address);
    return this.address;
  }

  protected override unbind(): void {
    const { listening } = this.#network;
    if (listening.get(this.address) === this) listening.delete(this.address);
  }

  protected override check(address: string): void {
    if (isAddress(address)) return;
    throw new TransportError(
      'invalid_argument',
      `'${address}' is not an address of a simulation: addresses are names of nodes`,
      { target: address },
    );
  }

  protected override reach(address: string, dial: PendingDial): void {
    if (this.incarnation.alive) this.#network.dial(this, address, dial);
  }
}

/**
 * Returns true if this is an address of a simulation: the name of a node, alone or followed by '/'
 * and the name of a further transport.
 */
export function isAddress(address: string): boolean {
  return /^[^\s/?#@:]{1,255}(?:\/[^\s/?#@]{1,255})?$/.test(address);
}
