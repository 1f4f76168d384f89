// One end of the real line: `end.js <host>` accepts, `end.js` dials on request.

import { report, runCommands } from '@trunkline/bench/commands';
import { createTransport, type Remote, systemClock } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import type { Fate } from './kinds.ts';
import { protocol } from './protocol.ts';
import { Witness } from './witness.ts';

export interface Command {
  /** Dial the address and begin to call; the callee begins once it has been dialed. */
  readonly call?: { readonly to: string | undefined; readonly size: number };
  /** Marks that the fault begins or is over. */
  readonly fault?: 'begins' | 'is over';
}

export interface Report {
  readonly address?: string;
  readonly fate?: Fate;
}

const [host] = process.argv.slice(2);
const witness = new Witness(systemClock);
const transport = createTransport(`tcp://${host ?? '127.0.0.1'}:0`, {
  protocol,
  observer: witness.observer,
  backends: [tcp()],
});
witness.serve(transport);
if (host !== undefined) await transport.listen();

runCommands<Command, Report>(
  async ({ call, fault }) => {
    if (call !== undefined) void witness.run(transport, await connected(call.to), call.size);
    if (fault === 'begins') witness.begin();
    return fault === 'is over' ? { fate: witness.fate() } : {};
  },
  () => void transport.close(),
);
report<Report>(host === undefined ? {} : { address: transport.localAddr() });

async function connected(to: string | undefined): Promise<Remote> {
  if (to !== undefined) return transport.dial(to);
  for await (const event of transport.connections()) if (event.type === 'up') return event.remote;
  throw new Error('nobody has dialed');
}
