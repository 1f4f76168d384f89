// The tracing channels of Node: trunkline:call, trunkline:handle, trunkline:dial and
// trunkline:gossip.publish. Reporter (rpc/records.ts) publishes on them, and Ticker
// (stream/transport-resources.ts) reads `hasSubscribers`. The first three are tested in
// transport-tcp (tracing.test.ts).

import { tracingChannel } from 'node:diagnostics_channel';
import type { TraceChannel, TraceChannels } from '@trunkline/transport-core/backend';

/**
 * Returns the tracing channel with this name: Node's own object with two more functions, because
 * its member `hasSubscribers` is read in each tick. A runtime without this member counts as having
 * no subscribers. Unlike Node's `traceSync`, `run` publishes no error if `work` throws: the caller
 * publishes the outcome with `settled`.
 */
function traceChannel(name: string): TraceChannel {
  const channel = tracingChannel<unknown, object>(`trunkline:${name}`);
  const { start, end, asyncStart, asyncEnd, error } = channel;
  return Object.assign(channel, {
    run<T>(operation: object, work: () => T): T {
      try {
        return start.runStores(operation, work);
      } finally {
        end.publish(operation);
      }
    },
    settled(operation: { readonly error: unknown }): void {
      if (operation.error !== undefined) error.publish(operation);
      asyncStart.publish(operation);
      asyncEnd.publish(operation);
    },
  });
}

/** The tracing channels of this process. */
export const nodeChannels: TraceChannels = {
  call: traceChannel('call'),
  handle: traceChannel('handle'),
  dial: traceChannel('dial'),
  publish: traceChannel('gossip.publish'),
};
