// A stream layer whose addresses are the names of nodes, as in a simulation, around a real layer.

import { TransportError } from '@trunkline/transport-core';
import {
  type DialOptions,
  type ListenOptions,
  reasonError,
  type StreamConnection,
  type StreamLayer,
} from '@trunkline/transport-core/backend';

/** Knows the real addresses behind names. */
export interface Directory {
  /** Announces that a transport listens. */
  announce(target: string, address: string): void;
  /** Returns the address to dial for a target; undefined if nothing listens there. */
  resolve(target: string): Promise<string | undefined>;
}

/** A layer that listens on a real address under a name, and dials names. */
export class NamedLayer implements StreamLayer {
  readonly #name: string;
  readonly #inner: StreamLayer;
  readonly #directory: Directory;

  constructor(name: string, inner: StreamLayer, directory: Directory) {
    this.#name = name;
    this.#inner = inner;
    this.#directory = directory;
  }

  async listen(
    accept: Parameters<StreamLayer['listen']>[0],
    failed?: (error: TransportError) => void,
    options?: ListenOptions,
  ): Promise<void> {
    await this.#inner.listen(accept, failed, options);
    this.#directory.announce(this.#name, this.#inner.localAddr());
  }

  async dial(target: string, options: DialOptions): Promise<StreamConnection> {
    const address = await this.#directory.resolve(target);
    if (address === undefined)
      throw reasonError(
        'connection_refused',
        `Cannot connect to ${target}: no transport of this node listens`,
        { target },
      );
    return this.#inner.dial(address, options);
  }

  localAddr(): string {
    // Throws if the layer does not listen.
    this.#inner.localAddr();
    return this.#name;
  }

  advertiseAddr(): string {
    return this.#name;
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

/**
 * A stream layer that becomes available later, because it is created asynchronously while its
 * transport is created synchronously.
 */
export class PromisedLayer implements StreamLayer {
  readonly #layer: Promise<StreamLayer>;
  #made: StreamLayer | undefined;

  constructor(layer: Promise<StreamLayer>) {
    this.#layer = layer;
    layer.then(
      (made) => void (this.#made = made),
      () => {},
    );
  }

  async listen(...args: Parameters<StreamLayer['listen']>): Promise<void> {
    await (await this.#layer).listen(...args);
  }

  async dial(address: string, options: DialOptions): Promise<StreamConnection> {
    return (await this.#layer).dial(address, options);
  }

  localAddr(): string {
    if (this.#made === undefined)
      throw new TransportError(
        'failed_precondition',
        'This transport does not listen yet: await listen()',
      );
    return this.#made.localAddr();
  }

  advertiseAddr(): string {
    return this.localAddr();
  }

  async close(): Promise<void> {
    await (await this.#layer.catch(() => undefined))?.close();
  }
}
