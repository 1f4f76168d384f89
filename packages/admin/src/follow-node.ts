// Follows the state of another node.

import { type CallOptions, type Client, TransportError } from '@trunkline/transport-core';
import { refuseUnknown } from '@trunkline/transport-core/backend';
import * as z from 'zod/mini';
import type { adminProtocol } from './protocol.ts';
import { applyPatch } from './state/merge-patch.ts';
import type { NodeState } from './state/node-state.ts';

/** Options of {@link followNode}. */
export interface FollowNodeOptions extends CallOptions {
  /** Milliseconds between two states, 250 or more. Default 1,000. */
  readonly interval?: number | undefined;
}

/**
 * Yields the state of a node at once, and then each time that it has changed. Create `client` with
 * `transport.mount(adminProtocol).to(target)`. Throws the error of the call when the connection
 * ends, `data_loss` if the node sends a value that is not a state, and a TypeError for an unknown
 * option. Texts come from the node, and partly from its peers: clean them before you show them.
 */
export async function* followNode(
  client: Pick<Client<typeof adminProtocol>, 'watch'>,
  options: FollowNodeOptions = {},
): AsyncGenerator<NodeState, void> {
  refuseUnknown(options, 'followNode', ['interval', 'timeout', 'signal', 'metadata']);
  const { interval, ...own } = options;
  let state: unknown = {};
  for await (const { more, patch } of await client.watch({ interval }, own)) {
    state = applyPatch(state, patch);
    if (more) continue;
    const { success, error } = shape.safeParse(state);
    if (!success) {
      const [issue] = error!.issues;
      const where = issue?.path.join('.') ?? '';
      throw new TransportError(
        'data_loss',
        `the node sent no valid state: ${where}: ${issue?.message ?? 'unknown'}`,
      );
    }
    yield state as NodeState;
  }
}

// The members of NodeState that tools calculate with. Further members are passed on unchecked, so a
// tool must not rely on their types.
const numbers = z.record(z.string(), z.number());
const record = <S extends z.ZodMiniType>(schema: S) => z.record(z.string(), schema);
const direction = z.enum(['in', 'out']);
const optionalText = z.optional(z.string());
const callsAndBytes = z.object({ calls: z.number(), bytes: z.number() });
const messagesAndBytes = z.object({ messages: z.number(), bytes: z.number() });

const shape = z.object({
  at: z.number(),
  node: z.object({
    state: z.string(),
    draining: z.boolean(),
    readonly: z.boolean(),
    network: z.string(),
    version: z.string(),
    name: optionalText,
    certificateEnd: z.optional(z.number()),
    addresses: z.array(z.string()),
    protocols: record(z.object({ version: z.number(), channel: z.number() })),
    nodeId: optionalText,
    logLevel: optionalText,
  }),
  totals: z.object({
    received: z.number(),
    sent: z.number(),
    memory: z.number(),
    incoming: callsAndBytes,
    handshakes: z.number(),
    waiting: z.number(),
    made: z.number(),
    served: z.number(),
    failed: numbers,
    counters: numbers,
    dialing: z.array(z.string()),
  }),
  limits: z.object({
    memory: z.number(),
    connections: z.number(),
    handshakes: z.number(),
    total: callsAndBytes,
    calls: z.number(),
    streams: z.number(),
    inbound: callsAndBytes,
    outbound: messagesAndBytes,
  }),
  connections: record(
    z.object({
      endpoint: z.string(),
      direction,
      state: z.string(),
      since: z.number(),
      instance: z.string(),
      addr: optionalText,
      name: optionalText,
      nodeId: optionalText,
      rtt: z.optional(z.number()),
      bytes: z.object({ in: z.number(), out: z.number() }),
      calls: z.object({ in: z.number(), out: z.number() }),
      streams: z.number(),
      blocked: z.number(),
      inbound: callsAndBytes,
      outbound: messagesAndBytes,
      fill: z.object({
        calls: z.number(),
        streams: z.number(),
        inbound: z.number(),
        outbound: z.number(),
      }),
    }),
  ),
  calls: record(
    z.object({
      side: z.enum(['client', 'server']),
      method: z.string(),
      active: z.number(),
      codes: numbers,
      seconds: z.number(),
      counts: z.array(z.number()),
      bounds: z.array(z.number()),
    }),
  ),
  errors: record(
    z.object({
      at: z.number(),
      count: z.number(),
      what: z.string(),
      where: z.string(),
      code: z.string(),
      reason: optionalText,
      text: z.string(),
    }),
  ),
  peers: z.optional(
    record(
      z.object({
        proven: z.boolean(),
        persistent: z.boolean(),
        direction,
        score: z.number(),
        instance: z.string(),
        connection: z.string(),
        addr: optionalText,
        rtt: z.optional(z.number()),
      }),
    ),
  ),
  topics: z.optional(
    record(
      z.object({
        topic: z.string(),
        overlay: z.string(),
        neighbors: z.array(z.string()),
        interested: z.number(),
        published: z.number(),
        delivered: z.number(),
        duplicates: z.number(),
        dropped: numbers,
        waiting: z.number(),
        missed: z.number(),
      }),
    ),
  ),
  omitted: z.optional(numbers),
});
