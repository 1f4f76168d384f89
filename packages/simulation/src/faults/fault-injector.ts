// Applies faults to the topology, the network and the nodes of a simulation, and tracks the time
// since which nothing has been wrong.

import type { EventLoop } from '../kernel/event-loop.ts';
import { pair, TraceKind } from '../kernel/trace.ts';
import type { Incarnation } from '../network/incarnation.ts';
import type { SimNetwork } from '../network/sim-network.ts';
import type { Cluster } from '../nodes/cluster.ts';
import type { SimNode } from '../nodes/sim-node.ts';
import { checkFault, describeFault, type Fault } from './fault.ts';
import { Membership } from './membership.ts';

/** The state of all faults in a simulation. */
export class FaultInjector {
  readonly membership = new Membership();
  #wellSince: number | undefined = 0;
  /** The virtual times at which pauses end. A pause also ends if its incarnation does. */
  readonly #pauses = new Map<Incarnation, number>();
  readonly #loop: EventLoop;
  readonly #network: SimNetwork;
  readonly #cluster: Cluster;

  constructor(loop: EventLoop, network: SimNetwork, cluster: Cluster) {
    this.#loop = loop;
    this.#network = network;
    this.#cluster = cluster;
  }

  /**
   * The virtual time since which the network has been whole and every node up, accepting
   * connections and neither paused nor slowed down; undefined while something is wrong. Wrong
   * clocks and disk faults do not count.
   */
  get calmSince(): number | undefined {
    let since = this.#wellSince;
    if (since === undefined) return undefined;
    for (const [incarnation, end] of this.#pauses) {
      if (incarnation.alive) since = Math.max(since, end);
      else this.#pauses.delete(incarnation);
    }
    return this.#loop.now < since ? undefined : since;
  }

  /**
   * Injects a fault now.
   *
   * @throws TypeError if the fault is invalid, names an unknown node or client, or needs functions
   * of `membership` that the scenario has not given.
   */
  inject(fault: Fault): void {
    const loop = this.#loop;
    this.check(fault);
    this.#apply(fault);
    loop.trace.recordText(TraceKind.fault, 0, describeFault(fault));
    loop.touch();
    this.updateCalm(fault.do === 'recover');
  }

  /** Checks the numbers and names of a fault; throws a TypeError that names an invalid one. */
  check(fault: Fault): void {
    checkFault(fault);
    if ('groups' in fault) for (const name of fault.groups.flat()) this.#cluster.node(name);
    if ('node' in fault) this.#cluster.node(fault.node);
    if ('from' in fault) for (const name of [fault.from, fault.to]) this.#cluster.end(name);
  }

  /**
   * Updates `calmSince`. A node that has not booted yet does not interrupt the calm period. With
   * `recovered`, the calm period starts now.
   */
  updateCalm(recovered: boolean): void {
    const isWell = (node: SimNode) =>
      (node.isUp || node.waits) && !node.refusing && (node.incarnation?.cost ?? 0) === 0;
    const calm = this.#network.topology.whole && [...this.#cluster.nodes.values()].every(isWell);
    if (!calm) this.#wellSince = undefined;
    else if (this.#wellSince === undefined || recovered) this.#wellSince = this.#loop.now;
  }

  #apply(fault: Fault): void {
    const { topology } = this.#network;
    switch (fault.do) {
      case 'partition':
        return topology.partition(fault.groups);
      case 'cut':
      case 'hold':
      case 'release':
        return topology[fault.do](fault.from, fault.to, fault.direction ?? 'both');
      case 'link':
        return topology.change(fault.from, fault.to, fault.link, fault.direction ?? 'both');
      case 'reset':
      case 'halfClose':
        return this.#breakOff(fault.do, this.#cluster.end(fault.from), this.#cluster.end(fault.to));
      case 'heal':
        return this.#heal();
      case 'recover':
        this.#heal();
        for (const node of this.#cluster.nodes.values()) this.#recover(node);
        return this.membership.recover();
      case 'remove':
      case 'add':
        return this.membership.change(fault.do, fault.node);
      default:
        return this.#applyTo(this.#cluster.node(fault.node), fault);
    }
  }

  #applyTo(
    node: SimNode,
    fault: Exclude<Extract<Fault, { node: string }>, { do: 'remove' | 'add' }>,
  ): void {
    const { incarnation } = node;
    const { now, trace } = this.#loop;
    switch (fault.do) {
      case 'crash':
        trace.record(TraceKind.crashed, pair(trace.number(node.name), 0));
        return node.crash(fault.power !== 'lost');
      case 'restart':
        if (node.isUp) node.crash(true);
        node.boot();
        return;
      case 'pause':
        if (incarnation === undefined) return;
        incarnation.busyUntil = Math.max(incarnation.busyUntil, now + fault.for);
        this.#pauses.set(incarnation, incarnation.busyUntil);
        return;
      case 'slow':
        if (incarnation !== undefined) incarnation.cost = fault.cost;
        return;
      case 'skew':
        return node.time.skew(fault.by, fault.clock ?? 'wall');
      case 'drift':
        return node.time.drift(fault.ppm);
      case 'refuse':
        node.refusing = true;
        return;
      case 'disk':
        return node.disk.configure(fault.disk);
    }
  }

  #breakOff(what: 'reset' | 'halfClose', a: SimNode, b: SimNode): void {
    if (a.incarnation === undefined || b.incarnation === undefined) return;
    this.#network[what](a.incarnation, b.incarnation);
    if (what === 'reset') this.#network.reset(b.incarnation, a.incarnation);
  }

  #heal(): void {
    this.#network.topology.heal();
    for (const node of this.#cluster.nodes.values()) node.refusing = false;
  }

  #recover(node: SimNode): void {
    node.time.drift(0);
    node.disk.mend();
    if (node.incarnation !== undefined) node.incarnation.cost = 0;
    if (!node.waits && !node.isUp) node.boot();
  }
}
