// The load 'calls': five nodes that call each other with JSON that zod checks at both ends.

import { createSimulation } from '@trunkline/simulation';
import { defineProtocol, json, serve, TransportError } from '@trunkline/transport-core';
import { z } from 'zod';
import type { Load } from './load.ts';

const NODES = ['n1', 'n2', 'n3', 'n4', 'n5'];
const DURATION = 20_000;
/** Milliseconds between two calls of a node. */
const PACE = 50;

const Order = z.object({
  id: z.string().min(1),
  customer: z.object({ name: z.string(), mail: z.string().includes('@'), vip: z.boolean() }),
  placed: z.int().nonnegative(),
  lines: z.array(
    z.object({ sku: z.string(), count: z.int().positive(), price: z.number().positive() }),
  ),
  note: z.string().max(200).optional(),
});
const Receipt = z.object({ id: z.string(), total: z.number(), by: z.string() });

const protocol = defineProtocol({
  name: 'orders',
  version: 1,
  channel: 0x20,
  methods: { order: { id: 1, request: json(Order), response: json(Receipt) } },
});

export const jsonCalls: Load = {
  name: 'calls',
  title: 'five nodes, calls with JSON and zod',
  async run(seed) {
    const sim = createSimulation({ seed, link: { latency: [1, 20], loss: 0.01 } });
    let answered = 0;
    for (const name of NODES)
      sim.node(name, async ({ transport, clock, random }) => {
        const net = transport(protocol);
        serve(net, {
          order: ({ id, lines }) => ({
            id,
            total: lines.reduce((sum, { count, price }) => sum + count * price, 0),
            by: name,
          }),
        });
        await net.listen();
        const order = async (count: number) => {
          const to = NODES[Math.floor(random() * NODES.length)]!;
          const sent = {
            id: `${name}-${count}`,
            customer: { name: `Customer ${count}`, mail: `c${count}@example.org`, vip: false },
            placed: Math.floor(clock.wall()),
            lines: Array.from({ length: 4 }, (_, at) => ({
              sku: `sku-${at}`,
              count: 1 + Math.floor(5 * random()),
              price: 1 + 100 * random(),
            })),
            note: 'leave it at the door',
          };
          const { id } = await net.send(to, 'order', sent, { timeout: 1_000 });
          if (id !== sent.id) throw new Error(`calls: sent ${sent.id}, got the answer to ${id}`);
          answered++;
        };
        for (let count = 0; ; count++) {
          void order(count).catch((error) => {
            // Some are lost, and others wait for an answer when the simulation is closed.
            if (!(error instanceof TransportError)) throw error;
          });
          await clock.sleep(PACE);
        }
      });
    await sim.run(DURATION);
    const least = (0.9 * NODES.length * DURATION) / PACE;
    if (answered < least) throw new Error(`calls: ${answered} were answered, less than ${least}`);
    return sim;
  },
};
