// Measures the cost of a message in a network of any size whose trees are stable.

import { seededRandom } from '@trunkline/transport-core/testing';
import { Cycles } from '../../../../packages/gossip/dist/hyparview/testing/cycles.js';
import { Broadcasts } from './broadcasts.ts';
import { Graph } from './graph.ts';
import type { Figures, ScenarioOptions } from './scenario.ts';

/**
 * Messages of many senders over a tree with the default options, one after the other. Figures:
 * - `links`: the mean number of links of a node, and `most links`.
 * - `payloads`, `control`: messages that all nodes send, for each delivery.
 * - `first`: payloads for each delivery of the very first message, which floods the network.
 * - `path`: the mean length of the shortest path between two nodes.
 * - `last hop`: the hops to the last delivery.
 * - `missed`: deliveries that did not happen.
 */
export function sizes({ seed, nodes = 1_000, cycles = 20, log }: ScenarioOptions): Figures {
  const net = new Cycles({ nodes, seed }).build(cycles);
  log?.('built');
  const random = seededRandom(seed);
  const broadcasts = new Broadcasts({ net, nodes, random });
  const { network } = broadcasts;
  const counts = { payloads: 0, control: 0, hops: 0, missed: 0 };
  let first = 0;
  for (let message = 0; message < 2 * MEASURED; message++) {
    network.resetTraffic();
    const { reached, lastHop } = broadcasts.publish(Math.floor(random() * nodes));
    network.run(SETTLE);
    counts.missed += nodes - reached.size;
    if (message === 0) first = network.payloads / (reached.size - 1);
    if (message < MEASURED) continue;
    counts.payloads += network.payloads / (reached.size - 1) / MEASURED;
    counts.control += network.control / (reached.size - 1) / MEASURED;
    counts.hops += lastHop() / MEASURED;
  }
  log?.('measured');
  const degrees = net.living().map((node) => net.view(node).active().length);
  return {
    links: (2 * broadcasts.links) / nodes,
    'most links': degrees.reduce((most, degree) => Math.max(most, degree), 0),
    payloads: counts.payloads,
    control: counts.control,
    first,
    path: new Graph(net.links()).paths(Math.min(nodes, 20), seed).mean,
    'last hop': counts.hops,
    missed: counts.missed,
  };
}

/**
 * Number of messages until the tree is stable, and number of messages that are measured after that.
 */
const MEASURED = 10;
/** Milliseconds for one message; a hop takes one millisecond. */
const SETTLE = 2_000;
