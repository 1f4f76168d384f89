// The story that is the same on every backend: elect, write, lose the leader, elect, write, heal by
// snapshot, compare. If ids are proven, a member is also denied, and a stranger tries to write.

import { TransportError } from '@trunkline/transport-core';
import { Cluster, type Member } from './cluster.ts';
import type { Place } from './networks.ts';
import { brief, type Story, type StoryOptions, stopwatch } from './story.ts';
import { Workload } from './workload.ts';

export const failover: Story = {
  columns: ['election', 'commits/s', 'fail-over', 'write p50', 'write p99', 'catch-up', 'snapshot'],

  async play(network, options) {
    const { nodes, writes, note, signal } = options;
    const { stranger, accident } = network;
    await using cluster = new Cluster(network, { writes, signal });
    note(`${nodes} nodes elect a leader`);
    const election = stopwatch();
    await cluster.gather();
    await cluster.start();
    const failures = stranger === undefined ? [] : introduce(cluster, note);
    await cluster.until('a leader', () => cluster.leader);
    const electionMs = election();
    const workload = new Workload(cluster, signal);
    await workload.run('before', writes);

    const lost = await cluster.until('a leader', () => cluster.leader);
    const before = lost.node.status;
    note(`the leader of term ${before.term} stops, ${nodes - 1} nodes elect another`);
    const loss = stopwatch();
    await cluster.lose(lost);
    await workload.write('fail-over', 'committed without the stopped leader');
    const failoverMs = loss();
    await workload.run('after', writes);
    if (accident !== undefined) {
      note(await accident());
      await workload.run('accident', writes);
    }

    note('the stopped node returns and catches up by snapshot');
    const catchUp = stopwatch();
    await cluster.bringBack(lost);
    const leader = await cluster.until('all nodes to catch up', () => cluster.agreed);
    const catchUpMs = catchUp();
    const { base, term } = leader.node.status;
    const { commitsPerSecond, p50, p99 } = workload.statistics;

    if (stranger !== undefined) {
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
  },
};

/** Lists the members, all of whom have dialed each other. Returns failed checks. */
function introduce({ members }: Cluster, note: StoryOptions['note']): string[] {
  const ids = members.map(idOf);
  note(`members   ${ids.map(brief).join(' ')}, each proven to all others`);
  return members.flatMap((member) => {
    const proven = [idOf(member), ...member.transport.remotes().map(({ nodeId }) => nodeId)];
    return ids
      .filter((id) => !proven.includes(id))
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
  const ids = others.map(idOf);
  const id = brief(idOf(denied));
  const deny = (list: string[]) => Promise.all(others.map(({ place }) => place.deny!(list)));
  const isAlone = () => !denied.transport.remotes().some(({ nodeId = '' }) => ids.includes(nodeId));
  const writes = Math.ceil(options.writes / 10);
  const cut = stopwatch();
  await deny([idOf(denied)]);
  await cluster.until(`${id} to be disconnected`, isAlone);
  const cutMs = cut();
  await workload.run('denied', writes);
  const hasHeard = denied.machine.get('denied-0') !== undefined;
  const back = stopwatch();
  await deny([]);
  await cluster.until(`${id} to have applied all entries`, () => cluster.agreed);
  options.note(
    `denied    ${id}: disconnected in ${cutMs.toFixed(0)} ms; ${writes} writes without it; back in ${back().toFixed(0)} ms`,
  );
  return hasHeard ? [`${id} was denied, but still received writes`] : [];
}

/** Lets a stranger try to write. Returns failed checks. */
async function refuseStranger(
  { open, nodeId }: Place,
  cluster: Cluster,
  note: StoryOptions['note'],
): Promise<string[]> {
  const id = brief(nodeId!);
  const { transport, close } = await open();
  try {
    await cluster.client('stranger', undefined, transport).set('before-0', 'overwritten');
    return [`the stranger ${id} could write`];
  } catch (error) {
    if (!(error instanceof TransportError)) throw error;
    const { code, reason, origin, message } = error;
    note(`stranger  ${id}: refused, ${code} (${reason})`);
    const isRefusal = code === 'unauthenticated' || code === 'permission_denied';
    return isRefusal && origin === 'remote' ? [] : [`the stranger ${id} got ${code}: ${message}`];
  } finally {
    await close();
  }
}

function idOf({ place }: Member): string {
  return place.nodeId!;
}
