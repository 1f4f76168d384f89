// HyParView's experiments (Leitão, Pereira, Rodrigues, DSN 2007): the shape of the overlay, and
// messages after many nodes fail at once.

import { Cycles } from '../../../../packages/gossip/dist/hyparview/testing/cycles.js';
import type { Figures, ScenarioOptions } from '../job.ts';
import { flood } from './flood.ts';
import { Graph } from './graph.ts';

/**
 * A share of the nodes fails. All their neighbors see it and repair their views before there is
 * traffic. Then random nodes send a thousand messages, and cycles follow until all messages arrive
 * everywhere.
 */
export function seen({
  seed,
  nodes,
  cycles = 50,
  share = 0.5,
  book = 0,
  log,
}: ScenarioOptions): Figures {
  const net = new Cycles({ nodes, seed, book }).build(cycles);
  const shape = shapeOf(net);
  log('built');
  net.fail(net.draw(share), true);
  const graph = new Graph(net.links());
  const { reliability, lastHop } = graph.floods(MESSAGES, net.random);
  return {
    ...shape,
    reliability,
    lastHop,
    largest: graph.components()[0]! / graph.size,
    ...healing(net, reliability),
  };
}

/**
 * A share of the nodes fails, and no neighbor sees it. `how` is one of these:
 * - `send`: a node that writes to a dead one notices it, and the copy is lost.
 * - `resend`: the copy is sent to the neighbor that replaces the dead one.
 * - `idle`: there are no messages, only those that the views exchange.
 * - `keep-alive`: every link is tested once a cycle.
 */
export function unseen({
  seed,
  nodes,
  cycles = 50,
  share = 0.5,
  how = 'send',
  log,
}: ScenarioOptions): Figures {
  const notice = how === 'keep-alive' ? 'keep-alive' : 'write';
  const net = new Cycles({ nodes, seed, notice }).build(cycles);
  log('built');
  net.fail(net.draw(share), false);
  const before = new Graph(net.links()).floods(MESSAGES, net.random).reliability;
  if (how === 'idle' || how === 'keep-alive') return { before, ...healing(net, before) };
  const living = net.living();
  let [first, sum] = [0, 0];
  for (let i = 0; i < MESSAGES; i++) {
    const source = living[Math.floor(net.random() * living.length)]!;
    const reached = flood(net, source, how === 'resend');
    if (i === 0) first = reached;
    sum += reached;
    if (i % 100 === 99) log(`${i + 1} messages`);
  }
  return {
    before,
    first,
    reliability: sum / MESSAGES,
    after: new Graph(net.links()).floods(MESSAGES, net.random).reliability,
  };
}

/** Returns the paper's metrics for the graph. */
function shapeOf(net: Cycles): Figures {
  const graph = new Graph(net.links());
  const { mean: path, longest } = graph.paths(Math.min(graph.size, 200));
  const passive = new Int32Array(net.size);
  for (const node of net.living())
    for (const peer of net.view(node).passive()) passive[net.indexOf(peer)]!++;
  const known = passive.toSorted();
  const degrees = graph.inDegrees();
  return {
    clustering: graph.clustering(),
    path,
    longest,
    hops: graph.floods(FLOODS, net.random).lastHop,
    symmetric: graph.fullSymmetric(5),
    parts: graph.components().length,
    leastIn: degrees.findIndex((count) => count > 0),
    mostIn: degrees.length - 1,
    leastKnown: known[0]!,
    medianKnown: known[known.length >> 1]!,
    mostKnown: known.at(-1)!,
  };
}

/**
 * Returns the numbers of cycles after which messages reach 99 % and 100 % of the living nodes: 0 if
 * they already do, `MOST_CYCLES` + 1 if they never do.
 */
function healing(net: Cycles, reliability: number): Figures {
  let [nearly, whole, last] = [MOST_CYCLES + 1, MOST_CYCLES + 1, reliability];
  for (let cycle = 0; cycle <= MOST_CYCLES; cycle++) {
    if (cycle > 0) {
      net.cycle();
      last = new Graph(net.links()).floods(100, net.random).reliability;
    }
    if (last >= 0.99) nearly = Math.min(nearly, cycle);
    if (last === 1) whole = Math.min(whole, cycle);
    if (whole <= cycle) break;
  }
  return { nearly, whole, last };
}

const MESSAGES = 1_000;
/** Number of floods over which the last hop is measured. */
const FLOODS = 100;
const MOST_CYCLES = 10;
