// The parts of a Plumtree machine, and how they are connected.

import type { OutputQueue } from '@trunkline/peers/internal';
import { type PlumtreeCounters, Reports } from './counters.ts';
import { GraftRequests, LeafProbes } from './graft-requests.ts';
import type { PlumtreeInit, PlumtreeOutput } from './message.ts';
import { MessageCache } from './message-cache.ts';
import { MissingMessages } from './missing-messages.ts';
import type { Neighbor } from './neighbor.ts';
import type { PlumtreeOptions } from './options.ts';
import { OutgoingMessages } from './outgoing-messages.ts';
import { Tree } from './tree.ts';

/** The values that the parts share. */
export interface PlumtreeShared<P> {
  /** The node id of this node. */
  readonly self: string;
  readonly options: PlumtreeOptions;
  readonly look: PlumtreeInit['look'];
  readonly counters: PlumtreeCounters;
  readonly outputs: OutputQueue<PlumtreeOutput<P>>;
  readonly neighbors: ReadonlyMap<string, Neighbor>;
}

/** The parts that handle inputs together. */
export interface PlumtreeParts<P> extends PlumtreeShared<P> {
  readonly cache: MessageCache<P>;
  readonly missing: MissingMessages;
  readonly outgoing: OutgoingMessages<P>;
  readonly tree: Tree<P>;
  readonly graftRequests: GraftRequests<P>;
  readonly leafProbes: LeafProbes<P>;
  readonly reports: Reports<P>;
}

/**
 * Creates the parts.
 * @param init `isSource` is explained in {@link PlumtreeInit}.
 */
export function plumtreeParts<P>(
  init: PlumtreeShared<P> & {
    readonly isSource: boolean;
  },
): PlumtreeParts<P> {
  const { self, options, counters, outputs, neighbors, look, isSource } = init;
  const cache = new MessageCache<P>(options);
  const missing = new MissingMessages(options);
  const reports = new Reports(outputs, counters);
  const outgoing: OutgoingMessages<P> = new OutgoingMessages({
    outputs,
    options,
    counters,
    cache,
    onTold: (told, now) => leafProbes.weigh(told, now),
  });
  const rivals = isSource ? neighbors : undefined;
  const tree = new Tree({ outputs, counters, outgoing, settleTime: options.settleTime, rivals });
  const shared = { self, options, look, counters, outputs, neighbors };
  const graftRequests = new GraftRequests({ ...shared, missing, outgoing, tree, reports });
  const leafProbes: LeafProbes<P> = new LeafProbes({
    ...shared,
    reports,
    graftRequests,
    isSource,
  });
  return { ...shared, cache, missing, outgoing, tree, graftRequests, leafProbes, reports };
}
