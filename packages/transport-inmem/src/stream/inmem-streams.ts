// Byte streams within this process, which run the full NetworkTransport without a socket.

import { type Clock, type Random, systemClock, systemRandom } from '@trunkline/transport-core';
import {
  reasonError,
  refuseUnknown,
  type StreamConnection,
  type StreamLayer,
} from '@trunkline/transport-core/backend';
import { ByteConnection, MemoryConnection } from '../memory/memory-connection.ts';
import { nameFor, nameOf, SCHEME } from '../memory/names.ts';
import { NearbyLayer } from '../memory/nearby-layer.ts';

/** Options of {@link createInmemStreams}. */
export interface InmemStreamsOptions {
  /**
   * Number of bytes that may wait unread at one end; a write beyond it at the other end returns
   * false, and `drained` follows once at most half of it is unread. Default 256 KiB.
   */
  readonly capacity?: number | undefined;
  /** The clock of layers that are given none. Default: the system clock. */
  readonly clock?: Clock | undefined;
  /** The source of random names for layers that are given none. Default: the system's. */
  readonly random?: Random | undefined;
}

/** Options of a single layer. The defaults of `clock` and `random` are those of the streams. */
export interface InmemLayerOptions {
  /** The address that others dial, which is not checked. Default: the address it listens on. */
  readonly advertiseAddr?: string | undefined;
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
}

/**
 * An isolated set of layers, which can reach each other by name but can't reach any other layers.
 */
export interface InmemStreams {
  /**
   * Creates a layer that listens on `addr`, which is 'inmem://name' or 'name'. Default: a random
   * name. Throws a TypeError for an unknown option, and `invalid_argument` for a malformed `addr`.
   * If the name is taken, `listen` rejects with `address_in_use`.
   */
  layer(addr?: string, options?: InmemLayerOptions): StreamLayer;
}

/**
 * Creates a set of in-memory streams, which shares nothing with other sets. Addresses have the form
 * 'inmem://name'. Throws a TypeError that names an invalid option.
 */
export function createInmemStreams(options: InmemStreamsOptions = {}): InmemStreams {
  refuseUnknown(options, 'createInmemStreams', ['capacity', 'clock', 'random']);
  const { capacity = 256 * 1024 } = options;
  if (!(capacity > 0))
    throw new TypeError(
      `createInmemStreams: capacity: must be a number of bytes above 0, got ${capacity}`,
    );
  const listening = new Map<string, InmemStreamLayer>();
  return {
    layer(addr, own = {}) {
      refuseUnknown(own, 'layer', ['advertiseAddr', 'clock', 'random']);
      const { clock = options.clock ?? systemClock, random = options.random ?? systemRandom } = own;
      const { advertiseAddr } = own;
      const name = nameFor(addr, random);
      return new InmemStreamLayer(listening, { capacity, name, advertiseAddr, clock });
    },
  };
}

/** The settings of a layer with all defaults filled in. */
interface LayerSettings {
  readonly capacity: number;
  readonly name: string;
  readonly advertiseAddr: string | undefined;
  readonly clock: Clock;
}

class InmemStreamLayer extends NearbyLayer {
  private readonly listening: Map<string, InmemStreamLayer>;
  private readonly capacity: number;
  private readonly name: string;
  private dialed = 0;

  constructor(
    listening: Map<string, InmemStreamLayer>,
    { capacity, name, advertiseAddr, clock }: LayerSettings,
  ) {
    super(clock, advertiseAddr);
    this.listening = listening;
    this.capacity = capacity;
    this.name = name;
  }

  protected override bind(): string {
    const address = SCHEME + this.name;
    if (this.listening.has(this.name)) {
      throw reasonError(
        'address_in_use',
        `Cannot listen on ${address}: another layer of these streams listens on it; close it, or choose another name`,
        {
          target: address,
        },
      );
    }
    this.listening.set(this.name, this);
    return address;
  }

  protected override unbind(): void {
    this.listening.delete(this.name);
  }

  protected override find(address: string): InmemStreamLayer | undefined {
    return this.listening.get(nameOf(address));
  }

  protected override connect(
    address: string,
    peer: InmemStreamLayer,
  ): [StreamConnection, StreamConnection] {
    const near = new ByteConnection(SCHEME + nameOf(address), this.clock, this.capacity);
    const far = new ByteConnection(
      `${SCHEME}${this.name}:${++this.dialed}`,
      peer.clock,
      peer.capacity,
    );
    MemoryConnection.join(near, far);
    return [near, far];
  }
}
