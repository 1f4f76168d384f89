// The cost of a network of any size, from measured costs of one connection, one copy and one
// delivery. Only the number of nodes is extrapolated; each formula stands beside its figure.

import type { ConnectionMemory, ProcessCost, ScaleFigures, TreeFigures } from './figures.ts';
import type { WholeFigures, WholeKind } from './whole.ts';

/** The kinds of networks that are compared. */
export type Kind = WholeKind | 'nats';

/** The costs of a network of some size. Bytes are those of messages of 256 bytes. */
export interface Cost {
  readonly kind: Kind;
  readonly nodes: number;
  /** Connections of a node, and of the server. */
  readonly connections: number;
  readonly serverConnections: number;
  /** MiB of memory for these connections at a node. */
  readonly memory: number;
  /** Bits a second that a node sends while nothing is published. */
  readonly idle: number;
  /** Bytes that the publisher sends for a message. */
  readonly publisherBytes: number;
  /** Bytes that the server sends for a message. */
  readonly serverBytes: number;
  /** Microseconds of CPU for a message: of its publisher, of another node, and of the server. */
  readonly publisherCpu: number;
  readonly nodeCpu: number;
  readonly serverCpu: number;
  /** Links that the last delivery has passed. */
  readonly hops: number;
}

/** The costs of the parts from which those of networks are computed. */
export interface Units {
  /** KiB of memory for one end of a connection. */
  readonly memory: number;
  /** Bytes a minute that both ends of an idle connection send. */
  readonly idle: number;
  /** Bytes a minute for each connection of trees, which also exchange views and addresses. */
  readonly treeIdle: number;
  /** Bytes of one copy of a small message on a mesh, receipts included. */
  readonly meshCopy: number;
  /** Bytes that a publisher sends, and gets confirmed, for each receiver of a relayed message. */
  readonly relayReceiver: number;
  /** Connections of a node of trees. */
  readonly treeConnections: number;
  /** Bytes of one copy that a NATS server sends, and of one that a publisher sends. */
  readonly natsCopy: number;
  readonly fanout: number;
  readonly mesh: ProcessCost;
  readonly trees: ProcessCost;
  readonly nats: ProcessCost | undefined;
  /** Receivers of the processes whose CPU was measured. */
  readonly receivers: number;
  readonly sizes: readonly TreeFigures[];
}

/**
 * Returns the units, of the largest network that was measured.
 *
 * @throws Error if a part is absent.
 */
export function unitsOf(
  { processes, whole, trees }: ScaleFigures,
  { rss }: ConnectionMemory,
  fanout: number,
): Units {
  if (processes === undefined || whole === undefined || trees === undefined)
    throw new Error('scale: run all parts once before the report: --only processes,whole,trees');
  const mesh = largest(whole, 'mesh');
  const tree = largest(whole, 'trees');
  const relays = largest(whole, 'relays');
  return {
    memory: rss,
    idle: mesh.idle,
    treeIdle: tree.idle,
    meshCopy: mesh.small.delivery,
    relayReceiver: (relays.small.publisher - fanout * mesh.small.delivery) / (relays.nodes - 1),
    treeConnections: tree.connections,
    natsCopy: NATS_HEADER + mesh.small.size,
    fanout,
    mesh: processes.kinds['mesh']!,
    trees: processes.kinds['tree']!,
    nats: processes.kinds['nats'],
    receivers: processes.nodes - 1,
    sizes: trees,
  };
}

/** Computes what a network of `nodes` nodes costs. */
export function costOf(kind: Kind, nodes: number, units: Units): Cost {
  const others = nodes - 1;
  const { receivers, memory } = units;
  const ofMesh = others;
  const copy = units.mesh.publisher / receivers;
  const receive = units.mesh.cpu - copy;
  const base = { kind, nodes, serverConnections: 0, serverBytes: 0, serverCpu: 0 };
  if (kind === 'mesh' || kind === 'relays') {
    const copies = kind === 'mesh' ? others : Math.min(others, units.fanout);
    return {
      ...base,
      connections: ofMesh,
      memory: (ofMesh * memory) / 1024,
      idle: bitsASecond((ofMesh * units.idle) / 2),
      publisherBytes:
        copies * units.meshCopy + (kind === 'relays' ? others * units.relayReceiver : 0),
      publisherCpu: copies * copy,
      // A relay passes each message on to at most `fanout` others, on average to one.
      nodeCpu: kind === 'mesh' ? receive : receive + copy,
      hops: kind === 'mesh' ? 1 : depth(nodes, units.fanout),
    };
  }
  if (kind === 'trees') {
    const connections = Math.min(others, units.treeConnections);
    return {
      ...base,
      connections,
      memory: (connections * memory) / 1024,
      idle: bitsASecond((connections * units.treeIdle) / 2),
      publisherBytes: Math.min(others, units.sizes.at(-1)!.figures['links']!) * units.meshCopy,
      // All nodes share the work of a message, its publisher included.
      publisherCpu: units.trees.cpu,
      nodeCpu: units.trees.cpu,
      hops: hopsOf(nodes, units.sizes),
    };
  }
  const { nats = NONE } = units;
  return {
    ...base,
    connections: 1,
    serverConnections: nodes,
    memory: memory / 1024,
    idle: bitsASecond(NATS_PING / 2),
    publisherBytes: units.natsCopy,
    serverBytes: others * units.natsCopy,
    publisherCpu: nats.publisher,
    nodeCpu: nats.cpu - nats.server - nats.publisher / receivers,
    serverCpu: others * nats.server,
    hops: 2,
  };
}

/**
 * Returns the hops to the last node over trees. Between two sizes that were measured, and beyond
 * the largest one, they grow with the logarithm of the number of nodes.
 */
export function hopsOf(nodes: number, sizes: readonly TreeFigures[]): number {
  const last = sizes.length - 1;
  const above = sizes.findIndex((each) => each.nodes >= nodes);
  const end = Math.max(above < 0 ? last : above, 1);
  const [a, b] = [sizes[end - 1]!, sizes[end]!];
  const part = Math.log(nodes / a.nodes) / Math.log(b.nodes / a.nodes);
  return a.figures['last hop']! + part * (b.figures['last hop']! - a.figures['last hop']!);
}

/** Returns the largest network of a kind. */
export function largest(whole: readonly WholeFigures[], kind: WholeKind): WholeFigures {
  const all = whole.filter((each) => each.kind === kind).sort((a, b) => b.nodes - a.nodes);
  if (all[0] === undefined) throw new Error(`scale: there are no figures of ${kind}`);
  return all[0];
}

/** Returns the levels of a tree in which each node has `fanout` children. */
function depth(nodes: number, fanout: number): number {
  let reached = 1;
  let hops = 0;
  for (let level = 1; reached < nodes; hops++) reached += level *= fanout;
  return hops;
}

function bitsASecond(bytesAMinute: number): number {
  return (bytesAMinute * 8) / 60;
}

const NONE: ProcessCost = { cpu: 0, publisher: 0, server: 0, bytes: 0 };
/** `MSG <subject> <sid> <size>\r\n` and `\r\n`, with a subject of ten characters. */
const NATS_HEADER = 26;
/** Bytes a minute of `PING\r\n` and `PONG\r\n`, which a NATS server exchanges every two minutes. */
const NATS_PING = 6;
