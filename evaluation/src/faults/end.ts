// One end of the real line: `end.js <host>` accepts, `end.js` dials on request.

import { runCommands } from '@trunkline/bench/commands';
import { createTransport, type Remote, systemClock } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import type { Fate } from './kinds.ts';
import { protocol } from './protocol.ts';
import { Witness } from './witness.ts';

const [host] = process.argv.slice(2);
const witness = new Witness(systemClock);
const transport = createTransport(`tcp://${host ?? '127.0.0.1'}:0`, {
  protocol,
  observer: witness.observer,
  backends: [tcp()],
});
witness.serve(transport);
if (host !== undefined) await transport.listen();

const commands = {
  address: () => transport.localAddr(),
  /** Dials the address and begins to call; without one, begins once it has been dialed. */
  async begin(to: string | undefined, size: number): Promise<void> {
    void witness.run(transport, await connected(to), size);
  },
  /** Marks the beginning of the fault. */
  beginFault: () => witness.begin(),
  /** Ends the calls, and returns the outcome. */
  end: (): Fate => witness.fate(),
};
export type EndCommands = typeof commands;

runCommands(commands, () => void transport.close());

async function connected(to: string | undefined): Promise<Remote> {
  if (to !== undefined) return transport.dial(to);
  for await (const event of transport.connections()) if (event.type === 'up') return event.remote;
  throw new Error('nobody has dialed');
}
