// trunkline peers, topics and watch: the state of a node, from its admin protocol.

import { type AdminEvent, followNode, type NodeState } from '@trunkline/admin';
import { cleanText } from '@trunkline/transport-core/backend';
import type { Command } from 'commander';
import { explain, type NodeConnection, withNode } from '../node.ts';
import { duration, size, table, toJson } from '../output.ts';
import type { CliTerminal } from '../terminal.ts';
import { parseCount } from '../time.ts';

export function addState(program: Command, terminal: CliTerminal): void {
  program
    .command('peers')
    .summary('list the connected peers of a node')
    .description('Lists the nodes that are connected to a node as peers.')
    .action(async (_: object, command: Command) =>
      withNode(command, terminal, async (node) => {
        const { peers = {}, connections } = await stateOf(node);
        if (command.optsWithGlobals()['json'] === true) return terminal.out(`${toJson(peers)}\n`);
        const rows = Object.entries(peers).map(([id, peer]) => [
          id,
          connections[peer.connection]?.name ?? '–',
          peer.proven ? 'proven' : 'asserted',
          peer.direction,
          peer.addr ?? '–',
          duration(peer.rtt),
          String(peer.score),
          peer.persistent ? 'yes' : '',
        ]);
        const head = ['NODE', 'NAME', 'ID', 'DIRECTION', 'ADDRESS', 'RTT', 'SCORE', 'PERSISTENT'];
        return terminal.out(table([head, ...rows]));
      }),
    );
  program
    .command('topics')
    .summary('list the topics of a node')
    .description('Lists the gossip topics that a node has joined.')
    .action(async (_: object, command: Command) =>
      withNode(command, terminal, async (node) => {
        const { topics = {} } = await stateOf(node);
        if (command.optsWithGlobals()['json'] === true) return terminal.out(`${toJson(topics)}\n`);
        const rows = Object.values(topics).map((topic) => [
          topic.topic,
          topic.overlay,
          String(topic.neighbors.length),
          String(topic.published),
          String(topic.delivered),
          String(topic.duplicates),
          String(Object.values(topic.dropped).reduce<number>((sum, each) => sum + (each ?? 0), 0)),
          String(topic.missed),
        ]);
        const head = ['TOPIC', 'OVERLAY', 'NEIGHBORS', 'PUBLISHED', 'DELIVERED', 'DUPLICATES'];
        return terminal.out(table([[...head, 'DROPPED', 'MISSED'], ...rows]));
      }),
    );
  program
    .command('watch')
    .summary('show the connections of a node, and its events')
    .description(
      'Shows the connections of a node, and then events of its connections, peers and topics until you interrupt the command. With --json, it shows only the events, each as a line of JSON.',
    )
    .option('--count <number>', 'stop after this many events')
    .action(async ({ count }: { count?: string }, command: Command) =>
      withNode(command, terminal, async (node) => {
        const asJson = command.optsWithGlobals()['json'] === true;
        if (!asJson) await terminal.out(formatConnections(await stateOf(node)));
        let left = count === undefined ? Number.POSITIVE_INFINITY : parseCount(count, '--count');
        const events = await node
          .admin()
          .events({}, node.stream)
          .catch((error) => {
            throw explain(error, 'admin');
          });
        for await (const event of events) {
          if (event.source === 'admin' && event.type === 'started') continue;
          await terminal.out(`${asJson ? toJson(event) : formatEvent(event, terminal)}\n`);
          if (--left <= 0) break;
        }
      }),
    );
}

/** Returns the present state of a node. */
export async function stateOf(node: NodeConnection): Promise<NodeState> {
  try {
    for await (const state of followNode(node.admin(), node.call)) return state;
  } catch (error) {
    throw explain(error, 'admin');
  }
  throw new Error('the node sent no state');
}

function formatConnections({ at, connections }: NodeState): string {
  const rows = Object.entries(connections).map(([id, each]) => [
    id,
    each.direction,
    each.state,
    each.endpoint,
    each.name ?? each.nodeId?.slice(0, 8) ?? '–',
    duration(each.rtt),
    duration(at - each.since),
    size(each.bytes.in),
    size(each.bytes.out),
  ]);
  const head = ['ID', 'DIRECTION', 'STATE', 'ENDPOINT', 'NODE', 'RTT', 'AGE', 'RECEIVED', 'SENT'];
  return table([head, ...rows]);
}

function formatEvent(
  { source, type, at: _, ...members }: AdminEvent,
  terminal: CliTerminal,
): string {
  const time = timeOfDay(terminal.date());
  const parts = Object.entries(members).map(([key, value]) => `${key}=${describe(value)}`);
  return cleanText(`${time} ${source} ${type} ${parts.join(' ')}`);
}

function describe(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const { code, text, id, endpoint, nodeId } = value as Record<string, unknown>;
  if (code !== undefined) return `${code}: ${text}`;
  if (id !== undefined) return `${id} ${endpoint}`;
  return nodeId === undefined ? toJson(value) : String(nodeId);
}

/** Returns the time of day in UTC: '09:05:07.123'. */
function timeOfDay(milliseconds: number): string {
  const rest = Math.floor(milliseconds) % 86_400_000;
  const part = (unit: number, of: number, digits: number) =>
    String(Math.floor(rest / unit) % of).padStart(digits, '0');
  return `${part(3_600_000, 24, 2)}:${part(60_000, 60, 2)}:${part(1_000, 60, 2)}.${part(1, 1_000, 3)}`;
}
