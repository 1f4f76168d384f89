// One life of a node, from its start to its crash: the owner of its timers, its connections and its messages on their way.

import type { Protocol, SystemStandIn } from '@trunkline/transport-core';
import type { Owner } from '../world/event-queue.ts';

/** The machine that a life runs on, which outlives it. */
export interface Machine {
  readonly name: string;
  /** It answers for a life that is gone: 'reset' to what was connected, 'refused' to who dials. Without power it says nothing. */
  powered: boolean;
  /** Who dials is refused, whoever listens. */
  refusing: boolean;
  /** A client's: no node runs on it. */
  readonly isClient: boolean;
}

/** A connection's end, as its life knows it. */
export interface LivingEnd {
  /** Its life ended: the other end is told, unless the machine lost its power. */
  die(told: boolean): void;
}

export class Life implements Owner {
  readonly name: string;
  readonly number: number;
  readonly machine: Machine;
  alive = true;
  busyUntil = 0;
  cost = 0;
  system: SystemStandIn | undefined;
  readonly ends = new Set<LivingEnd>();
  /** Where it listens, or has. */
  readonly addresses = new Set<string>();
  /** Its protocols by channel: traces and interceptors name methods by them. */
  readonly protocols = new Map<number, Protocol>();

  constructor(name: string, number: number, machine: Machine) {
    this.name = name;
    this.number = number;
    this.machine = machine;
  }

  get isClient(): boolean {
    return this.machine.isClient;
  }

  /** Ends at once: nothing of its own happens any more. */
  crash(): void {
    this.alive = false;
    for (const end of this.ends) end.die(this.machine.powered);
    this.ends.clear();
  }
}
