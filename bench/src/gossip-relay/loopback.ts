// Measures in real time, over TCP on loopback, with all nodes in this process: the bottleneck is
// the processor that they share.

import { setTimeout as sleep } from 'node:timers/promises';
import { createTransport } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import {
  areConnected,
  type BlobNode,
  type RelaySetup,
  type Spread,
  silence,
  spreadOf,
  startNode,
} from './node.ts';

/** Publishes a message of each size, one after the other. */
export async function loopback(
  { receivers, relay }: RelaySetup,
  sizes: readonly number[],
): Promise<Spread[]> {
  const nodes: BlobNode[] = [];
  let arrivals: number[] = [];
  let allHere = () => {};
  const arrived = () => {
    if (arrivals.push(performance.now()) === receivers) allHere();
  };
  const results: Spread[] = [];
  try {
    for (let index = 0; index <= receivers; index++) {
      const transport = createTransport('tcp://127.0.0.1:0', {
        protocol: silence,
        backends: [tcp()],
      });
      await transport.listen();
      nodes.push(
        await startNode(transport, {
          index,
          persistent: nodes.map((node) => node.transport.localAddr()),
          relay,
          arrived,
        }),
      );
    }
    while (!areConnected(nodes, receivers)) await sleep(20);
    for (const size of sizes) {
      await sleep(200);
      arrivals = [];
      const before = nodes.map((node) => node.sent());
      const here = new Promise<void>((resolve) => (allHere = resolve));
      const begun = performance.now();
      await nodes[0]!.topic.publish(new Uint8Array(size).fill(1));
      await here;
      await sleep(200);
      const sent = nodes.map((node, i) => node.sent() - before[i]!);
      const times = arrivals.map((at) => at - begun);
      results.push(spreadOf(size, times, sent));
    }
  } finally {
    await Promise.all(nodes.map((node) => node.close()));
  }
  return results;
}
