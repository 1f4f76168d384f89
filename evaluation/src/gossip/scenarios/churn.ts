// Churn: nodes leave and join in every cycle, while there is traffic.

import { sample } from '@trunkline/peers/internal';
import { seededRandom } from '@trunkline/transport-core/testing';
import { Cycles } from '../../../../packages/gossip/dist/hyparview/testing/cycles.js';
import type { Figures, ScenarioOptions } from '../job.ts';
import { type Broadcast, Broadcasts } from './broadcasts.ts';
import { Graph } from './graph.ts';

/**
 * In each cycle 50 nodes fail, half of them unseen, and 50 join. One message is under way at that
 * time, one is sent right after it, and one is sent when the nodes that noticed the failures have
 * repaired their views.
 *
 * Figures: `missed` counts the deliveries to surviving nodes that had not happened by the end of
 * the cycle, and `deliveries` counts all that were due. `at once` is the smallest share of nodes
 * that a message reached before any view was repaired.
 */
export function churn({ seed, nodes, cycles = 100, log }: ScenarioOptions): Figures {
  const random = seededRandom(seed);
  const net = new Cycles({ nodes, seed }).build(SETTLED);
  const broadcasts = new Broadcasts({ net, nodes: nodes + cycles * CHANGED, random });
  const { network } = broadcasts;
  let [missed, deliveries, atOnce, payloads] = [0, 0, 1, 0];
  for (let cycle = 0; cycle < cycles; cycle++) {
    network.resetTraffic();
    const sent: { readonly message: Broadcast; readonly to: readonly number[] }[] = [];
    const publish = () => {
      const to = net.living();
      sent.push({ message: broadcasts.publish(to[Math.floor(random() * to.length)]!), to });
    };
    publish();
    network.run(HALF_WAY);
    const going = sample(net.living(), CHANGED, random);
    broadcasts.crash(going.slice(0, CHANGED / 2), true);
    broadcasts.crash(going.slice(CHANGED / 2), false);
    for (let i = 0; i < CHANGED; i++) {
      const living = net.living();
      net.join(living[Math.floor(random() * living.length)]);
    }
    broadcasts.link();
    publish();
    network.run(WAIT);
    const living = new Set(net.living());
    for (const { message, to } of sent) atOnce = Math.min(atOnce, shareOf(message, to, living));
    broadcasts.heal();
    publish();
    network.run(WAIT);
    broadcasts.cycle();
    network.run(REST);
    for (const { message, to } of sent) {
      for (const node of to) {
        if (!living.has(node)) continue;
        deliveries++;
        if (!message.reached.has(node)) missed++;
      }
    }
    payloads += network.payloads;
    if (cycle % 10 === 9) log(`${cycle + 1} cycles, ${missed} missed`);
  }
  const graph = new Graph(net.links());
  return {
    missed,
    deliveries,
    'at once': atOnce,
    redundancy: payloads / deliveries - 1,
    parts: graph.components().length,
    symmetric: graph.fullSymmetric(5),
  };
}

function shareOf(
  { reached }: Broadcast,
  to: readonly number[],
  living: ReadonlySet<number>,
): number {
  const there = to.filter((node) => living.has(node));
  return there.filter((node) => reached.has(node)).length / there.length;
}

/** Number of cycles before churn begins. */
const SETTLED = 50;
/** Number of nodes that leave per cycle, and of nodes that join. */
const CHANGED = 50;
/**
 * Milliseconds after which a message has covered a part of its way; a hop takes one millisecond.
 */
const HALF_WAY = 5;
/**
 * Milliseconds between the steps; with this value a cycle takes one minute. Messages are kept for
 * 30 s.
 */
const WAIT = 5_000;
const REST = 50_000;
