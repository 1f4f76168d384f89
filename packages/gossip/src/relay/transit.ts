// A message that a relay, or its origin, sends to this node to be passed on. It is passed on while
// it arrives. A transit owns the download and its deadlines, and queues outputs of the relay
// machine.

import { TransportError } from '@trunkline/transport-core';
import { messageKey } from '../messages/message-id.ts';
import { MOST_HOPS } from '../plumtree/message.ts';
import { decodePush, type Envelope } from '../wire/frame.ts';
import type { RelayHead } from '../wire/relay-frames.ts';
import { Distribution, type RelayShared } from './distribution.ts';
import { RelayBuffer } from './relay-buffer.ts';
import { longestTransfer } from './timing.ts';

/** The download of a transit: its number, its sender, and the head of the message. */
export interface Download {
  readonly download: number;
  readonly from: string;
  readonly head: RelayHead;
}

/** One message of another node that is being received and passed on. */
export class Transit {
  /** The number of the download. */
  readonly download: number;
  readonly head: RelayHead;
  readonly #shared: RelayShared;
  readonly #from: string;
  readonly #buffer: RelayBuffer;
  readonly #distribution: Distribution;
  readonly #end: number;
  #movedAt: number;
  /** `failed`: the request has been refused, but uploads are still under way. */
  #phase: 'receiving' | 'delivering' | 'passing-on' | 'failed' = 'receiving';

  constructor(shared: RelayShared, { download, from, head }: Download, now: number) {
    this.head = head;
    this.#shared = shared;
    this.download = download;
    this.#from = from;
    this.#buffer = new RelayBuffer(new Uint8Array(head.size));
    this.#movedAt = now;
    this.#end = now + longestTransfer(shared.config, head.size);
    const { topic, id, size } = head;
    const hops = Math.min(head.hops + 1, MOST_HOPS);
    this.#distribution = new Distribution(shared, this.#buffer, { topic, id, hops, size }, now);
    this.#distribution.send(head.rest, now);
    shared.outputs.add({ type: 'receive', download });
  }

  /** Called when the next bytes of the message have arrived. */
  received(chunk: Uint8Array, now: number): void {
    if (this.#phase !== 'receiving') return;
    if (!this.#buffer.append(chunk)) {
      this.#shared.outputs.add({ type: 'misbehaved', peer: this.#from });
      return this.#fail(this.#wrong('is longer than declared'), now);
    }
    if (chunk.length > 0) this.#movedAt = now;
    this.#distribution.arrived(now);
  }

  /**
   * Called when the download has ended or failed. If the whole message has arrived, hands it to its
   * topic.
   */
  ended(error: unknown, now: number): void {
    const isOpen = this.#phase === 'receiving' || this.#phase === 'delivering';
    if (isOpen && error !== undefined) return this.#fail(error, now);
    if (this.#phase !== 'receiving') return;
    if (!this.#buffer.isWhole) return this.#fail(this.#wrong('ended too early'), now);
    const { head } = this;
    const envelope = decodePush(this.#buffer.bytes);
    if (envelope !== undefined && isOf(envelope, head)) {
      this.#phase = 'delivering';
      return this.#shared.outputs.add({
        type: 'deliver',
        download: this.download,
        from: this.#from,
        envelope: { ...envelope, hops: head.hops },
      });
    }
    this.#phase = 'passing-on';
    // Relays pass the message on before they can detect that, so only the origin is to blame.
    if (this.#from === head.id.origin)
      this.#shared.outputs.add({ type: 'misbehaved', peer: this.#from });
  }

  /** Called when the topic has accepted or refused the message. */
  delivered(): void {
    if (this.#phase === 'delivering') this.#phase = 'passing-on';
  }

  /** True if no upload is under way, and the message is delivered or has failed. */
  get isOver(): boolean {
    return (
      this.#distribution.isSettled && (this.#phase === 'passing-on' || this.#phase === 'failed')
    );
  }

  /** Answers the request, unless it was refused. Call it once, when the transit is over. */
  answer(): void {
    if (this.#phase === 'failed') return;
    const report = { outcome: 'took', missed: this.#distribution.takeMissed() } as const;
    this.#shared.outputs.add({ type: 'answer', download: this.download, report });
  }

  get due(): number {
    const { due } = this.#distribution;
    return this.#phase === 'receiving' ? Math.min(due, this.#latest) : due;
  }

  wake(now: number): void {
    this.#distribution.wake(now);
    if (this.#phase === 'receiving' && now >= this.#latest) this.#leave(TOO_SLOW, now);
  }

  stop(now: number): void {
    if (this.#phase === 'receiving') this.#leave(STOPPED, now);
    this.#distribution.stop();
  }

  /** Time at which the download is given up. */
  get #latest(): number {
    return Math.min(this.#movedAt + this.#shared.config.stall, this.#end);
  }

  #leave(error: TransportError, now: number): void {
    this.#shared.outputs.add({ type: 'stop', download: this.download });
    this.#fail(error, now);
  }

  #fail(error: unknown, now: number): void {
    this.#phase = 'failed';
    this.#buffer.fail(error);
    this.#distribution.arrived(now);
    this.#shared.outputs.add({ type: 'refuse', download: this.download, error });
  }

  #wrong(what: string): TransportError {
    return new TransportError(
      'invalid_argument',
      `a relayed message of ${this.#buffer.bytes.length} bytes ${what}`,
    );
  }
}

function isOf({ topic, id }: Envelope, head: RelayHead): boolean {
  return topic === head.topic && messageKey(id) === messageKey(head.id);
}

const TOO_SLOW = new TransportError('deadline_exceeded', 'a relayed message arrived too slowly');
const STOPPED = new TransportError('unavailable', 'gossip was closed on this node');
