// Applies the faults of a simulation to processes and to the proxies between them, and owns the
// state of all faults.

import type { Clock, ClockTimer } from '@trunkline/transport-core';
import type { NetworkFaults } from '@trunkline/transport-testkit';
import type { Fault } from '../faults/fault.ts';
import { Membership } from '../faults/membership.ts';
import { type DelayDistribution, isRange } from '../kernel/distributions.ts';
import type { LinkOptions } from '../network/link-settings.ts';
import type { LinkProxy } from './link-proxy.ts';
import type { NodeProcess } from './node-process.ts';

/** The processes to which faults are applied. */
export interface FaultTarget {
  readonly clock: Clock;
  readonly nodes: ReadonlyMap<string, NodeProcess>;
  /** Returns true if a node has started and its setup has finished. */
  isReady(name: string): boolean;
  /** Called before a process is killed, so that its later reports don't count. */
  forget(name: string): void;
}

/** The state of all faults of a run. */
export class ProcessFaults {
  /** The number of faults that could not be applied to processes, by kind. */
  readonly skipped = new Map<Fault['do'], number>();
  readonly membership = new Membership();
  readonly #target: FaultTarget;
  readonly #proxies = new Map<string, { from: string; to: string; proxy: LinkProxy }>();
  readonly #cuts = new Set<string>();
  readonly #holds = new Set<string>();
  readonly #links = new Map<string, NetworkFaults>();
  readonly #refusing = new Set<string>();
  /** Nodes that were killed in such a way that their connections do not end. */
  readonly #lost = new Set<string>();
  readonly #resumes = new Map<string, ClockTimer>();
  /** Nodes that start again when their last process has ended. */
  readonly #restarting = new Set<string>();
  #groups: readonly (readonly string[])[] | undefined;

  constructor(target: FaultTarget) {
    this.#target = target;
  }

