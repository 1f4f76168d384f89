// Reports of the resources that a node has left open, and of the things that it waits for.

import type { Protocol } from '@trunkline/transport-core';
import type { NetworkTransport } from '@trunkline/transport-core/backend';

/** Something that a node left behind when it was stopped. */
export interface SimulationLeak {
  /** The name of the node or client. */
  readonly owner: string;
  /** `builtin` means properties of built-in objects that loaded code changed. */
  readonly kind: 'call' | 'timer' | 'connection' | 'transport' | 'store' | 'file' | 'builtin';
  readonly count: number;
  /** A sentence that describes the leak. */
  readonly what: string;
}

/** Returns the resources that a transport has left open. */
export function leaksOf(owner: string, transport: NetworkTransport<Protocol>): SimulationLeak[] {
  const { state, connections } = transport.snapshot();
  if (state === 'closed') return [];
  const leaks: SimulationLeak[] = [
    {
      owner,
      kind: 'transport',
      count: 1,
      what: `${owner} left its transport '${transport.protocol.name}' open: close() it when it stops`,
    },
  ];
  const calls = connections.reduce((sum, { calls }) => sum + calls.out, 0);
  if (calls > 0)
    leaks.push({
      owner,
      kind: 'call',
      count: calls,
      what: `${owner} left ${calls} calls of '${transport.protocol.name}' unsettled`,
    });
  if (connections.length > 0)
    leaks.push({
      owner,
      kind: 'connection',
      count: connections.length,
      what: `${owner} left ${connections.length} connections open`,
    });
  return leaks;
}

/** Describes the calls and dials that a transport waits for. */
export function waitsOf(owner: string, transport: NetworkTransport<Protocol>): string[] {
  const { connections, dialing, waiting } = transport.snapshot();
  const waits = dialing.map((target) => `${owner} dials ${target}`);
  for (const { endpoint, calls } of connections)
    if (calls.out > 0) waits.push(`${owner} waits for ${calls.out} answers from ${endpoint}`);
  if (waiting > 0) waits.push(`${waiting} calls wait at ${owner} for a reader`);
  return waits;
}
