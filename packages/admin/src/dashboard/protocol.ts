// The protocol between the dashboard and its page, over WebSocket.

import { type Codec, json, limited } from '@trunkline/transport-core';
import { defineProjectProtocol } from '@trunkline/transport-core/internal';
import * as z from 'zod/mini';
import type { Patch } from '../state/merge-patch.ts';

/**
 * One item of `watch`: a JSON Merge Patch (RFC 7396) of the network's state; the first item turns
 * `{}` into the state. `more` means that further patches belong to the same moment.
 */
export interface NetworkChange {
  readonly more: boolean;
  readonly patch: Patch;
}

/** The methods of the admin protocol with which the page may change a node. */
export const ACTIONS = ['disconnect', 'ban', 'unban', 'drain', 'logLevel'] as const;
export type Action = (typeof ACTIONS)[number];

/** The protocol of the page. Only the dashboard's own WebSocket serves it. */
export const dashboardProtocol = defineProjectProtocol({
  name: 'trunkline.dashboard',
  version: 1,
  channel: 0x07,
  doc: 'Shows the state of many nodes to the page of the dashboard.',
  methods: {
    watch: {
      id: 1,
      doc: 'Streams the states of all nodes: all of them, then what changed.',
      request: limited(json(z.object({})), 256),
      download: json(z.object({ more: z.boolean(), patch: z.record(z.string(), z.unknown()) }), {
        limit: 64 * 1024 * 1024,
        values: 16_000_000,
      }) as Codec<NetworkChange>,
    },
    change: {
      id: 2,
      doc: 'Calls a method of the admin protocol of a node that changes the node.',
      timeout: 60_000,
      request: limited(
        json(
          z.object({
            node: z.string(),
            action: z.enum(ACTIONS),
            request: z.record(z.string(), z.unknown()),
          }),
        ),
        16_384,
      ),
      response: limited(json(z.record(z.string(), z.unknown())), 16_384),
    },
  },
});
