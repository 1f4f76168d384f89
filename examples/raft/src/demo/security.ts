// The additional scenes on a secure backend: a member is denied while everything runs and then let
// in again, and a stranger is refused.

import { systemClock, type Transport, TransportError } from '@trunkline/transport-core';
import type { Cluster, Member } from './cluster.ts';
import type { Stranger } from './network.ts';
import { until, within } from './patience.ts';
import { brief } from './screen.ts';
import type { Workload } from './workload.ts';

export interface DemoContext {
  readonly cluster: Cluster;
  readonly workload: Workload;
  /** The number of writes while the denied member is away. */
  readonly writes: number;
  /** Receives a line that stays visible. */
  readonly note: (text: string) => void;
  readonly signal: AbortSignal;
}

/** Lists the members, all of whom have dialed each other. Returns failed checks. */
export function introduce({ members }: Cluster, note: DemoContext['note']): string[] {
  const failures: string[] = [];
  for (const { place, transport } of members) {
    const proven = new Set(transport.remotes().map(({ nodeId }) => nodeId));
    const missing = members.filter((other) => other.place !== place && !proven.has(idOf(other)));
    failures.push(
      ...missing.map(
        (other) => `${brief(idOf(other))} has not proven its id to ${brief(place.proof!.nodeId)}`,
      ),
    );
  }
  note(
    `members   ${members.map((member) => brief(idOf(member))).join(' ')}, each proven to all others`,
  );
  return failures;
}

/**
 * Denies a follower on all other members, writes without it, and lets it in again. Returns failed
 * checks.
 */
export async function denyAndLetIn({
  cluster,
  workload,
  writes,
  note,
  signal,
}: DemoContext): Promise<string[]> {
  const { leader, members, timeScale } = cluster;
  const denied = members.find((member) => member !== leader)!;
  const others = members.filter((member) => member !== denied);
  const nodeId = idOf(denied);
  const deny = (nodeIds: readonly string[]) =>
    Promise.all(others.map(({ place }) => place.proof!.deny(nodeIds)));

  const cut = cutFrom(denied.transport, others);
  const deniedAt = clock.now();
  await deny([nodeId]);
  const causes = await within(
    `${brief(nodeId)}, which was denied, to be disconnected`,
    cut,
    timeScale,
    signal,
  );
  const cutMs = clock.now() - deniedAt;
  await workload.run('denied', writes, () => {}, signal);
  const hasHeard = denied.machine.get('denied-0') !== undefined;

  const letInAt = clock.now();
  await deny([]);
  await until(
    `${brief(nodeId)}, which was admitted again, to have applied all entries`,
    () => cluster.agreed,
    timeScale,
    signal,
  );
  const backMs = clock.now() - letInAt;

  const told = [...new Set(causes.map(describe))].join(', ');
  note(
    `denied    ${brief(nodeId)}: disconnected in ${cutMs.toFixed(0)} ms, ${told}; ${writes} writes without it; back in ${backMs.toFixed(0)} ms`,
  );
  const failures = causes
    .filter((cause) => cause?.reason !== 'denied')
    .map((cause) => `${brief(nodeId)} was denied, but got the cause ${describe(cause)}`);
  if (hasHeard) failures.push(`${brief(nodeId)} was denied, but still received writes`);
  return failures;
}

/** Lets a stranger try to write. Returns failed checks. */
export async function refuseStranger(
  { nodeId, open }: Stranger,
  { cluster, note }: DemoContext,
): Promise<string[]> {
  const transport = open();
  try {
    await cluster.client({ transport, name: 'stranger' }).set('before-0', 'overwritten');
    return [`the stranger ${brief(nodeId)} could write`];
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    note(`stranger  ${brief(nodeId)}: refused, ${describe(error)}`);
    const isRefusal = error.code === 'unauthenticated' || error.code === 'permission_denied';
    return isRefusal && error.origin === 'remote'
      ? []
      : [`the stranger ${brief(nodeId)} got ${describe(error)}: ${error.message}`];
  } finally {
    await transport.close();
  }
}

/**
 * Resolves once each current connection to one of these members is down, with the errors that ended
 * them.
 */
async function cutFrom(
  transport: Transport,
  members: readonly Member[],
): Promise<(TransportError | undefined)[]> {
  const ids = new Set(members.map(idOf));
  const live = new Set(transport.remotes().filter(({ nodeId = '' }) => ids.has(nodeId)));
  const causes: (TransportError | undefined)[] = [];
  if (live.size === 0) return causes;
  for await (const event of transport.connections()) {
    if (event.type === 'down' && live.delete(event.remote)) causes.push(event.cause);
    if (live.size === 0) break;
  }
  return causes;
}

function idOf({ place }: Member): string {
  return place.proof!.nodeId;
}

function describe(error: TransportError | undefined): string {
  if (error === undefined) return 'no cause';
  return error.reason === undefined ? error.code : `${error.code} (${error.reason})`;
}

const clock = systemClock;
