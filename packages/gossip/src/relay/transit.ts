// A message that comes to this node from a relay, or from its origin with this node as a relay. It
// is passed on while it comes.

import { TransportError } from '@trunkline/transport-core';
import { Distribution, type DistributionHost } from './distribution.ts';
import { RelayBuffer } from './relay-buffer.ts';
import { longestTransfer } from './timing.ts';

export interface TransitHost extends Omit<DistributionHost, 'missed'> {
  /** The sender sends something else than it announced. */
  misbehaved(): void;
}

/** One message of another node that is being received and passed on. */
export class Transit {
  readonly #buffer: RelayBuffer;
  readonly #host: TransitHost;
  readonly #distribution: Distribution;
  readonly #missed = new Set<string>();
  readonly #end: number;
  #source: AsyncIterator<Uint8Array> | undefined = undefined;
  #movedAt: number;

  constructor(size: number, host: TransitHost) {
    const now = host.now();
    this.#buffer = new RelayBuffer(new Uint8Array(size));
    this.#host = host;
    this.#movedAt = now;
    this.#end = now + longestTransfer(host, size);
    this.#distribution = new Distribution(this.#buffer, {
      ...host,
      missed: (nodeIds) => this.#miss(nodeIds),
    });
  }

  /**
   * Receives the message and passes it on to `rest` at the same time. Resolves to the whole
   * message; rejects if it does not come.
   */
  async receive(chunks: AsyncIterable<Uint8Array>, rest: readonly string[]): Promise<Uint8Array> {
    const buffer = this.#buffer;
    const source = chunks[Symbol.asyncIterator]();
    this.#source = source;
    this.#distribution.send(rest);
    try {
      for (let item = await source.next(); item.done !== true; item = await source.next())
        this.#take(item.value);
      if (!buffer.isWhole) throw buffer.error ?? this.#wrong('ended too early');
      return buffer.bytes;
    } catch (error) {
      buffer.fail(error);
      throw error;
    } finally {
      this.#source = undefined;
      this.#host.changed();
    }
  }

  /**
   * Resolves, when no transfer is under way any more, to the nodes that the message could not be
   * passed on to.
   */
  async passedOn(): Promise<readonly string[]> {
    await this.#distribution.settled();
    return [...this.#missed];
  }

  get due(): number {
    const { due } = this.#distribution;
    return this.#source === undefined
      ? due
      : Math.min(due, this.#movedAt + this.#host.stall, this.#end);
  }

  wake(now: number): void {
    this.#distribution.wake(now);
    if (this.#source !== undefined && now >= Math.min(this.#movedAt + this.#host.stall, this.#end))
      this.#leave(TOO_SLOW);
  }

  stop(): void {
    this.#leave(STOPPED);
    this.#distribution.stop();
  }

  #take(chunk: Uint8Array): void {
    const buffer = this.#buffer;
    if (buffer.error !== undefined) throw buffer.error;
    if (!buffer.append(chunk)) {
      this.#host.misbehaved();
      throw this.#wrong('is longer than declared');
    }
    if (chunk.length > 0) this.#movedAt = this.#host.now();
  }

  #wrong(what: string): TransportError {
    return new TransportError(
      'invalid_argument',
      `a relayed message of ${this.#buffer.bytes.length} bytes ${what}`,
    );
  }

  #leave(error: TransportError): void {
    this.#buffer.fail(error);
    const source = this.#source;
    void source?.return?.().catch(() => {});
  }

  #miss(nodeIds: readonly string[]): void {
    for (const nodeId of nodeIds) this.#missed.add(nodeId);
  }
}

const TOO_SLOW = new TransportError('deadline_exceeded', 'a relayed message arrived too slowly');
const STOPPED = new TransportError('unavailable', 'gossip was closed on this node');
