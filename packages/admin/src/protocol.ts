// The protocol of administration. It runs beside the user's own protocols, on a channel that is
// reserved for the project.

import { type Codec, json, limited } from '@trunkline/transport-core';
import { defineProjectProtocol } from '@trunkline/transport-core/internal';
import * as z from 'zod/mini';
import type { AdminEvent } from './events.ts';

/**
 * One item of `watch`: a JSON Merge Patch (RFC 7396) of the state; the first item turns `{}` into
 * the state.
 */
export interface NodeStateChange {
  /** The time of the new state, on the node's clock in milliseconds. */
  readonly at: number;
  /** True if further patches belong to the same state, which is too large for one item. */
  readonly more: boolean;
  readonly patch: { readonly [member: string]: unknown };
}

const nothing = limited(json(z.object({})), 256);
const text = (longest: number) => z.optional(z.string().check(z.maxLength(longest)));
const milliseconds = z.optional(z.number().check(z.positive(), z.maximum(30 * 24 * 3_600_000)));
const nodeId = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const LONGEST_REQUEST = 8_192;
const request = <S extends z.ZodMiniType>(schema: S) => limited(json(schema), LONGEST_REQUEST);

/**
 * The protocol `trunkline.admin`. `watch` and `events` only read; all other methods change the
 * node, and are refused with `permission_denied` unless the node was set up with `readonly: false`.
 * Mount it to call other nodes; `followNode` turns the changes into states.
 */
export const adminProtocol = defineProjectProtocol({
  name: 'trunkline.admin',
  version: 1,
  channel: 0x06,
  doc: 'Shows the state of this node to tools, and lets them change it if the node allows it.',
  methods: {
    watch: {
      id: 1,
      doc: 'Streams the state of the node: all of it, then what changed since the last item.',
      request: request(
        z.object({
          /** Milliseconds between two items; 250 or more. Default 1,000. */
          interval: z.optional(z.number().check(z.minimum(250), z.maximum(3_600_000))),
        }),
      ),
      download: json(
        z.object({ at: z.number(), more: z.boolean(), patch: z.record(z.string(), z.unknown()) }),
        { limit: 16 * 1024 * 1024, values: 4_000_000 },
      ) as Codec<NodeStateChange>,
    },
    events: {
      id: 2,
      doc: 'Streams the events of connections, peers and topics, after an event started.',
      request: nothing,
      download: json(z.looseObject({ at: z.number(), type: z.string() })) as Codec<AdminEvent>,
    },
    disconnect: {
      id: 3,
      doc: 'Closes a connection by its id, or all connections to a target, in an orderly way.',
      request: request(z.object({ connection: text(64), target: text(2_048), reason: text(256) })),
      response: limited(json(z.object({ connections: z.int() })), LONGEST_REQUEST),
    },
    ban: {
      id: 4,
      doc: 'Disconnects a node and refuses it for a time (milliseconds; default 24 hours).',
      request: request(z.object({ nodeId, time: milliseconds, reason: text(256) })),
      response: nothing,
    },
    unban: { id: 5, doc: 'Ends a ban.', request: request(z.object({ nodeId })), response: nothing },
    drain: {
      id: 6,
      doc: 'Takes the node out of service; answers when its calls in flight have ended.',
      timeout: Number.POSITIVE_INFINITY,
      request: request(z.object({ grace: milliseconds })),
      response: nothing,
    },
    logLevel: {
      id: 7,
      doc: 'Sets the level of the log; the answer has the level before.',
      // LEVELS of cli/src/commands/control.ts and the page's node-view.ts offer the same levels.
      request: request(z.object({ level: z.enum(['debug', 'info', 'warn', 'error']) })),
      response: limited(json(z.object({ before: z.string() })), LONGEST_REQUEST),
    },
  },
});
