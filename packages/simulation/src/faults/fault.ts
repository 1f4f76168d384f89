// Faults as plain data: schedules list them, nemeses plan them, and the shrinker removes them.

import type { LinkOptions } from '../network/link-settings.ts';
import type { Direction } from '../network/topology.ts';
import { checkDisk, type DiskOptions } from '../nodes/node-store.ts';

/** A fault, or the end of one. `node`, `from` and `to` are names; times are in milliseconds. */
export type Fault =
  /**
   * Splits the nodes: two nodes reach each other only if some group contains both, and a node in no
   * group is isolated. Groups may overlap, to form bridges and rings.
   */
  | { readonly do: 'partition'; readonly groups: readonly (readonly string[])[] }
  /**
   * Blocks everything between `from` and `to`; if `direction` is 'one-way', only what `from` sends.
   */
  | {
      readonly do: 'cut';
      readonly from: string;
      readonly to: string;
      readonly direction?: 'both' | 'one-way' | undefined;
    }
  /**
   * Holds everything between `from` and `to` until `release`, including messages in flight; if
   * `direction` is 'one-way', only what `from` sends.
   */
  | {
      readonly do: 'hold';
      readonly from: string;
      readonly to: string;
      readonly direction?: 'both' | 'one-way' | undefined;
    }
  /** Ends a `hold`. */
  | {
      readonly do: 'release';
      readonly from: string;
      readonly to: string;
      readonly direction?: 'both' | 'one-way' | undefined;
    }
  /** Changes the settings of a link until the network is healed. */
  | {
      readonly do: 'link';
      readonly from: string;
      readonly to: string;
      readonly link: LinkOptions;
      readonly direction?: 'both' | 'one-way' | undefined;
    }
  /** Resets every connection between `from` and `to`. */
  | { readonly do: 'reset'; readonly from: string; readonly to: string }
  /** Closes `from`'s half of every connection with `to`. */
  | { readonly do: 'halfClose'; readonly from: string; readonly to: string }
  /** Ends partitions, cuts, holds, changed links and refusals. */
  | { readonly do: 'heal' }
  /**
   * Stops a node without any cleanup; data that was not synced is lost. Its peers see a reset, or
   * nothing if `power` is 'lost'.
   */
  | { readonly do: 'crash'; readonly node: string; readonly power?: 'kept' | 'lost' | undefined }
  /** Boots a node; if it is up, it crashes first. */
  | { readonly do: 'restart'; readonly node: string }
  /**
   * Stops a node's event loop for the given number of milliseconds; events that arrive meanwhile
   * wait.
   */
  | { readonly do: 'pause'; readonly node: string; readonly for: number }
  /** Makes a node spend `cost` milliseconds on each event; 0 ends this. */
  | { readonly do: 'slow'; readonly node: string; readonly cost: number }
  /**
   * Makes the wall clock of a node jump forward, or back if `by` is negative. With `clock` 'both',
   * the monotonic clock jumps, too, and `by` can't be negative.
   */
  | {
      readonly do: 'skew';
      readonly node: string;
      readonly by: number;
      readonly clock?: 'wall' | 'both' | undefined;
    }
  /**
   * Makes a node's clock and timers run fast by `ppm` millionths, or slow if `ppm` is negative. 0
   * ends the drift.
   */
  | { readonly do: 'drift'; readonly node: string; readonly ppm: number }
  /** Makes a node refuse every new connection until the network is healed. */
  | { readonly do: 'refuse'; readonly node: string }
  /** Changes the behavior of a node's disk. */
  | { readonly do: 'disk'; readonly node: string; readonly disk: DiskOptions }
  /**
   * Removes a node from the scenario's group, with the function that the scenario passed to
   * `Simulation.membership`. The node keeps running.
   */
  | { readonly do: 'remove'; readonly node: string }
  /** Puts a removed node back into the group. */
  | { readonly do: 'add'; readonly node: string }
  /**
   * Heals the network, restarts nodes that are down, ends slowness and drift, repairs disks, and
   * puts all nodes back into the group. Clocks are not corrected.
   */
  | { readonly do: 'recover' };

/** A fault and the virtual time at which it happens, in milliseconds since the simulation began. */
export type ScheduledFault = Fault & { readonly at: number };

/**
 * Checks the numbers and disk options of a fault. `FaultInjector` checks its names.
 *
 * @throws TypeError that names the invalid number or option.
 */
export function checkFault(fault: Fault): void {
  const numbers: Readonly<Record<string, (value: number) => boolean>> = {
    at: () => true,
    for: (value) => value >= 0,
    cost: (value) => value >= 0,
    by: () => true,
    ppm: (value) => value > -1_000_000,
  };
  for (const [name, isFit] of Object.entries(numbers)) {
    const value = (fault as unknown as Record<string, unknown>)[name];
    if (!(name in fault) || (Number.isFinite(value) && isFit(value as number))) continue;
    throw new TypeError(
      `fault '${fault.do}': ${name} must be a number${name === 'ppm' ? ' above -1,000,000' : name === 'by' || name === 'at' ? '' : ' of at least 0'}, got ${String(value)}`,
    );
  }
  if (fault.do === 'disk') checkDisk(fault.disk, "fault 'disk'");
  if (fault.do === 'skew') checkSkew(fault.by, fault.clock);
}

function checkSkew(by: number, clock: unknown): void {
  if (clock !== undefined && clock !== 'wall' && clock !== 'both')
    throw new TypeError(`fault 'skew': clock must be 'wall' or 'both', got ${String(clock)}`);
  if (clock === 'both' && by < 0)
    throw new TypeError(
      `fault 'skew': by must be at least 0 for both clocks, because the monotonic clock never goes back; got ${by}`,
    );
}

/** Describes a fault in one line, for timelines: 'partition n1 n2 | n3'. */
export function describeFault(fault: Fault): string {
  switch (fault.do) {
    case 'partition':
      return `partition ${fault.groups.map((group) => group.join(' ')).join(' | ')}`;
    case 'cut':
    case 'hold':
    case 'release':
      return `${fault.do} ${fault.from} ${arrow(fault.direction)} ${fault.to}`;
    case 'link':
      return `link ${fault.from} ${arrow(fault.direction)} ${fault.to} ${JSON.stringify(fault.link)}`;
    case 'reset':
    case 'halfClose':
      return `${fault.do} ${fault.from} → ${fault.to}`;
    case 'heal':
    case 'recover':
      return fault.do;
    case 'crash':
      return `crash ${fault.node}${fault.power === 'lost' ? ', power lost' : ''}`;
    case 'restart':
    case 'refuse':
    case 'remove':
    case 'add':
      return `${fault.do} ${fault.node}`;
    case 'pause':
      return `pause ${fault.node} for ${fault.for} ms`;
    case 'slow':
      return `slow ${fault.node}: ${fault.cost} ms an event`;
    case 'skew':
      return `skew ${fault.node} by ${fault.by} ms${fault.clock === 'both' ? ', both clocks' : ''}`;
    case 'drift':
      return `drift ${fault.node} ${fault.ppm} ppm`;
    case 'disk':
      return `disk ${fault.node} ${JSON.stringify(fault.disk)}`;
  }
}

function arrow(direction: Direction | undefined): string {
  return direction === 'one-way' ? '→' : '↔';
}
