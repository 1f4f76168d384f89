// A one-way that is sent immediately or not at all, and whose fate is not reported.

import type { Method } from '../protocol/protocol.ts';
import { OutCall } from '../session/out-call.ts';

/** The one-way of a `trySend`. */
export class TryCall extends OutCall {
  constructor(channel: number, method: Method, payload: Uint8Array) {
    super(channel, method, payload, undefined);
    this.done = true;
  }

  answered(): void {}
  ended(): void {}
  failed(): void {}
  expired(): void {}
  accepted(): void {}
  progressed(): void {}
}
