// The story of `--peers`: nodes that know one seed find each other, elect and write by node id, and
// survive changes of address.

import { createMemoryAddressBook, createPeers, type Peers } from '@trunkline/peers';
import { createIdentity } from '@trunkline/security';
import { parseTarget } from '@trunkline/transport-core/backend';
import { Cluster, type Member } from './cluster.ts';
import type { Network, Place, Seat } from './networks.ts';
import { brief, type Story, stopwatch } from './story.ts';
import { Workload } from './workload.ts';

/** Needs at least five nodes, because two are away at once. */
export const discovery: Story = {
  columns: ['full mesh', 'election', 'commits/s', 'back by id', 'without seed'],

  async play(network, { nodes, writes, note, signal }) {
    const known = new ById(network, signal);
    await using cluster = new Cluster(known, { writes, signal });
    note(`${nodes} nodes look for each other; they know only the address of the first one`);
    const mesh = stopwatch();
    await cluster.gather();
    const meshMs = mesh();
    const election = stopwatch();
    await cluster.start();
    await cluster.until('a leader', () => cluster.leader);
    const electionMs = election();
    const [seed, ...others] = cluster.members as [Member, ...Member[]];
    note(
      `members   ${cluster.targets.map(brief).join(' ')}, found through ${seed.addr} in ${meshMs.toFixed(0)} ms`,
    );

    const workload = new Workload(cluster, signal);
    await workload.run('before', writes);

    /**
     * Stops a node and brings it back with the same id at another address, while clients write.
     * Returns the time from its return until all others have found it.
     */
    const move = async (member: Member): Promise<number> => {
      const { target, addr } = member;
      const id = brief(target);
      const half = Math.ceil(writes / 2);
      await cluster.lose(member);
      await workload.run(`without-${id}`, half);
      const returned = stopwatch();
      await cluster.bringBack(member, { elsewhere: true });
      const isFound = () => known.haveFound(member);
      const [backMs] = await Promise.all([
        cluster.until(`${id} to be found at ${member.addr}`, isFound).then(returned),
        workload.run(`with-${id}`, half),
      ]);
      await cluster.until(`${id} to have applied all entries`, () => cluster.agreed);
      note(
        `moved     ${id}: ${addr} → ${member.addr}, found by its id in ${backMs.toFixed(0)} ms, caught up in ${returned().toFixed(0)} ms`,
      );
      return backMs;
    };

    const backMs = await move(others.find((member) => member !== cluster.leader)!);
    await cluster.lose(seed);
    const leader = await cluster.until('a leader', () => cluster.leader);
    note(`seed      ${brief(seed.target)} has stopped for good`);
    const backWithoutSeedMs = await move(others.findLast((member) => member !== leader)!);

    const { commitsPerSecond } = workload.statistics;
    const figures = [meshMs, electionMs, commitsPerSecond, backMs, backWithoutSeedMs];
    return {
      cells: figures.map((figure) => figure.toFixed(0)),
      failures: cluster.breaches(workload.written),
    };
  },
};

/**
 * A network whose nodes know each other by id. Each node has peers, and Raft sends to ids instead
 * of addresses without noticing the difference.
 */
class ById implements Network {
  readonly places: readonly Place[];
  readonly #signal: AbortSignal;
  readonly #peers = new Map<string, Peers>();
  /** The address of the first node; the others are told nothing else. */
  #seed: string | undefined;

  constructor({ places }: Network, signal: AbortSignal) {
    this.places = places.map((place) => this.#withPeers(place));
    this.#signal = signal;
  }

  async meet(seats: readonly Seat[]): Promise<void> {
    const signal = this.#signal;
    const peers = seats.length - 1;
    await Promise.all(seats.map(({ target }) => this.#peers.get(target)!.ready({ peers, signal })));
  }

  /** Returns whether all others are connected to this node, at its current address. */
  haveFound({ target, addr }: Seat): boolean {
    const isThere = (seen = '') => seen !== '' && parseTarget(seen).key === parseTarget(addr).key;
    return [...this.#peers].every(
      ([nodeId, peers]) => nodeId === target || isThere(peers.get(target)?.addr),
    );
  }

  #withPeers({ open, nodeId }: Place): Place {
    // A node that moves keeps its id and its address book.
    const identity = nodeId === undefined ? createIdentity() : { nodeId };
    const kept = { identity, addressBook: createMemoryAddressBook() };
    const openWithPeers = async (given?: string): Promise<Seat> => {
      const { transport, addr } = await open(given);
      const seeds = this.#seed === undefined ? [] : [this.#seed];
      this.#seed ??= addr;
      const peers = createPeers({ transport, seeds, ...kept });
      const target = peers.nodeId;
      this.#peers.set(target, peers);
      await peers.start();
      const close = async () => {
        if (this.#peers.get(target) === peers) this.#peers.delete(target);
        await peers.close();
        await transport.close();
      };
      return { addr, target, transport, close };
    };
    return { open: openWithPeers };
  }
}
