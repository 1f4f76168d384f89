// Measures one connection between two processes, restarted for each point: more calls in flight,
// or larger messages.

import { Child } from '../child-process.ts';
import { cores } from '../cores.ts';
import type { CallCommand, CallReport } from './calls.child.ts';
import type { Part, PointFigures } from './point.ts';

/** Returns the size and the number of calls in flight of a point. */
export function loadOf(
  part: Exclude<Part, 'connections'>,
  at: number,
): Pick<CallCommand, 'size' | 'inFlight'> {
  if (part === 'flight') return { size: SMALL, inFlight: at };
  return {
    size: at,
    inFlight: Math.max(Math.min(Math.floor(IN_FLIGHT_BYTES / Math.max(at, 1)), MOST_IN_FLIGHT), 1),
  };
}

export async function measureCalls(adapter: string, command: CallCommand): Promise<PointFigures> {
  const [serverCore, clientCore] = cores;
  const started: { kill(): void }[] = [];
  const start = async (role: 'server' | 'client', core: string | undefined, ...args: string[]) => {
    const options = {
      name: `the ${role} of ${adapter}`,
      script: './scale/calls.child.js',
      args: [role, adapter, ...args],
      core,
    };
    const { child, report } = await Child.start<CallCommand, CallReport>(options);
    started.push(child);
    return { child, address: report.address };
  };
  try {
    const server = await start('server', serverCore);
    const client = await start('client', clientCore, server.address!, String(server.child.pid));
    const { rate, bulk, clientCpu, serverCpu } = (await client.child.run(command)).figures!;
    await client.child.close();
    await server.child.close();
    return { rate, bulk, clientCpu, serverCpu };
  } finally {
    for (const child of started) child.kill();
  }
}

const SMALL = 64;
const MOST_IN_FLIGHT = 128;
/** Bytes of large messages in flight; at least one message is. */
const IN_FLIGHT_BYTES = 8 * 1024 * 1024;
