// The story that is the same on every backend: elect, write, lose the leader, elect, write, heal by
// snapshot, compare. If ids are proven, a member is also denied, and a stranger tries to write.

import { type Transport, TransportError } from '@trunkline/transport-core';
import type { Cluster, Member } from './cluster.ts';
import type { Place } from './networks.ts';
import { brief } from './screen.ts';
import { type Story, type StoryOptions, stopwatch, withCluster } from './story.ts';
import { Workload } from './workload.ts';

export const failover: Story = {
  columns: ['election', 'commits/s', 'fail-over', 'write p50', 'write p99', 'catch-up', 'snapshot'],
  moral: ({ nodes, writes }) =>
    `${nodes} nodes, ${2 * writes} writes on each backend: one leader per term, no write lost, equal state hashes. Times in ms.`,
  play: (makeNetwork, options) =>
    withCluster(makeNetwork, options, undefined, async (cluster, network) => {
      const { nodes, writes, progress, note } = options;
      const { places, stranger, accident } = network;
      progress(`${nodes} nodes elect a leader`);
      const election = stopwatch();
      await cluster.gather(nodes);
      await cluster.start();
      const failures = stranger === undefined ? [] : introduce(cluster, note);
      await cluster.until('a leader', () => cluster.leader);
      const electionMs = election();

      const desk = await places[nodes]!.open();
      try {
        const workload = new Workload(desk, cluster, options);
        await workload.run('before', writes, 'before the leader stops');
        const lost = await cluster.until('a leader', () => cluster.leader);
        const before = lost.node.status;
        progress(`the leader of term ${before.term} stops, ${nodes - 1} nodes elect another`);
        const loss = stopwatch();
        await cluster.lose(lost);
        await workload.write('fail-over', 'committed without the stopped leader');
        const failoverMs = loss();
        await workload.run('after', writes, 'after the leader stops');
        if (accident !== undefined) {
          note(await accident());
          await workload.run('accident', writes, 'after the accident');
        }

        progress('the stopped node returns and catches up by snapshot');
        const catchUp = stopwatch();
        await cluster.bringBack(lost);
        const leader = await cluster.until('all nodes to catch up', () => cluster.agreed);
        const catchUpMs = catchUp();
        const { base, term } = leader.node.status;
        const { commitsPerSecond, p50, p99 } = workload.statistics;

        if (stranger !== undefined) {
          progress('a member is denied and admitted again, a stranger is refused');
          failures.push(...(await denyAndLetIn(cluster, workload, options)));
          failures.push(...(await refuseStranger(stranger, cluster, note)));
        }
        failures.push(...cluster.breaches(workload.written));
        if (term <= before.term)
          failures.push(`the leader after term ${before.term} leads term ${term}`);
        if (lost.snapshotBytes === 0)
          failures.push(
            `no snapshot was sent to a node whose log ended at ${before.last}; the log of the leader begins after ${base}`,
          );
        const kibibytes = Math.ceil(lost.snapshotBytes / 1024);
        const whole = [electionMs, commitsPerSecond, failoverMs].map((value) => value.toFixed(0));
        const times = [p50.toFixed(1), p99.toFixed(1), catchUpMs.toFixed(0)];
        return { cells: [...whole, ...times, `${kibibytes} KiB`], failures };
      } finally {
        await desk.close();
      }
    }),
};

/** Lists the members, all of whom have dialed each other. Returns failed checks. */
function introduce({ members }: Cluster, note: StoryOptions['note']): string[] {
  const ids = members.map(idOf);
  note(`members   ${ids.map(brief).join(' ')}, each proven to all others`);
  return members.flatMap((member) => {
    const proven = new Set(member.transport.remotes().map(({ nodeId }) => nodeId));
    return ids
      .filter((id) => id !== idOf(member) && !proven.has(id))
      .map((id) => `${brief(id)} has not proven its id to ${brief(idOf(member))}`);
  });
}

/**
 * Denies a follower on all other members, writes without it, and lets it in again. Returns failed
 * checks.
 */
async function denyAndLetIn(
  cluster: Cluster,
  workload: Workload,
  options: StoryOptions,
): Promise<string[]> {
  const { leader, members } = cluster;
  const denied = members.find((member) => member !== leader)!;
  const others = members.filter((member) => member !== denied);
  const id = brief(idOf(denied));
  const deny = (ids: string[]) => Promise.all(others.map(({ place }) => place.proof!.deny(ids)));
  const writes = Math.ceil(options.writes / 10);

  const { live, causes } = watchEnds(denied.transport, others);
  const cut = stopwatch();
  await deny([idOf(denied)]);
  await cluster.until(`${id} to be disconnected`, () => live.size === 0 || undefined);
  const cutMs = cut();
  await workload.run('denied', writes, `without ${id}`);
  const hasHeard = denied.machine.get('denied-0') !== undefined;

  const back = stopwatch();
  await deny([]);
  await cluster.until(`${id} to have applied all entries`, () => cluster.agreed);
  const told = [...new Set(causes.map(describe))].join(', ');
  options.note(
    `denied    ${id}: disconnected in ${cutMs.toFixed(0)} ms, ${told}; ${writes} writes without it; back in ${back().toFixed(0)} ms`,
  );
  const failures = causes
    .filter((cause) => cause?.reason !== 'denied')
    .map((cause) => `${id} was denied, but got the cause ${describe(cause)}`);
  if (hasHeard) failures.push(`${id} was denied, but still received writes`);
  return failures;
}

/** Lets a stranger try to write. Returns failed checks. */
async function refuseStranger(
  { open, proof }: Place,
  cluster: Cluster,
  note: StoryOptions['note'],
): Promise<string[]> {
  const id = brief(proof!.nodeId);
  const transport = await open();
  try {
    await cluster.client(transport, 'stranger').set('before-0', 'overwritten');
    return [`the stranger ${id} could write`];
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    note(`stranger  ${id}: refused, ${describe(error)}`);
    const isRefusal = error.code === 'unauthenticated' || error.code === 'permission_denied';
    return isRefusal && error.origin === 'remote'
      ? []
      : [`the stranger ${id} got ${describe(error)}: ${error.message}`];
  } finally {
    await transport.close();
  }
}

/** Watches the current connections to members: `live` shrinks, and `causes` grows, as they end. */
function watchEnds(transport: Transport, members: readonly Member[]) {
  const ids = new Set(members.map(idOf));
  const live = new Set(transport.remotes().filter(({ nodeId = '' }) => ids.has(nodeId)));
  const causes: (TransportError | undefined)[] = [];
  const watch = async () => {
    for await (const event of transport.connections()) {
      if (event.type === 'down' && live.delete(event.remote)) causes.push(event.cause);
      if (live.size === 0) return;
    }
  };
  void watch();
  return { live, causes };
}

function idOf({ place }: Member): string {
  return place.proof!.nodeId;
}

function describe(error: TransportError | undefined): string {
  if (error === undefined) return 'no cause';
  return error.reason === undefined ? error.code : `${error.code} (${error.reason})`;
}
