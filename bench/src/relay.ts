// Forwarding large messages: the time until the last node has a message, by way of relays and
// directly. In virtual time each node's uplink is the bottleneck; over loopback it is the
// processor, which all nodes share.

import { setTimeout as sleep } from 'node:timers/promises';
import { fullMesh } from '@trunkline/gossip';
import { type RelayOptions, relay } from '@trunkline/gossip/relay';
import { createSimulation } from '@trunkline/simulation';
import { type AnyTransport, createTransport } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { alone, type Figures } from './benchmark.ts';
import { flag, numbers } from './flags.ts';
import type { Spreader } from './gossip-processes/kind.ts';
import { gossipOver, protocol } from './gossip-processes/overlays.ts';
import { runBenchmark } from './run.ts';

const KIB = 1024;
/** The nodes that each node sends a message to. */
const FANOUT = 3;
/** Mbit/s that each simulated node sends over all its links together. */
const UPLINK = 100;
/** Milliseconds from one simulated node to another. */
const LATENCY = 10;
const WAYS = [
  { name: 'direct', against: undefined, options: undefined },
  { name: 'relays', against: 'direct', options: { above: 0, fanout: FANOUT } },
];

await runBenchmark({
  name: 'relay',
  summary: 'Milliseconds until the last node has the message, and until half of the nodes have it.',
  rounds: 1,
  flags: {
    receivers: numbers('number of receivers', [8, 16, 32], [5]),
    size: numbers('KiB of a message', [64, 1_024, 16_384], [256]),
    loopback: flag('runs in real time over TCP instead, with all nodes in one process'),
  },
  plan({ receivers, size: sizes, loopback: isReal }) {
    return {
      tasks: receivers.flatMap((count) =>
        WAYS.map(({ name, against, options }) => ({
          turn: String(count),
          title: `${count} receivers, ${name}`,
          rows: sizes.map((kib) => ({ group: `${count} receivers, ${kib} KiB`, name, against })),
          run: () => measure(isReal ? loopback() : simulated(), count, options, sizes),
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
        : `virtual time, uplinks of ${UPLINK} Mbit/s, ${LATENCY} ms from node to node`,
    };
  },
});

interface Place {
  /** A transport that listens. */
  readonly transport: AnyTransport;
  /** The addresses of all nodes that were started before. */
  readonly earlier: readonly string[];
  readonly wall?: () => number;
}

interface Network {
  start(open: (place: Place) => Promise<Spreader>): unknown;
  now(): number;
  /** Lets the nodes run for some milliseconds, or until a condition holds. */
  run(milliseconds: number): Promise<unknown>;
  until(holds: () => boolean): Promise<unknown>;
  /** Milliseconds between two messages, in which nodes send receipts and reports. */
  readonly pause: number;
  close(): Promise<unknown>;
}

/** Nodes in virtual time, each with an uplink of its own. */
function simulated(): Network {
  const uplink = (UPLINK * 1e6) / 8;
  const link = { latency: LATENCY, uplink, fragment: 0 };
  const sim = createSimulation({ seed: 1, level: 'stream', link });
  const names: string[] = [];
  return {
    start(open) {
      const earlier = [...names];
      const name = `n${names.length}`;
      names.push(name);
      sim.node(name, async ({ transport: make, clock }) => {
        const transport = make(protocol);
        await transport.listen();
        const node = await open({ transport, earlier, wall: () => clock.wall() });
        return () => node.close();
      });
    },
    now: () => sim.now,
    run: (milliseconds) => sim.run(milliseconds),
    until: (holds) => sim.until(holds, 600_000),
    pause: 2_000,
    close: () => sim.close(),
  };
}

/** Nodes in real time over TCP on loopback, which share this process. */
function loopback(): Network {
  const nodes: Spreader[] = [];
  return {
    async start(open) {
      const transport = createTransport('tcp://127.0.0.1:0', { protocol, backends: [tcp()] });
      await transport.listen();
      nodes.push(await open({ transport, earlier: nodes.map(({ address }) => address) }));
    },
    now: () => performance.now(),
    run: (milliseconds) => sleep(milliseconds),
    async until(holds) {
      while (!holds()) await sleep(1);
    },
    pause: 200,
    close: () => Promise.all(nodes.map((node) => node.close())),
  };
}

/**
 * Publishes a message of each size in KiB, one after the other, and closes the network.
 * @param options those of relays; undefined to send directly to each node.
 */
async function measure(
  network: Network,
  receivers: number,
  options: RelayOptions | undefined,
  sizes: readonly number[],
): Promise<Figures[]> {
  const nodes: Spreader[] = [];
  const arrivals: number[] = [];
  const results: Figures[] = [];
  // Each node is a neighbor of all others.
  const areConnected = () =>
    Object.keys(nodes).length > receivers && nodes.every((node) => node.links() === receivers);
  try {
    for (let index = 0; index <= receivers; index++)
      await network.start(async ({ transport, earlier, wall }) => {
        const nodeId = index.toString(16).padStart(64, '0');
        const settings = {
          peers: { identity: { nodeId }, maxInbound: 1_000, maxOutbound: 0, persistent: earlier },
          gossip: { overlay: fullMesh(), relay: options && relay(options), wall },
          topic: { limit: 32 * 1024 * 1024 },
        };
        const node = await gossipOver(transport, settings, () => arrivals.push(network.now()));
        nodes[index] = node;
        return node;
      });
    await network.until(areConnected);
    for (const kib of sizes) {
      const size = kib * KIB;
      await network.run(network.pause);
      arrivals.length = 0;
      const before = nodes.map((node) => node.traffic().bytes);
      const begun = network.now();
      const published = nodes[0]!.publish(new Uint8Array(size).fill(1));
      await network.until(() => arrivals.length === receivers);
      await network.run(network.pause);
      await published;
      const times = arrivals.map((at) => at - begun).sort((a, b) => a - b);
      const copies = nodes.map((node, at) => (node.traffic().bytes - before[at]!) / size);
      results.push({
        half: times[Math.ceil(times.length / 2) - 1]!,
        last: times.at(-1)!,
        published: copies[0]!,
        most: Math.max(...copies),
      });
    }
  } finally {
    await network.close();
  }
  return results;
}
