// Plumtree's experiments (Leitão, Pereira, Rodrigues, SRDS 2007; report DI-FCUL TR-07-14) over
// HyParView's links, and the cost of a message in networks of any size.

import { seededRandom } from '@trunkline/transport-core/testing';
import { Cycles } from '../../../../packages/gossip/dist/hyparview/testing/cycles.js';
import type { PlumtreeOptions } from '../../../../packages/gossip/dist/plumtree/options.js';
import type { Figures, ScenarioOptions } from '../job.ts';
import { Broadcasts } from './broadcasts.ts';
import { Graph } from './graph.ts';

/**
 * The paper's protocols: the way in which the tree is built, and the nodes that send. `eager` is a
 * flood: no link is ever pruned.
 */
const PROTOCOLS: Readonly<
  Record<string, { readonly tree: Partial<PlumtreeOptions>; readonly isMany: boolean }>
> = {
  eager: { tree: { prunes: false, optimizeAt: 65_535 }, isMany: false },
  one: { tree: { optimizeAt: 65_535 }, isMany: false },
  many: { tree: { optimizeAt: 65_535 }, isMany: true },
  'one-optimized': { tree: { optimizeAt: 3 }, isMany: false },
  'many-optimized': { tree: { optimizeAt: 7 }, isMany: true },
};

/**
 * Stable state: one message after the other in a network without changes. `first`, `second`,
 * `third`: redundancy of the first messages.
 */
export function stable({ seed, nodes, cycles = 50, log }: ScenarioOptions): Figures {
  const net = new Cycles({ nodes, seed }).build(cycles);
  log('built');
  const figures: Record<string, number> = {};
  for (const [name, { tree, isMany }] of Object.entries(PROTOCOLS)) {
    const random = seededRandom(seed);
    const broadcasts = new Broadcasts({ net, nodes, random, tree });
    const sender = () => (isMany ? Math.floor(random() * nodes) : nodes >> 1);
    const [warm, count] = isMany ? [MANY, MANY] : [ONE, ONE];
    const all = Array.from({ length: warm + count }, () => measure(broadcasts, sender()));
    for (const key of ['payloads', 'control', 'redundancy', 'lastHop'] as const)
      figures[`${name} ${key}`] = sum(all.slice(warm), key) / count;
    for (const [i, when] of ['first', 'second', 'third'].entries())
      figures[`${name} ${when}`] = all[i]!.redundancy;
    figures[`${name} missed`] = sum(all, 'missed');
    log(name);
  }
  return figures;
}

/**
 * Messages of many senders over a tree with the default options, one after the other. Figures:
 * - `links`: the mean number of links of a node, and `most links`.
 * - `payloads`, `control`: messages that all nodes send, for each delivery.
 * - `first`: payloads for each delivery of the very first message, which floods the network.
 * - `path`: the mean length of the shortest path between two nodes.
 * - `last hop`: the hops to the last delivery.
 * - `missed`: deliveries that did not happen.
 */
export function sizes({ seed, nodes, cycles = 20, log }: ScenarioOptions): Figures {
  const net = new Cycles({ nodes, seed }).build(cycles);
  log('built');
  const random = seededRandom(seed);
  const broadcasts = new Broadcasts({ net, nodes, random });
  const all = Array.from({ length: 2 * ONE }, () =>
    measure(broadcasts, Math.floor(random() * nodes)),
  );
  log('measured');
  const settled = all.slice(ONE);
  return {
    links: (2 * broadcasts.links) / nodes,
    'most links': Math.max(...net.living().map((node) => net.view(node).active().length)),
    payloads: 1 + sum(settled, 'redundancy') / ONE,
    control: sum(settled, 'control') / ONE / (nodes - 1),
    first: 1 + all[0]!.redundancy,
    path: new Graph(net.links()).paths(Math.min(nodes, 20), seed).mean,
    'last hop': sum(settled, 'lastHop') / ONE,
    missed: sum(all, 'missed'),
  };
}

type Measured = ReturnType<typeof measure>;

function sum(measured: readonly Measured[], key: keyof Measured): number {
  return measured.reduce((total, each) => total + each[key], 0);
}

