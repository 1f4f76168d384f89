// A simulated network that is driven by the turns of the real event loop, so that test suites
// written for real networks can run on it.

import type { Clock, Protocol } from '@trunkline/transport-core';
import {
  NetworkTransport,
  type NetworkTransportOptions,
  type StreamLayer,
} from '@trunkline/transport-core/backend';
import { EventLoop } from '../kernel/event-loop.ts';
import type { EventKind, EventOwner, SimEvent } from '../kernel/event-queue.ts';
import { Incarnation } from '../network/incarnation.ts';
import { CALM, type LinkOptions, linkSettings } from '../network/link-settings.ts';
import { SimLayer } from '../network/sim-layer.ts';
import { SimNetwork, type SimulationLevel } from '../network/sim-network.ts';
import { Topology } from '../network/topology.ts';

/** A simulated network that runs by itself. Delays determine only the order of events. */
export interface LiveNetwork {
  /** Creates a stream layer; without an address it gets a new name. */
  layer(address: string | undefined, clock: Clock, advertiseAddr?: string): StreamLayer;
  transport<P extends Protocol>(
    options: Omit<NetworkTransportOptions<P>, 'stream'>,
  ): NetworkTransport<P>;
}

export function liveNetwork(level: SimulationLevel, link: LinkOptions): LiveNetwork {
  const loop = new LiveEventLoop({ seed: 1, strict: false, stepLimit: Number.POSITIVE_INFINITY });
  const network = new SimNetwork(
    loop,
    level,
    new Topology(1, linkSettings(CALM, link, 'live'), () => false),
  );
  let made = 0;
  const layer = (address: string | undefined, clock: Clock, advertiseAddr?: string) => {
    const name = address ?? `n${++made}`;
    const incarnation = new Incarnation(name, loop.trace.number(name), {
      name,
      powered: true,
      refusing: false,
      isClient: false,
    });
    return new SimLayer(network, incarnation, name, clock, advertiseAddr);
  };
  return {
    layer,
    transport: (options) =>
      new NetworkTransport({ ...options, stream: layer(undefined, options.clock!) }),
  };
}

class LiveEventLoop extends EventLoop {
  #awake = false;

  override schedule(
    delay: number,
    kind: EventKind,
    owner: EventOwner | undefined,
    run: () => void,
  ): SimEvent {
    this.#wake();
    return super.schedule(delay, kind, owner, run);
  }

  override scheduleAt<T>(
    at: number,
    kind: EventKind,
    owner: EventOwner | undefined,
    run: (argument: T) => void,
    argument: T,
  ): SimEvent {
    this.#wake();
    return super.scheduleAt(at, kind, owner, run, argument);
  }

  #wake(): void {
    if (this.#awake) return;
    this.#awake = true;
    setImmediate(() => void this.#turn());
  }

  async #turn(): Promise<void> {
    // Handles only the events that wait now; events that they cause wait for the next turn.
    for (let left = this.queue.size; left > 0; left--) {
      this.step(Number.POSITIVE_INFINITY);
      await new Promise<void>((resolve) => process.nextTick(resolve));
    }
    this.#awake = false;
    if (this.queue.size > 0) this.#wake();
  }
}
