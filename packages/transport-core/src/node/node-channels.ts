// The tracing channels of Node: trunkline:call, trunkline:handle, trunkline:dial and
// trunkline:gossip.publish.

import { tracingChannel } from 'node:diagnostics_channel';
import type { TraceChannel, TraceChannels } from '@trunkline/transport-core/backend';

/** Publishes operations on the five channels of one tracing channel. */
class NodeTraceChannel implements TraceChannel {
  readonly #channel;

  constructor(name: string) {
    this.#channel = tracingChannel<unknown, object>(`trunkline:${name}`);
  }

  get hasSubscribers(): boolean {
    // (A runtime without this member counts as having none.)
    return this.#channel.hasSubscribers === true;
  }

  run<T>(operation: object, work: () => T): T {
    const { start, end } = this.#channel;
    try {
      return start.runStores(operation, work);
    } finally {
      end.publish(operation);
    }
  }

  settled(operation: { readonly error: unknown }): void {
    const { error, asyncStart, asyncEnd } = this.#channel;
    if (operation.error !== undefined) error.publish(operation);
    asyncStart.publish(operation);
    asyncEnd.publish(operation);
  }
}

/** The tracing channels of this process. */
export const nodeChannels: TraceChannels = {
  call: new NodeTraceChannel('call'),
  handle: new NodeTraceChannel('handle'),
  dial: new NodeTraceChannel('dial'),
  publish: new NodeTraceChannel('gossip.publish'),
};