/** Publishes a message, and returns what it costs until all nodes should have it. */
function measure(broadcasts: Broadcasts, sender: number) {
  const { network } = broadcasts;
  network.resetTraffic();
  const { reached, lastHop } = broadcasts.publish(sender);
  network.run(SETTLE);
  const { payloads, control } = network;
  return {
    payloads,
    control,
    redundancy: payloads / (reached.size - 1) - 1,
    lastHop: lastHop(),
    missed: network.machines.length - reached.size,
  };
}

/**
 * A share of the nodes fails, and no neighbor sees it. A node notices a dead neighbor when it
 * writes to it; with `keep-alive` all neighbors notice it when the next cycle begins. Figures:
 * - `expected`: the share of living nodes that the remaining links can reach.
 * - `first`: the share that the first message reaches over the remaining links.
 * - `mended`: the share that it reaches within 10 s after the nodes that noticed the failures have
 *   repaired their views.
 * - `healed`: the share that it reaches after a membership cycle.
 * - `rounds`: the first round whose message reaches all nodes by itself, if one message is sent per
 *   cycle.
 * - `reached 1…3`, `redundancy 1…3`, `hop 1…3`: figures of the messages after the first.
 * - `lost`: the number of deliveries that never happened.
 */
export function mending({
  seed,
  nodes,
  cycles = 50,
  share = 0.5,
  how = 'one',
  log,
}: ScenarioOptions): Figures {
  const notice = how === 'keep-alive' ? 'keep-alive' : 'write';
  const net = new Cycles({ nodes, seed, notice }).build(cycles);
  log('built');
  const random = seededRandom(seed);
  const isMany = how === 'many';
  const tree = { optimizeAt: isMany ? 7 : 65_535 };
  const broadcasts = new Broadcasts({ net, nodes, random, tree });
  const { network } = broadcasts;
  const dead = new Set(net.draw(share));
  const survivors = net.living().filter((node) => !dead.has(node));
  const draw = () => survivors[Math.floor(random() * survivors.length)]!;
  const only = draw();
  const sender = () => (isMany ? draw() : only);
  const count = survivors.length;
  for (let i = 0; i < 2 * ONE; i++) measure(broadcasts, sender());
  broadcasts.crash([...dead], false);
  const expected = new Graph(net.links()).floods(1_000, random).reliability;

  network.resetTraffic();
  const message = broadcasts.publish(sender());
  const part = () => message.reached.size / count;
  network.run(LONG);
  const first = part();
  broadcasts.heal();
  network.run(LONG);
  const mended = part();
  broadcasts.cycle();
  network.run(SETTLE);
  const figures: Record<string, number> = {
    expected,
    first,
    mended,
    healed: part(),
    rounds: MOST_ROUNDS + 1,
    lost: count - message.reached.size,
  };
  for (let round = 1; round <= MOST_ROUNDS; round++) {
    network.resetTraffic();
    const { reached, lastHop } = broadcasts.publish(sender());
    network.run(LONG);
    const isWhole = reached.size === count;
    if (round <= TOLD) {
      figures[`reached ${round}`] = reached.size / count;
      figures[`redundancy ${round}`] = network.payloads / (reached.size - 1) - 1;
      figures[`hop ${round}`] = lastHop();
    }
    broadcasts.heal();
    network.run(SETTLE);
    broadcasts.cycle();
    network.run(SETTLE);
    figures['lost'] = figures['lost']! + count - reached.size;
    if (isWhole) figures['rounds'] = Math.min(figures['rounds']!, round);
    if (isWhole && round >= TOLD) break;
  }
  return figures;
}

/**
 * Number of messages until the tree has settled, and number of measured messages, for one sender
 * and for many.
 */
const ONE = 10;
const MANY = 50;
/**
 * Milliseconds for a message over an established tree, and for a message over a tree that is
 * repaired graft by graft. The latter is below the 30 s for which messages are kept.
 */
const SETTLE = 2_000;
const LONG = 10_000;
const MOST_ROUNDS = 10;
const TOLD = 3;
