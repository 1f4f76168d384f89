// Faults as plain data: what a schedule lists, a nemesis plans and a shrinker takes away.

import type { LinkOptions } from '../network/link-settings.ts';
import type { Direction } from '../network/topology.ts';
import { checkDisk, type DiskOptions } from '../nodes/node-store.ts';

/** Something goes wrong, or right again. `node`, `from` and `to` are names; times are milliseconds. */
export type Fault =
  /** Two nodes reach each other where one group holds both; one in no group stands alone. Groups that overlap make bridges and rings. */
  | { readonly do: 'partition'; readonly groups: readonly (readonly string[])[] }
  /** What `from` sends to `to` is lost; both ways where the direction is not 'one-way'. */
  | { readonly do: 'cut'; readonly from: string; readonly to: string; readonly direction?: Direction | undefined }
  /** What `from` sends to `to` waits until it is released, what is on its way too. */
  | { readonly do: 'hold'; readonly from: string; readonly to: string; readonly direction?: Direction | undefined }
  | { readonly do: 'release'; readonly from: string; readonly to: string; readonly direction?: Direction | undefined }
  /** The link is otherwise until the network is healed. */
  | { readonly do: 'link'; readonly from: string; readonly to: string; readonly link: LinkOptions; readonly direction?: Direction | undefined }
  /** Every connection between the two is broken off at once. */
  | { readonly do: 'reset'; readonly from: string; readonly to: string }
  /** `from` ends its half of every connection with `to`. */
  | { readonly do: 'halfClose'; readonly from: string; readonly to: string }
  /** Ends partitions, cuts, holds and changed links, and nobody refuses any more. */
  | { readonly do: 'heal' }
  /** It ends with no clean-up and loses what was not synced. Others see a reset; where it loses its power, nothing. */
  | { readonly do: 'crash'; readonly node: string; readonly power?: 'kept' | 'lost' | undefined }
  /** A node that is down begins anew; one that is up crashes first. */
  | { readonly do: 'restart'; readonly node: string }
  /** Its event loop stands still; what comes meanwhile waits. */
  | { readonly do: 'pause'; readonly node: string; readonly for: number }
  /** Each event costs it so many milliseconds. 0 ends that. */
  | { readonly do: 'slow'; readonly node: string; readonly cost: number }
  /** Its clock jumps, back where `by` is negative. */
  | { readonly do: 'skew'; readonly node: string; readonly by: number }
  /** Its clock and its timers run fast by so many millionths, or slow. 0 ends that. */
  | { readonly do: 'drift'; readonly node: string; readonly ppm: number }
  /** Whoever dials it is refused, until the network is healed. */
  | { readonly do: 'refuse'; readonly node: string }
  /** Its disk behaves otherwise. */
  | { readonly do: 'disk'; readonly node: string; readonly disk: DiskOptions }
  /** Heals the network, restarts what is down, ends what is slow or drifts, and mends disks. Clocks stay as wrong as they are. */
  | { readonly do: 'recover' };

/** A fault and its time, in virtual milliseconds since the beginning of the simulation. */
export type ScheduledFault = Fault & { readonly at: number };

/** @throws TypeError naming what is wrong with a number of a fault; names are checked by who knows the nodes. */
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
      `fault '${fault.do}': ${name} must be a number${name === 'ppm' ? ' above -1,000,000' : name === 'by' || name === 'at' ? '' : ' from 0 on'}, got ${String(value)}`,
    );
  }
  if (fault.do === 'disk') checkDisk(fault.disk, "fault 'disk'");
}

/** One line, for timelines: 'partition n1 n2 | n3'. */
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
      return `${fault.do} ${fault.node}`;
    case 'pause':
      return `pause ${fault.node} for ${fault.for} ms`;
    case 'slow':
      return `slow ${fault.node}: ${fault.cost} ms an event`;
    case 'skew':
      return `skew ${fault.node} by ${fault.by} ms`;
    case 'drift':
      return `drift ${fault.node} ${fault.ppm} ppm`;
    case 'disk':
      return `disk ${fault.node} ${JSON.stringify(fault.disk)}`;
  }
}

function arrow(direction: Direction | undefined): string {
  return direction === 'one-way' ? '→' : '↔';
}
