// Serves the states of the network to the page, and passes its changes on to the nodes.

import {
  type CallOptions,
  type Handlers,
  serve,
  type Transport,
  TransportError,
} from '@trunkline/transport-core';
import { createPatch, type JsonObject } from '../state/merge-patch.ts';
import { inParts } from '../state/split-patch.ts';
import type { NetworkFollower } from './network-follower.ts';
import type { dashboardProtocol, NetworkChange } from './protocol.ts';

/** Options of the feed. */
export interface FeedOptions {
  readonly readonly: boolean;
  /** Milliseconds between two states that a page receives. */
  readonly interval: number;
  /** The metadata that is sent with each change. */
  readonly metadata: Readonly<Record<string, string>> | undefined;
}

/** Answers the calls of the page. */
export function serveFeed(
  transport: Transport<typeof dashboardProtocol>,
  follower: NetworkFollower,
  { readonly, interval, metadata }: FeedOptions,
): void {
  let watching = 0;
  const handlers: Handlers<typeof dashboardProtocol> = {
    async *watch(_, { signal }) {
      if (watching >= MOST_PAGES)
        throw new TransportError(
          'resource_exhausted',
          `${MOST_PAGES} pages show this dashboard already: close one`,
        );
      watching++;
      try {
        yield* changes(transport, follower, interval, signal);
      } finally {
        watching--;
      }
    },
    async change({ node, action, request }, { signal }) {
      if (readonly)
        throw new TransportError(
          'permission_denied',
          'this dashboard only shows nodes: start it with readonly: false, or --allow-changes',
          { reason: 'denied' },
        );
      const client = follower.clientOf(node);
      if (client === undefined)
        throw new TransportError('not_found', `the dashboard shows no node '${node}'`);
      const call = client[action] as AnyMethod;
      return (await call(request, { metadata, signal })) as Record<string, unknown>;
    },
  };
  // The page shows the nodes with their addresses, so their errors are passed on.
  serve(transport, handlers, { toError: (error) => error as TransportError });
}

/** Maximum number of pages that are served at a time. */
const MOST_PAGES = 16;

type AnyMethod = (request: unknown, options: CallOptions) => Promise<unknown>;

/**
 * Yields the changes of the state. A slow page gets fewer and larger changes, because the next
 * state is taken only after the page has taken the last change.
 */
async function* changes(
  { clock }: Transport<typeof dashboardProtocol>,
  follower: NetworkFollower,
  interval: number,
  signal: AbortSignal,
): AsyncGenerator<NetworkChange, void> {
  let sent: JsonObject = {};
  let due = clock.now();
  while (!signal.aborted) {
    const next = follower.state() as unknown as JsonObject;
    const patch = createPatch(sent, next);
    sent = next;
    if (patch !== undefined) yield* inParts(patch);
    due = Math.max(due + interval, clock.now());
    await clock.sleep(due - clock.now(), signal).catch(() => {});
  }
}
