// A scenario for tests: two nodes that keep counters on their disks and call each other, and a
// client. The mode in the URL selects a planted mistake.

import {
  defineProtocol,
  json,
  serve,
  systemClock,
  TransportError,
} from '@trunkline/transport-core';
import { z } from 'zod';
import type { Simulation } from '../../simulation.ts';

const counters = defineProtocol({
  name: 'counters',
  version: 1,
  channel: 0x20,
  methods: {
    /** Adds one, and returns the sum and the node's life. */
    add: { id: 1, request: json(z.null()), response: json(z.number()) },
    /** Makes a node add one at another node, within the given number of milliseconds. */
    forward: {
      id: 2,
      request: json(z.object({ to: z.string(), timeout: z.number() })),
      response: json(z.number()),
    },
  },
});

const mode = new URL(import.meta.url).searchParams.get('mode') ?? 'all';

export default async function countersScenario(sim: Simulation): Promise<void> {
  for (const name of ['n1', 'n2'])
    sim.node(name, async ({ transport, store, state, log }) => {
      const net = transport(counters);
      let count = (await store.get('count'))?.[0] ?? 0;
      log(`starts at ${count}`);
      serve(net, {
        async add() {
          count++;
          if (mode !== 'forgetful') await store.set('count', new Uint8Array([count]));
          await store.sync();
          state({ count });
          return count;
        },
        forward: ({ to, timeout }) =>
          net.send(to, 'add', null, { timeout }).catch(({ code, message }: TransportError) => {
            throw new TransportError(code, message);
          }),
      });
      if (mode === 'broken' && name === 'n2') void Promise.reject(new Error('nobody handles this'));
      if (mode === 'late' && name === 'n2')
        void systemClock.sleep(500).then(() => Promise.reject(new Error('nobody handles this')));
      await net.listen();
    });
  const net = sim.client(counters, { timeout: PATIENCE });
  /** Repeats a call whose connection ended. */
  const add = async (to: string): Promise<number> => {
    try {
      return await sim.settle(net.send(to, 'add', null));
    } catch (error) {
      if ((error as { readonly code?: string }).code !== 'unavailable') throw error;
      await sim.run(20);
      return add(to);
    }
  };
  const forward = (from: string, to: string, timeout = PATIENCE) =>
    sim.settle(net.send(from, 'forward', { to, timeout }));
  expect(await add('n1'), 1);
  if (mode === 'broken') return sim.run(5_000);
  if (mode === 'late') return systemClock.sleep(2_000);
  if (mode === 'rule') {
    sim.always('no count above 2', () => !sim.trace.states['n1']?.includes('3'));
    for (;;) await add('n1');
  }
  expect(await forward('n1', 'n2'), 1);
  expect(await forward('n2', 'n1'), 2);

  sim.partition(['n1'], ['n2']);
  expect(await codeOf(forward('n1', 'n2', 300)), 'deadline_exceeded');
  expect(sim.calmSince, undefined);
  // Clients reach every node. The call that was held back may or may not take effect.
  const before = await add('n2');
  sim.heal();
  await sim.until(() => sim.calmSince !== undefined);
  while ((await codeOf(forward('n1', 'n2'))) !== 'ok');
  if ((await add('n2')) < before + 2) throw new Error('n2 has not counted');

  sim.crash('n1');
  expect(sim.isUp('n1'), false);
  sim.restart('n1');
  await sim.until(() => sim.isUp('n1'));
  expect(await add('n1'), 3);

  sim.pause('n2', 600);
  const paused = sim.now;
  const count = await add('n2');
  if (sim.now - paused < 500) throw new Error(`n2 answered after ${sim.now - paused} ms`);

  sim.crash('n2', { power: 'lost' });
  expect(await codeOf(forward('n1', 'n2', 300)), 'deadline_exceeded');
  sim.inject({ do: 'recover' });
  await sim.until(() => sim.isUp('n2'));
  if ((await add('n2')) < count + 1) throw new Error('n2 has forgotten its count');
  while ((await codeOf(forward('n1', 'n2'))) !== 'ok');
  sim.eventually('the nodes have counted', () => sim.trace.states['n2'] !== undefined, {
    within: 1_000,
  });
  sim.inject({ do: 'skew', node: 'n1', by: 10 });
  await sim.run(100);
}

/** Time limit, in milliseconds, for a call that must succeed, even on a busy machine. */
const PATIENCE = 30_000;

const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'ok',
    (error: { readonly code: string }) => error.code,
  );

function expect(value: unknown, expected: unknown): void {
  if (value !== expected) throw new Error(`expected ${expected}, got ${value}`);
}