  /** True if the network is whole and every node is up. Pauses do not count. */
  get isCalm(): boolean {
    const isWhole =
      this.#groups === undefined &&
      this.#cuts.size + this.#holds.size + this.#links.size + this.#refusing.size === 0;
    return isWhole && [...this.#target.nodes.keys()].every((name) => this.#target.isReady(name));
  }

  /** Adds the proxy of a link, and applies the faults of the link to it. */
  add(from: string, to: string, proxy: LinkProxy): void {
    this.#proxies.set(`${from} ${to} ${proxy.address}`, { from, to, proxy });
    this.#update();
  }

  /**
   * Injects a fault now. Returns false if it can't be applied to processes.
   *
   * @throws TypeError if it names a node that does not exist, or a client, or changes the group
   * before a call of `membership`.
   */
  inject(fault: Fault): boolean {
    for (const name of namesIn(fault))
      if (!this.#target.nodes.has(name))
        throw new TypeError(
          `inject: there is no node '${name}'; the nodes are ${[...this.#target.nodes.keys()].join(', ')}`,
        );
    const isApplied = this.#apply(fault);
    if (!isApplied) this.skipped.set(fault.do, (this.skipped.get(fault.do) ?? 0) + 1);
    this.#update();
    return isApplied;
  }

  /** Lets paused processes continue, and starts no further ones. */
  end(): void {
    this.#restarting.clear();
    for (const name of this.#resumes.keys()) this.#resume(name);
  }

  #apply(fault: Fault): boolean {
    switch (fault.do) {
      case 'partition':
        this.#groups = fault.groups;
        return true;
      case 'cut':
      case 'hold': {
        const set = fault.do === 'cut' ? this.#cuts : this.#holds;
        for (const way of waysOf(fault)) set.add(way);
        return true;
      }
      case 'release':
        for (const way of waysOf(fault)) this.#holds.delete(way);
        return true;
      case 'link':
        for (const way of waysOf(fault)) this.#links.set(way, linkFaults(fault.link));
        return true;
      case 'reset':
        for (const { from, to, proxy } of this.#proxies.values())
          if ([from, to].includes(fault.from) && [from, to].includes(fault.to)) proxy.reset();
        return true;
      case 'refuse':
        this.#refusing.add(fault.node);
        return true;
      case 'heal':
        this.#heal();
        return true;
      case 'crash':
        this.#crash(fault.node, fault.power === 'lost');
        return true;
      case 'restart':
        this.#restart(fault.node);
        return true;
      case 'pause':
        this.#pause(fault.node, fault.for);
        return true;
      case 'recover':
        this.#heal();
        for (const name of this.#target.nodes.keys()) {
          this.#resume(name);
          if (!this.#target.nodes.get(name)!.isUp) this.#restart(name);
        }
        this.membership.recover();
        return true;
      case 'remove':
      case 'add':
        this.membership.change(fault.do, fault.node);
        return true;
      default:
        return false;
    }
  }

  #heal(): void {
    this.#groups = undefined;
    for (const state of [this.#cuts, this.#holds, this.#links, this.#refusing]) state.clear();
  }

  #crash(name: string, isPowerLost: boolean): void {
    this.#restarting.delete(name);
    this.#resume(name);
    if (isPowerLost) {
      this.#lost.add(name);
      // This must happen before the system closes its sockets.
      this.#update();
    }
    this.#target.forget(name);
    this.#target.nodes.get(name)!.kill();
  }

  #restart(name: string): void {
    const node = this.#target.nodes.get(name)!;
    if (node.isUp) this.#crash(name, false);
    this.#lost.delete(name);
    // Only one process at a time may use the files of the node.
    this.#restarting.add(name);
    void node.exited.then(() => void (this.#restarting.delete(name) && node.start()));
  }

  #pause(name: string, milliseconds: number): void {
    const { clock, nodes } = this.#target;
    this.#resume(name);
    nodes.get(name)!.pause();
    this.#resumes.set(
      name,
      clock.setTimeout(() => this.#resume(name), milliseconds),
    );
  }

  #resume(name: string): void {
    const timer = this.#resumes.get(name);
    if (timer === undefined) return;
    this.#target.clock.clearTimeout(timer);
    this.#resumes.delete(name);
    this.#target.nodes.get(name)!.resume();
  }

  #update(): void {
    for (const { from, to, proxy } of this.#proxies.values())
      proxy.set({
        onward: this.#faultsOf(from, to),
        back: this.#faultsOf(to, from),
        isRefused: this.#refusing.has(to),
      });
  }

  /** Returns the faults of the direction from one node to another. */
  #faultsOf(from: string, to: string): NetworkFaults {
    const way = `${from} ${to}`;
    const isSplit =
      this.#groups !== undefined &&
      !this.#groups.some((group) => group.includes(from) && group.includes(to));
    return {
      ...this.#links.get(way),
      stalled: isSplit || this.#cuts.has(way) || this.#holds.has(way),
      halfOpen: this.#lost.has(from) || this.#lost.has(to),
    };
  }
}

function namesIn(fault: Fault): readonly string[] {
  if ('groups' in fault) return fault.groups.flat();
  if ('node' in fault) return [fault.node];
  return 'from' in fault ? [fault.from, fault.to] : [];
}

/** Returns the directions of a fault, as 'from to'. */
function waysOf({
  from,
  to,
  direction,
}: Extract<Fault, { do: 'cut' | 'hold' | 'release' | 'link' }>): readonly string[] {
  return direction === 'one-way' ? [`${from} ${to}`] : [`${from} ${to}`, `${to} ${from}`];
}

/**
 * Returns the settings of a link that a proxy supports: bandwidth, and latency, which it
 * spreads evenly. The system itself repairs loss, duplicates and reordering.
 */
export function linkFaults({ latency = 0, bandwidth }: LinkOptions): NetworkFaults {
  const [least, most] = rangeOf(latency);
  return { delay: least, jitter: most - least, ...(bandwidth === undefined ? {} : { bandwidth }) };
}

/** Returns the bounds of an even distribution with about the mean of a given one. */
function rangeOf(delay: DelayDistribution): readonly [least: number, most: number] {
  if (typeof delay === 'number') return [delay, delay];
  if (isRange(delay)) return delay;
  const { least = 0, most = Number.POSITIVE_INFINITY } = delay;
  // An exponential delay is added to `least`, which only bounds a lognormal one.
  const beyond =
    'exponential' in delay
      ? delay.exponential
      : Math.max(0, delay.lognormal * Math.exp(delay.sigma ** 2 / 2) - least);
  return [least, Math.max(least, Math.min(most, least + 2 * beyond))];
}
