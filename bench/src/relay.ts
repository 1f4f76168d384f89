// Forwarding large messages: the time until the last node has a message, by way of relays and
// directly. In virtual time each node's uplink is the bottleneck; over loopback it is the processor,
// which all nodes share.

import { alone } from './benchmark.ts';
import { flag, number, numbers } from './flags.ts';
import { loopback, measure, simulated } from './gossip-relay/networks.ts';
import { runBenchmark } from './run.ts';

const KIB = 1024;

await runBenchmark({
  name: 'relay',
  summary: 'Milliseconds until the last node has the message, and until half of the nodes have it.',
  rounds: 1,
  window: 0,
  flags: {
    receivers: numbers('number of receivers', [8, 16, 32], [5]),
    size: numbers('KiB of a message', [64, 1_024, 16_384], [256]),
    fanout: number('number of nodes that each node sends a message to', 3),
    uplink: number('Mbit/s that each node sends over all its links together', 100),
    latency: number('milliseconds from one node to another', 10),
    seed: number('seed of the simulation', 1),
    loopback: flag('runs in real time over TCP instead, with all nodes in one process'),
  },
  plan({ receivers, size, fanout, uplink, latency, seed, loopback: isReal }) {
    const sizes = size.map((kib) => kib * KIB);
    const groupOf = (count: number, bytes: number) => `${count} receivers, ${bytes / KIB} KiB`;
    const network = () =>
      isReal ? loopback() : simulated({ seed, uplink: (uplink * 1e6) / 8, latency });
    const ways = [
      { name: 'direct', against: undefined, relay: undefined },
      { name: 'relays', against: 'direct', relay: { above: 0, fanout } },
    ];
    return {
      tasks: receivers.flatMap((count) =>
        ways.map(({ name, against, relay }) => ({
          turn: String(count),
          title: `${count} receivers, ${name}`,
          rows: sizes.map((bytes) => ({ group: groupOf(count, bytes), name, against })),
          run: () => measure(network(), count, relay, sizes),
        })),
      ),
      figuresOf: () => [
        { key: 'last', unit: 'last, ms' },
        alone('half', 'half, ms'),
        alone('published', 'copies that the publisher sent'),
        alone('most', 'maximum of a node'),
      ],
      settings: isReal
        ? 'TCP on loopback in one process'
        : `virtual time, uplinks of ${uplink} Mbit/s, ${latency} ms from node to node`,
    };
  },
});
