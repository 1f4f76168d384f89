// Byte streams within one process: the whole NetworkTransport, without a socket. A registry is an object that you make.

import {
  type Backend,
  type Clock,
  type Random,
  reasonError,
  type StreamConnection,
  type StreamLayer,
  splitScheme,
  systemClock,
  systemRandom,
  TransportError,
} from '@trunkline/transport-core';
import { streamPair } from './inmem-connection.ts';

/** What one layer runs on. */
export interface InmemLayerOptions {
  /** Default the system's. */
  readonly clock?: Clock | undefined;
  /** Names the layers that were given no address. Default the system's. */
  readonly random?: Random | undefined;
  /** Default its address. */
  readonly advertiseAddr?: string | undefined;
}

/** A process-wide network in miniature: layers that reach each other by 'inmem://name'. */
export class InmemStreams {
  readonly #listening = new Map<string, InmemLayer>();

  /** A layer of this registry. @param addr 'inmem://name', or the name alone; default a random one. */
  layer(addr?: string, options: InmemLayerOptions = {}): StreamLayer {
    return new InmemLayer(this.#listening, addr, options);
  }
}

/** A registry of its own: two of them know nothing of each other. */
export function createInmemStreams(): InmemStreams {
  return new InmemStreams();
}

/** The backend 'inmem://' for `createTransport`. @param streams the registry; default one of its own, shared by all it is given to. */
export function inmem(streams: InmemStreams = createInmemStreams()): Backend {
  return Object.freeze({
    schemes: ['inmem'],
    layer: ({ bindAddr, advertiseAddr, clock, random }) => streams.layer(bindAddr, { advertiseAddr, clock, random }),
  } satisfies Backend);
}

class InmemLayer implements StreamLayer {
  readonly #listening: Map<string, InmemLayer>;
  readonly #name: string;
  readonly #advertiseAddr: string | undefined;
  readonly #clock: Clock;
  #accept: ((connection: StreamConnection) => void) | undefined;
  /** Ends every dial that is under way. */
  readonly #dials = new Set<(error: TransportError) => void>();

  constructor(listening: Map<string, InmemLayer>, addr: string | undefined, options: InmemLayerOptions) {
    const { clock = systemClock, random = systemRandom, advertiseAddr } = options;
    this.#listening = listening;
    this.#clock = clock;
    this.#advertiseAddr = advertiseAddr;
    const name = addr === undefined ? '' : nameOf(addr, 'listen on');
    this.#name = name === '' || name === ':0' ? randomName(random) : name;
  }

  async listen(accept: (connection: StreamConnection) => void): Promise<void> {
    if (this.#accept !== undefined) throw new TransportError('failed_precondition', `Already listening on inmem://${this.#name}: close() first`);
    if (this.#listening.has(this.#name)) {
      throw reasonError('address_in_use', `Cannot listen on inmem://${this.#name}: another layer of this registry does`, { target: `inmem://${this.#name}` });
    }
    this.#listening.set(this.#name, this);
    this.#accept = accept;
  }

  dial(address: string, options: { timeout: number; signal?: AbortSignal | undefined }): Promise<StreamConnection> {
    const { signal } = options;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      let name: string;
      try {
        name = nameOf(address, 'dial');
      } catch (error) {
        return reject(error);
      }
      const settle = () => {
        signal?.removeEventListener('abort', onAbort);
        this.#dials.delete(fail);
      };
      const fail = (error: unknown) => {
        settle();
        reject(error);
      };
      const onAbort = () => fail(signal?.reason);
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#dials.add(fail);
      this.#clock.defer(() => {
        if (!this.#dials.has(fail)) return;
        const peer = this.#listening.get(name);
        const accept = peer?.#accept;
        if (peer === undefined || accept === undefined) {
          return fail(reasonError('connection_refused', `Cannot connect to ${address}: nobody listens there in this registry`, { target: address }));
        }
        settle();
        const [dialled, accepted] = streamPair(`inmem://${this.#name}`, `inmem://${name}`, this.#clock, peer.#clock);
        accept(accepted);
        resolve(dialled);
      });
    });
  }

  localAddr(): string {
    if (this.#accept === undefined) throw new TransportError('failed_precondition', `Not listening on inmem://${this.#name} yet: await listen() first`);
    return `inmem://${this.#name}`;
  }

  advertiseAddr(): string {
    return this.#advertiseAddr ?? this.localAddr();
  }

  async close(): Promise<void> {
    for (const fail of [...this.#dials]) fail(new TransportError('shutdown', 'The dial was given up: the layer was closed'));
    if (this.#accept !== undefined) this.#listening.delete(this.#name);
    this.#accept = undefined;
  }
}

function nameOf(address: string, action: string): string {
  const { scheme, rest } = splitScheme(address.trim());
  if (scheme === undefined || scheme === 'inmem') return rest;
  throw new TransportError('invalid_argument', `Cannot ${action} '${address}': an in-memory address is 'inmem://name'`, { target: address });
}

function randomName(random: Random): string {
  return Array.from({ length: 4 }, () =>
    Math.floor(random() * 0x1_0000)
      .toString(16)
      .padStart(4, '0'),
  ).join('');
}
