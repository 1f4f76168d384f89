// The graph of nodes and links, assembled from the connections that each node reports.

import type { NodeConnectionState, NodeState } from '../../state/node-state.ts';
import type { NetworkState, WatchedNode } from '../network-state.ts';
import { own } from './own.ts';
import { titleOf } from './titles.ts';

/** The health of a node: 'unwatched' for a node that only others mention. */
export type Health = 'up' | 'draining' | 'closing' | 'connecting' | 'lost' | 'unwatched';

/** A node of the graph. */
export interface Vertex {
  /**
   * The name of the node if it is watched, otherwise the node id, address or instance id that other
   * nodes report.
   */
  readonly key: string;
  readonly title: string;
  readonly health: Health;
  /** The number of links to other nodes. */
  degree: number;
  /** The number of clients that are connected to the node. */
  clients: number;
}

/** All connections from one node to another. A connection runs from the node that dialed it. */
export interface Link {
  readonly key: string;
  /** The node that dialed, and the one that accepted. */
  readonly from: string;
  readonly to: string;
  readonly titles: { readonly from: string; readonly to: string };
  /** The number of connections. */
  readonly connections: number;
  readonly state: NodeConnectionState['state'];
  /** The longest round-trip time of all connections, in milliseconds. */
  readonly rtt: number | undefined;
  /** Bytes per second from `from` to `to`, and in the other direction. */
  readonly there: number;
  readonly back: number;
  /** Bytes since the connections were made. */
  readonly total: number;
}

export interface Graph {
  readonly vertices: readonly Vertex[];
  readonly links: readonly Link[];
  /**
   * The links of clients. A client is not watched, advertises no address, and is no peer; it only
   * dials. So nobody can dial it, and it is no node of the graph.
   */
  readonly clients: readonly Link[];
}

/**
 * Returns the graph of the network at one moment. A link that both ends report is one link, with
 * the figures of the node that dialed.
 * @param before an earlier moment; rates are averages since then
 */
export function graphOf(network: NetworkState, before?: NetworkState): Graph {
  const names = aliasesOf(network);
  const vertices = new Map<string, Vertex>();
  const add = (key: string, title: string, health: Health) =>
    vertices.set(key, { key, title, health, degree: 0, clients: 0 });
  for (const [key, watched] of Object.entries(network.nodes))
    add(key, titleOf(network, key), healthOf(watched));
  /** The nodes that are not watched, in contrast to clients. */
  const nodes = new Set<string>();
  const sides = new Map<string, { dialer: Sum; listener: Sum; from: string; to: string }>();
  const all = ends(network);
  // All connections of a peer have the same instance id, so one connection with a known address
  // identifies the others.
  for (const { connection } of all) learn(names, connection);
  for (const { key, state, connection, id } of all) {
    const other = keyOf(names, connection);
    if (!vertices.has(other)) add(other, connection.name ?? titleOf(network, other), 'unwatched');
    const isOut = connection.direction === 'out';
    if (isOut || !isClient(connection, state)) nodes.add(other);
    const [from, to] = isOut ? [key, other] : [other, key];
    const name = `${from}\n${to}`;
    const side = sides.get(name) ?? { dialer: newSum(), listener: newSum(), from, to };
    sides.set(name, side);
    const earlier = own(before?.nodes, key)?.state;
    addTo(isOut ? side.dialer : side.listener, connection, rates(state, earlier, id));
  }
  const links: Link[] = [];
  const clients: Link[] = [];
  for (const [key, { dialer, listener, from, to }] of sides) {
    const [source, target] = [vertices.get(from)!, vertices.get(to)!];
    const { connections, state, rtt, sent, received, total } =
      dialer.connections > 0 ? dialer : listener;
    // The bytes that the listener has received are those that the dialer has sent.
    const [there, back] = dialer.connections > 0 ? [sent, received] : [received, sent];
    const titles = { from: source.title, to: target.title };
    const link: Link = { key, from, to, titles, connections, state, rtt, there, back, total };
    if (source.health === 'unwatched' && !nodes.has(from)) {
      target.clients++;
      clients.push(link);
    } else {
      source.degree++;
      target.degree++;
      links.push(link);
    }
  }
  const shown = [...vertices.values()].filter(
    ({ key, health }) => health !== 'unwatched' || nodes.has(key),
  );
  return { vertices: shown, links, clients };
}

/** Returns true if a node reports a connection as that of a client. */
function isClient({ addr, instance }: NodeConnectionState, { peers = {} }: NodeState): boolean {
  return addr === undefined && !Object.values(peers).some((peer) => peer.instance === instance);
}

