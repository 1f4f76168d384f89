// The protocol of the mesh: the calls between two nodes, and the messages of the topic that all of
// them read.

import { bytes, defineProtocol, json } from 'trunkline';
import * as z from 'zod/mini';

/** The paths of the two WebSockets of the site: the signaling hub, and the first node. */
export const HUB_PATH = '/signal';
export const MESH_PATH = '/mesh';
/** The size of the board in its own units, which do not depend on the size of a screen. */
export const BOARD = { width: 1_600, height: 1_000 } as const;
/** A longer line is sent as several strokes. */
export const MOST_POINTS = 64;
/** Links that a node reports; a node with more leaves out the others. */
export const MOST_LINKS = 64;

const NodeId = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const X = z.int().check(z.minimum(0), z.maximum(BOARD.width));
const Y = z.int().check(z.minimum(0), z.maximum(BOARD.height));

/** A piece of a line. Pieces may arrive in any order, so each one is complete. */
export const Stroke = z.object({
  type: z.literal('stroke'),
  /** The node that drew it, and how many it had drawn before. */
  by: NodeId,
  number: z.int().check(z.minimum(0)),
  points: z.array(z.tuple([X, Y])).check(z.minLength(1), z.maxLength(MOST_POINTS)),
});
export type Stroke = z.infer<typeof Stroke>;
export type Point = Stroke['points'][number];

const LinkReport = z.object({
  nodeId: NodeId,
  /** The path of the connection: direct, or by the relay of the hub. */
  path: z.enum(['ws', 'webrtc', 'relay']),
  /** The round-trip time in milliseconds. */
  rtt: z.optional(z.number().check(z.minimum(0))),
  /** Whether messages of the topic travel over this connection. */
  isNeighbor: z.boolean(),
});
export type LinkReport = z.infer<typeof LinkReport>;

/** The state of a node, which each node publishes every second. */
const Report = z.object({
  type: z.literal('report'),
  /** Grows with each report, so that a late one can be told from a new one. */
  number: z.int().check(z.minimum(0)),
  kind: z.enum(['page', 'process']),
  strokes: z.int().check(z.minimum(0)),
  links: z.array(LinkReport).check(z.maxLength(MOST_LINKS)),
  /** The nodes to which this node has cut its link, until the link is back. */
  cuts: z.array(NodeId).check(z.maxLength(MOST_LINKS)),
});
export type Report = z.infer<typeof Report>;

export const Message = z.discriminatedUnion('type', [
  Stroke,
  Report,
  z.object({ type: z.literal('leave') }),
]);
export type Message = z.infer<typeof Message>;

export const meshProtocol = defineProtocol({
  name: 'browser-mesh',
  methods: {
    /** Cuts the link to a node. The response is false if there is none. */
    cut: { request: json(NodeId), response: json(z.boolean()) },
    /** Returns the strokes on the board, for a node that has just come. */
    board: { request: bytes, download: json(Stroke) },
  },
});
export type MeshProtocol = typeof meshProtocol;
