// A scenario with a planted bug, in a separate module as workers need it: n1 pings n2 and n3, and
// fails as soon as one of them is unreachable while the other is down.

import { bytes, defineProtocol, serve } from '@trunkline/transport-core';
import type { ScheduledFault } from '../faults/fault.ts';
import type { Simulation } from '../simulation.ts';

const protocol = defineProtocol({
  name: 'ping',
  version: 1,
  channel: 0x20,
  methods: { ping: { id: 1, request: bytes, response: bytes } },
});

export const RULE = 'n2 is not down while n3 is out of reach';

/**
 * Eleven faults, two of which make the scenario fail: the partition at 3,000 ms and the crash at
 * 3,500 ms.
 */
export const planted: readonly ScheduledFault[] = [
  { at: 300, do: 'pause', node: 'n3', for: 20 },
  { at: 500, do: 'crash', node: 'n2' },
  { at: 900, do: 'restart', node: 'n2' },
  { at: 1_500, do: 'skew', node: 'n1', by: 300 },
  { at: 2_000, do: 'slow', node: 'n2', cost: 1 },
  { at: 2_500, do: 'drift', node: 'n3', ppm: 200 },
  { at: 3_000, do: 'partition', groups: [['n1', 'n2'], ['n3']] },
  { at: 3_500, do: 'crash', node: 'n2' },
  { at: 4_500, do: 'restart', node: 'n2' },
  { at: 5_000, do: 'heal' },
  { at: 6_000, do: 'recover' },
];

export default async function scenario(sim: Simulation): Promise<void> {
  const reached = new Map<string, boolean>();
  for (const name of ['n2', 'n3']) {
    sim.node(name, async ({ transport }) => {
      const server = transport(protocol);
      serve(server, { ping: (request) => request });
      await server.listen();
    });
  }
  sim.node('n1', async ({ transport, clock }) => {
    const client = transport(protocol);
    const ping = async (target: string) => {
      for (;;) {
        await clock.sleep(200);
        const answered = await client
          .send(target, 'ping', new Uint8Array(8), { timeout: 150 })
          .then(
            () => true,
            () => false,
          );
        reached.set(target, answered);
      }
    };
    for (const target of ['n2', 'n3']) void ping(target);
  });
  sim.always(RULE, () => !reached.has('n2') || sim.isUp('n2') || reached.get('n3') !== false);
  await sim.run(8_000);
}