/** Returns the health of a watched node. */
export function healthOf({ status, state }: WatchedNode): Health {
  if (status !== 'up' || state === undefined) return status === 'up' ? 'connecting' : status;
  if (state.node.state !== 'open') return 'closing';
  return state.node.draining ? 'draining' : 'up';
}

/** Returns the name under which the graph has the peer of a connection. */
export function peerName(network: NetworkState, connection: NodeConnectionState): string {
  const names = aliasesOf(network);
  learn(names, connection);
  return keyOf(names, connection);
}

/** A connection, and the node that reports it. */
interface End {
  readonly key: string;
  readonly id: string;
  readonly state: NodeState;
  readonly connection: NodeConnectionState;
}

/** The sums over the connections that one end of a link reports. */
interface Sum {
  connections: number;
  state: NodeConnectionState['state'];
  rtt: number | undefined;
  sent: number;
  received: number;
  total: number;
}

function ends({ nodes }: NetworkState): End[] {
  return Object.entries(nodes).flatMap(([key, { status, state }]) =>
    state === undefined || status === 'lost'
      ? []
      : Object.entries(state.connections).map(([id, connection]) => ({
          ...{ key, id, state, connection },
        })),
  );
}

/** Returns the names of watched nodes by their node ids and addresses. */
function aliasesOf({ nodes }: NetworkState): Map<string, string> {
  const names = new Map<string, string>();
  for (const [key, { state }] of Object.entries(nodes)) {
    const [first = '', ...rest] = key.split('@');
    const own = rest.length === 0 ? [first] : [first, rest.join('@')];
    for (const name of [...own, ...(state?.node.addresses ?? []), state?.node.nodeId ?? '']) {
      if (name === '') continue;
      names.set(name, key);
      names.set(withoutScheme(name), key);
    }
  }
  return names;
}

/** Records the instance id of a peer whose name is known. */
function learn(names: Map<string, string>, connection: NodeConnectionState): void {
  if (connection.instance === '' || names.has(instanceName(connection))) return;
  const known = found(names, connection);
  if (known !== undefined) names.set(instanceName(connection), known);
}

function keyOf(names: ReadonlyMap<string, string>, connection: NodeConnectionState): string {
  const { nodeId, addr, direction, endpoint, instance } = connection;
  return (
    found(names, connection) ??
    names.get(instanceName(connection)) ??
    nodeId ??
    addr?.split(',')[0] ??
    (direction === 'out' || instance === '' ? endpoint : `instance ${instance.slice(0, 8)}`)
  );
}

function found(names: ReadonlyMap<string, string>, connection: NodeConnectionState) {
  const { nodeId, addr = '', direction, endpoint } = connection;
  const candidates = [nodeId, ...addr.split(','), direction === 'out' ? endpoint : undefined];
  for (const name of candidates) {
    if (name === undefined || name === '') continue;
    const known = names.get(name) ?? names.get(withoutScheme(name));
    if (known !== undefined) return known;
  }
  return undefined;
}

function instanceName({ instance }: NodeConnectionState): string {
  return `instance ${instance}`;
}

function withoutScheme(address: string): string {
  return address.replace(/^[a-z]+:\/\//, '').replace(/\/$/, '');
}

/** Returns the bytes a second of a connection since an earlier state. */
function rates(state: NodeState, earlier: NodeState | undefined, id: string) {
  const before = own(earlier?.connections, id);
  const seconds = earlier === undefined ? 0 : (state.at - earlier.at) / 1_000;
  const { bytes } = state.connections[id]!;
  if (before === undefined || seconds <= 0) return { sent: 0, received: 0 };
  const rate = (after: number, then: number) => Math.max(0, after - then) / seconds;
  return { sent: rate(bytes.out, before.bytes.out), received: rate(bytes.in, before.bytes.in) };
}

function newSum(): Sum {
  return { connections: 0, state: 'up', rtt: undefined, sent: 0, received: 0, total: 0 };
}

function addTo(
  sum: Sum,
  { state, rtt, bytes }: NodeConnectionState,
  { sent, received }: { readonly sent: number; readonly received: number },
): void {
  sum.connections++;
  if (state !== 'up') sum.state = state;
  if (rtt !== undefined) sum.rtt = Math.max(rtt, sum.rtt ?? 0);
  sum.sent += sent;
  sum.received += received;
  sum.total += bytes.in + bytes.out;
}
