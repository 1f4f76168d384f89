// Writes docs/scale.md: every figure comes from the measurements and the model.

import { markdownTable, round3 } from '@trunkline/bench/table';
import type { ConnectionMemory, ScaleFigures } from './figures.ts';
import { type Cost, costOf, type Kind, largest, unitsOf } from './model.ts';
import { FANOUT, LATENCY, UPLINK } from './whole.ts';

/** The sizes of the table. */
const NODES = [10, 1_000, 100_000];
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
  const { processes, whole = [] } = figures;
  const costs = (kind: Kind) => NODES.map((nodes) => costOf(kind, nodes, units));
  const all = new Map(KINDS.map((kind) => [kind, costs(kind)]));
  const row = (title: string, figure: (cost: Cost) => number, kinds = KINDS) => [
    title,
    ...KINDS.map((kind) => {
      if (!kinds.includes(kind)) return '';
      const cells = all.get(kind)!.map((cost) => round3(figure(cost)));
      return new Set(cells).size === 1 ? cells[0]! : cells.join('; ');
    }),
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
    'This page shows what a network of 10 to 100,000 nodes costs in connections, memory, bytes and CPU time.',
    '',
    'The page compares four ways of sending a message to all nodes:',
    '',
    '- **mesh**: each node is connected to every other node, and sends its messages directly (`fullMesh()`).',
    '- **trees**: each node has a few neighbors, and messages travel along trees (`partialView()`).',
    '- **NATS**: each node is connected to one NATS server, which sends a copy to each subscriber. The nodes are bare NATS clients without Trunkline.',
    `- **relays**: a mesh in which the publisher sends a message to ${FANOUT} nodes, which pass it on ([\`relay\`](gossip.md#large-messages)).`,
    '',
    '## Which to choose',
    '',
    ...markdownTable(
      ['you have', 'choose', 'because'],
      [
        [
          'calls between services, at any size',
          'none: each node dials only the nodes that it calls',
          'a node keeps only connections that it uses',
        ],
        [
          'few nodes that all know each other, small messages',
          'mesh',
          `one hop, one copy per node. At ${RATE} messages of ${small.size} bytes a second, a publisher needs a whole core for ${round3(limit)} nodes`,
        ],
        [
          'few nodes, messages above 64 KiB, slow uplinks',
          'relays',
          `the publisher sends ${FANOUT} copies. With ${mesh.nodes} nodes, 1 MiB reached all in ${round3(largest(whole, 'relays').large.last)} ms, instead of ${round3(large.last)} ms with a mesh`,
        ],
        [
          'hundreds of nodes or more that come and go, and no server',
          'trees',
          `a node keeps few connections (${round3(tree.connections)} on average at ${tree.nodes} nodes), within [the limits of \`createPeers\`](peers.md#options). Its cost per message does not grow with the network`,
        ],
        [
          'an existing NATS server; clients behind NATs; clients in other languages',
          'NATS',
          natsLimit === undefined
            ? 'one connection per node; not measured here'
            : `one connection per node, two hops. At ${RATE} messages a second, the server needs a core for every ${round3(natsLimit)} subscribers`,
        ],
        [
          'messages that must not be lost while a node is away',
          'a log that some node serves as a [resumable download](resumption.md)',
          'none of the four ways keeps messages for nodes that are away',
        ],
      ],
      3,
    ),
    '',
    '## What each costs',
    '',
    `A cell shows the figures for ${NODES.slice(0, -1).map(round3).join(', ')} and ${round3(NODES.at(-1)!)} nodes, or one figure if all are equal. Bytes and CPU times are per message of ${small.size} bytes.`,
    '',
    ...markdownTable(
      ['', ...KINDS.map((kind) => NAMES[kind])],
      [
        row('connections of a node', ({ connections }) => connections),
        row('their memory, MiB', ({ memory }) => memory),
        row('idle traffic of a node, kbit/s', ({ idle }) => idle / 1_000),
        row('bytes that the publisher sends', ({ publisherBytes }) => publisherBytes),
        row('CPU of the publisher, µs', ({ publisherCpu }) => publisherCpu),
        row('CPU of another node, µs', ({ nodeCpu }) => nodeCpu),
        row('hops to the last node', ({ hops }) => hops),
        row('CPU of the server, µs', ({ serverCpu }) => serverCpu, ['nats']),
        row('KiB that the server sends', ({ serverBytes }) => serverBytes / 1_024, ['nats']),
      ],
      1,
    ),
    '',
    '## Where the figures come from',
    '',
    'The program `npx pnpm@12 evaluate scale --report` writes this page. The program measures the cost of one connection, one copy and one delivery, and extrapolates to more nodes.',
    '',
    `- **Memory**: one end of an idle connection takes ${round3(memory.rss)} KiB of RSS over plain TCP (benchmark [s8](performance.md#calls), ${memory.machine.processor}).`,
    `- **CPU**: ${processes!.nodes} processes on one machine (${processes!.machine.processor}, ${processes!.machine.cores} cores, Node ${processes!.machine.node}) exchanged ${processes!.rate} messages of ${processes!.size} bytes a second over TCP on loopback. Other programs also used the machine, so only the order of magnitude counts. On a machine that is not overloaded, [a mesh costs less than trees](gossip-explained.md#what-each-overlay-costs).`,
    `- **Bytes** were counted in simulations of networks of ${new Intl.ListFormat('en-GB').format(new Set(whole.map(({ nodes }) => String(nodes))))} nodes. Each node has ${round3((UPLINK * 8) / 1e6)} Mbit/s for all its links together, and ${LATENCY} ms of latency to every other node. The bytes of TLS, TCP and IP are not counted.`,
    '- **Trees**: hops were counted with the gossip code alone, for up to 10,000 nodes.',
    '',
    'Networks of several machines, the memory of a NATS server, TLS and Noise were not measured.',
    '',
    '**Next:** [gossip](gossip.md) shows how to use meshes, trees and relays.',
  ];
  return `${lines.join('\n')}\n`;
}

/** Messages a second in the table of choices. */
const RATE = 100;
