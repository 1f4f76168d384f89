// Writes docs/scale.md: every figure comes from the measurements and the model.

import { markdownTable, round3 } from '@trunkline/bench/table';
import type { ConnectionMemory, ScaleFigures } from './figures.ts';
import { type Cost, costOf, type Kind, largest, unitsOf } from './model.ts';
import { FANOUT, LATENCY, UPLINK } from './whole.ts';

/** The sizes of the tables. */
const NODES = [10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000];
const KINDS: readonly Kind[] = ['mesh', 'trees', 'nats', 'relays'];
const NAMES: Readonly<Record<Kind, string>> = {
  mesh: 'mesh',
  trees: 'trees',
  nats: 'NATS',
  relays: 'relays',
};

/** Returns the document. */
export function formatScale(figures: ScaleFigures, memory: ConnectionMemory): string {
  const units = unitsOf(figures, memory, FANOUT);
  const { processes, whole = [], trees = [] } = figures;
  const costs = (kind: Kind) => NODES.map((nodes) => costOf(kind, nodes, units));
  const all = new Map(KINDS.map((kind) => [kind, costs(kind)]));
  const table = (title: string, cell: (cost: Cost) => string, kinds = KINDS) => [
    `**${title}**`,
    '',
    ...markdownTable(
      ['nodes', ...kinds.map((kind) => NAMES[kind])],
      NODES.map((nodes, at) => [round3(nodes), ...kinds.map((kind) => cell(all.get(kind)![at]!))]),
      0,
    ),
    '',
  ];
  const mesh = largest(whole, 'mesh');
  const tree = largest(whole, 'trees');
  const perCopy = units.mesh.publisher / units.receivers;
  const limit = Math.floor(1e6 / (RATE * perCopy));
  const natsLimit = units.nats && Math.floor(1e6 / (RATE * units.nats.server));
  const { small, large } = mesh;
  const lines = [
    '# Scale',
    '',
    'This page says what a network costs from 10 to 100,000 nodes: connections, bytes and CPU.',
    '',
    'It compares four ways of sending a message to all nodes. A program writes this page: `npx pnpm@12 evaluate scale --report`.',
    '',
    '- **mesh**: each node is connected to every other node, and sends its messages directly (`fullMesh()`).',
    '- **trees**: each node has a few neighbors, and messages travel along trees (`partialView()`).',
    '- **NATS**: each node is connected to one NATS server, which sends a copy to each subscriber. This is a bare client, not a Trunkline transport.',
    `- **relays**: a mesh in which a message is sent to ${FANOUT} nodes, which pass it on (\`relay\`, meant for large messages).`,
    '',
    '## Which to choose',
    '',
    ...markdownTable(
      ['you have', 'choose', 'because'],
      [
        [
          'calls between services, at any size',
          'no network of all nodes: each node dials only the nodes that it calls',
          'a connection costs memory only where it is used',
        ],
        [
          'few nodes that all know each other, small messages',
          'mesh',
          `one hop, one copy per node. At ${RATE} messages of ${small.size} bytes a second, a publisher needs a whole core for ${round3(limit)} nodes`,
        ],
        [
          'few nodes, messages above 64 KiB, slow uplinks',
          'relays',
          `the publisher sends ${FANOUT} copies. At ${mesh.nodes} nodes, 1 MiB took ${round3(largest(whole, 'relays').large.last)} ms instead of ${round3(large.last)}`,
        ],
        [
          'hundreds of nodes or more that come and go, and no server',
          'trees',
          `a node keeps a few connections (${round3(tree.connections)} on average at ${tree.nodes} nodes, bounded by the limits of [peers](peers.md)), and its cost of a message does not grow with the network`,
        ],
        [
          'a NATS server that is there already; clients behind NATs; clients in other languages',
          'NATS',
          natsLimit === undefined
            ? 'one connection per node; not measured here'
            : `one connection per node, two hops. At ${RATE} messages a second, the server needs a core for each ${round3(natsLimit)} subscribers`,
        ],
        [
          'messages that must not be lost while a node is away',
          'a log that some node serves as a [resumable download](resumption.md), or a store',
          'none of the four keeps messages for nodes that are away',
        ],
      ],
      3,
    ),
    '',
    '## Connections and idle traffic',
    '',
    'The NATS server holds one connection per node.',
    '',
    ...table('Connections of a node', ({ connections }) => round3(connections)),
    ...table('Memory of these connections at a node, MiB', (cost) => round3(cost.memory)),
    ...table('Idle traffic that a node sends, kbit/s', ({ idle }) => round3(idle / 1_000)),
    `## One message of ${small.size} bytes`,
    '',
    ...table('Bytes that its publisher sends', (cost) => round3(cost.publisherBytes)),
    ...table('CPU of its publisher, µs', (cost) => round3(cost.publisherCpu)),
    ...table('CPU of another node, µs', (cost) => round3(cost.nodeCpu)),
    ...table('Hops to the last node', ({ hops }) => round3(hops)),
    ...table(
      'CPU of the server, µs, and the KiB that it sends',
      (cost) => `${round3(cost.serverCpu)}, ${round3(cost.serverBytes / 1024)}`,
      ['nats'],
    ),
    '## Where the figures come from',
    '',
    'Only the number of nodes is extrapolated. The costs of one connection, one copy and one delivery were measured.',
    '',
    `**Memory.** One end of an idle connection takes ${round3(memory.rss)} KiB of RSS over plain TCP ([benchmark s8](performance.md), ${memory.machine.processor}). TLS takes more.`,
    '',
    `**CPU.** ${processes!.nodes} processes on one machine (${processes!.machine.processor}, ${processes!.machine.cores} cores, Node ${processes!.machine.node}) exchanged ${processes!.rate} messages of ${processes!.size} bytes a second over TCP on loopback. Other programs ran on the same machine, so the figures are rough, and only their order of magnitude counts. [What each overlay costs](gossip-explained.md#what-each-overlay-costs) shows how much they vary with the load, and that a mesh costs less CPU than trees on a machine that is not overloaded: a busy process handles several messages each time it wakes, and then a delivery costs less.`,
    '',
    ...markdownTable(
      [
        '',
        'all processes, µs per delivery',
        'publisher, µs per message',
        'server, µs per delivery',
        'bytes per delivery',
      ],
      Object.entries(processes!.kinds).map(([name, cost]) => [
        name,
        round3(cost.cpu),
        round3(cost.publisher),
        round3(cost.server),
        round3(cost.bytes),
      ]),
      1,
    ),
    '',
    `**Bytes.** Whole nodes in simulation, with their codecs: an idle minute, then messages of ${small.size} bytes and of 1 MiB from one node. Each node has ${round3((UPLINK * 8) / 1e6)} Mbit/s for all its links together, and ${LATENCY} ms to each other node. Bytes are those of the streams, without TLS, TCP and IP. Receipts, notices and repair are included.`,
    '',
    ...markdownTable(
      [
        'network',
        'nodes',
        'connections, mean',
        'most',
        'idle bytes a minute per connection',
        `${small.size} B: publisher sends`,
        'all send, per delivery',
        'last, ms',
        '1 MiB: publisher sends, KiB',
        'node that sends most',
        'last, ms',
      ],
      whole.map((each) => [
        each.kind,
        round3(each.nodes),
        round3(each.connections),
        round3(each.mostConnections),
        round3(each.idle),
        round3(each.small.publisher),
        round3(each.small.delivery),
        round3(each.small.last),
        round3(each.large.publisher / 1024),
        round3(each.large.most / 1024),
        round3(each.large.last),
      ]),
      1,
    ),
    '',
    'The first node of the trees is the seed of all others, and has a place for each of them; this is the node with most connections.',
    '',
    '**Trees.** The state machines of the trees alone, without codecs, with messages of many senders. "Control" counts notices (IHAVE), grafts and prunes one by one, although a node sends several in one frame.',
    '',
    ...markdownTable(
      [
        'nodes',
        'links of a node',
        'payloads per delivery',
        'control messages per delivery',
        'payloads of the first message',
        'shortest path, mean',
        'hops to the last node',
        'missed',
      ],
      trees.map(({ nodes, figures: each }) => [
        round3(nodes),
        round3(each['links']!),
        round3(each['payloads']!),
        round3(each['control']!),
        round3(each['first']!),
        round3(each['path']!),
        round3(each['last hop']!),
        round3(each['missed']!),
      ]),
      0,
    ),
    '',
    '**Formulas.** With *n* nodes:',
    '',
    '- mesh: *n* − 1 connections and copies; the CPU of the publisher is that of one copy × (*n* − 1).',
    `- relays: as the mesh, but at most ${FANOUT} copies, and a confirmation from each receiver; a node passes each message on to one other on average. Hops are the levels of a tree with ${FANOUT} children.`,
    '- trees: the connections of the largest network of whole nodes; the publisher sends to its neighbors; the CPU of a node is that of one delivery, and does not depend on *n*. Hops grow with the logarithm of *n*: between two sizes that were simulated, and beyond the largest.',
    '- NATS: the server sends *n* − 1 copies. Its bytes are those of its text protocol (`MSG`, with a subject of ten characters). Several servers in a cluster share the subscribers.',
    '',
    '**What is not measured:**',
    '',
    '- networks larger than those in the two tables of simulations',
    '- real networks of more than one machine',
    '- the memory that a NATS server needs for a connection',
    '- TLS and Noise at these sizes',
    '- churn, which [the evaluation of gossip](gossip-evaluation.md) measures',
    '',
    '**Next:** [gossip](gossip.md) shows how to use each of them.',
  ];
  return `${lines.join('\n')}\n`;
}

/** Messages a second in the table of choices. */
const RATE = 100;
