// The process of a client: `client.js <address> <connections> <calls in flight on each>` calls
// without a pause. Each command returns the calls that ended in a window.

import { createTransport } from '@trunkline/transport-core';
import { tcp } from '@trunkline/transport-tcp';
import { report, runCommands } from '../commands.ts';
import { protocol } from './protocol.ts';

export interface ClientCommand {
  readonly window: number;
}

export interface ClientReport {
  /** Calls that ended in the window. */
  readonly calls?: number;
}

const [, , address, connections, inFlight] = process.argv;
let calls = 0;
let isOver = false;
let failure: unknown;
const transports = Array.from({ length: Number(connections) }, () =>
  createTransport({ protocol, backends: [tcp()], maxPool: 1 }),
);
// One after the other: of a burst, a worker that is busy gets fewer connections.
for (const transport of transports) await transport.dial(address!);
const loops = transports.flatMap((transport) =>
  Array.from({ length: Number(inFlight) }, async () => {
    const request = new Uint8Array(64);
    while (!isOver) {
      const { length } = await transport.send(address!, 'echo', request);
      if (length !== request.length) throw new Error(`an echo of 64 bytes has ${length}`);
      calls++;
    }
  }),
);
for (const loop of loops) loop.catch((error) => (failure = error));

runCommands<ClientCommand, ClientReport>(
  async ({ window }) => {
    const before = calls;
    await new Promise((resolve) => setTimeout(resolve, window));
    if (failure !== undefined) throw failure;
    return { calls: calls - before };
  },
  async () => {
    isOver = true;
    await Promise.allSettled(loops);
    for (const transport of transports) await transport.close();
  },
);
report<ClientReport>({});
