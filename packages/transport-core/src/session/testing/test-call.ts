// A call that records how often it settled, with which outcome, and which state it has reached.

import { TransportError } from '../../errors.ts';
import { methodTable, type Protocol } from '../../protocol/protocol.ts';
import type { EncodedMetadata } from '../../wire/frame.ts';
import { OutCall } from '../outgoing-calls.ts';

export class TestCall extends OutCall {
  settlements = 0;
  answer: Uint8Array | undefined = undefined;
  error: TransportError | undefined = undefined;
  /** True once the request of a streaming call has left. */
  opened = false;
  whole = false;
  progresses = 0;

  constructor(protocol: Protocol, method: string, payload: Uint8Array, metadata?: EncodedMetadata) {
    super(methodTable(protocol).byName.get(method)!, payload, metadata);
  }

  override answered(payload: Uint8Array): void {
    this.answer = payload;
    this.#settle();
  }

  override ended(): void {
    this.whole = true;
    this.#settle();
  }

  override failed(error: TransportError): void {
    if (this.done) return;
    this.error = error;
    this.#settle();
  }

  override expired(): void {
    this.giveUp('deadline_exceeded');
  }

  override accepted(): void {
    if (this.method.kind === 'oneway') this.#settle();
    else this.opened = true;
  }

  override progressed(): void {
    this.progresses++;
  }

  giveUp(code: 'deadline_exceeded' | 'cancelled'): void {
    if (this.done) return;
    this.error = new TransportError(code, 'given up', { sent: this.sent });
    this.#settle();
    this.download?.discard();
    this.carrier?.abandon(this);
    this.list?.remove(this);
  }

  #settle(): void {
    this.settlements++;
    this.done = true;
  }
}
