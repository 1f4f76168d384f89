// The load 'tasks': a queue of tasks whose producers and workers find it through peers. All
// messages are JSON that zod checks.

import { createPeers } from '@trunkline/peers';
import { createSimulation, type NodeContext } from '@trunkline/simulation';
import { defineProtocol, json, serve } from '@trunkline/transport-core';
import { z } from 'zod';
import type { Load } from './load.ts';

const WORKERS = ['w1', 'w2', 'w3', 'w4'];
const PRODUCERS = ['p1', 'p2', 'p3'];
const DURATION = 20_000;
/** Milliseconds between two tasks of a producer. */
const PACE = 30;
/** Milliseconds after which a task that was taken and not done is given to another worker. */
const LEASE = 3_000;

const Task = z.object({
  id: z.string().min(1),
  kind: z.enum(['resize', 'mail', 'index']),
  priority: z.int().min(0).max(9),
  payload: z.object({
    url: z.string().startsWith('https://'),
    size: z.int().positive(),
    tags: z.array(z.string().max(20)).max(8),
    options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  }),
});
const Taken = z.object({ worker: z.string(), most: z.int().min(1).max(16) });
const Done = z.object({ worker: z.string(), id: z.string(), took: z.number().nonnegative() });
const Role = z.object({ role: z.enum(['queue', 'worker', 'producer']), load: z.int() });

type Task = z.infer<typeof Task>;

const protocol = defineProtocol({
  name: 'tasks',
  version: 1,
  channel: 0x20,
  methods: {
    put: { id: 1, request: json(Task), response: json(z.int()) },
    take: { id: 2, request: json(Taken), response: json(z.array(Task)) },
    done: { id: 3, request: json(Done), response: json(z.boolean()) },
  },
});

export const taskQueue: Load = {
  name: 'tasks',
  title: 'a task queue with zod and peers',
  async run(seed) {
    const sim = createSimulation({ seed, link: { latency: [1, 20], loss: 0.01 } });
    const done = new Set<string>();
    let put = 0;

    /** Connects a node to its peers, and returns a function that calls the queue by its node id. */
    const join = async (context: NodeContext, role: z.infer<typeof Role>['role']) => {
      const net = context.transport(protocol);
      const peers = createPeers({
        transport: net,
        seeds: context.name === 'queue' ? [] : ['queue'],
        status: json(Role),
        statusInterval: 1_000,
      });
      await net.listen();
      await peers.start();
      peers.status.set({ role, load: 0 });
      const queue = () =>
        peers.list().find(({ nodeId }) => peers.status.of(nodeId)?.role === 'queue');
      return { net, peers, queue };
    };

    sim.node('queue', async (context) => {
      const { clock } = context;
      const waiting: Task[] = [];
      const leases = new Map<string, ReturnType<typeof clock.setTimeout>>();
      const { net, peers } = await join(context, 'queue');
      serve(net, {
        put(task) {
          waiting.push(task);
          waiting.sort((a, b) => b.priority - a.priority);
          return waiting.length;
        },
        take({ most }) {
          const taken = waiting.splice(0, most);
          for (const task of taken) {
            const lease = clock.setTimeout(() => void waiting.unshift(task), LEASE);
            leases.set(task.id, lease);
          }
          peers.status.set({ role: 'queue', load: waiting.length });
          return taken;
        },
        done({ id }) {
          clock.clearTimeout(leases.get(id));
          done.add(id);
          return leases.delete(id);
        },
      });
    });

    for (const name of WORKERS)
      sim.node(name, async (context) => {
        const { clock, random } = context;
        const { net, queue } = await join(context, 'worker');
        for (;;) {
          const to = queue();
          const tasks =
            to === undefined
              ? []
              : await net
                  .send(`node:${to.nodeId}`, 'take', { worker: name, most: 4 }, { timeout: 500 })
                  .catch(() => []);
          for (const { id } of tasks) {
            const took = 5 + 20 * random();
            await clock.sleep(took);
            await net
              .send(`node:${to!.nodeId}`, 'done', { worker: name, id, took }, { timeout: 500 })
              .catch(() => false);
          }
          if (tasks.length === 0) await clock.sleep(20);
        }
      });

    for (const name of PRODUCERS)
      sim.node(name, async (context) => {
        const { clock, random } = context;
        const { net, queue } = await join(context, 'producer');
        for (let count = 0; ; count++) {
          await clock.sleep(PACE);
          const to = queue();
          if (to === undefined) continue;
          const task: Task = {
            id: `${name}-${count}`,
            kind: (['resize', 'mail', 'index'] as const)[count % 3]!,
            priority: Math.floor(10 * random()),
            payload: {
              url: `https://example.org/${name}/${count}`,
              size: 1 + Math.floor(1e6 * random()),
              tags: ['new', name, `batch-${count % 10}`],
              options: { width: 640, height: 480, format: 'webp', strip: true },
            },
          };
          put++;
          net.send(`node:${to.nodeId}`, 'put', task, { timeout: 500 }).catch(() => {});
        }
      });

    await sim.run(DURATION);
    if (done.size < put / 2)
      throw new Error(`tasks: only ${done.size} of ${put} tasks are done after ${sim.now} ms`);
    return sim;
  },
};
