// One incarnation of a node, from its start to its crash. It owns the node's timers, connections
// and messages in flight.

import type { Protocol } from '@trunkline/transport-core';
import type { EventOwner } from '../kernel/event-queue.ts';

/** The machine that an incarnation runs on; it outlives the incarnation. */
export interface Host {
  readonly name: string;
  /**
   * True if the machine has power. A machine with power answers for an incarnation that has ended:
   * it resets connections and refuses dials. A machine without power does not answer.
   */
  powered: boolean;
  /** True if the machine refuses every dial, even when a transport listens. */
  refusing: boolean;
  /** True if this is a client rather than a node. */
  readonly isClient: boolean;
}

/** One direction of a connection, from the view of the incarnation that writes to it. */
export interface OwnedLine {
  /**
   * Called when the incarnation ends. If its machine is `powered`, the machine resets the
   * connection; otherwise the reader is not informed.
   */
  die(powered: boolean): void;
}

/** One incarnation of a node or client. */
export class Incarnation implements EventOwner {
  readonly name: string;
  readonly number: number;
  readonly host: Host;
  alive = true;
  busyUntil = 0;
  cost = 0;
  system: EventOwner['system'];
  readonly lines = new Set<OwnedLine>();
  /** Called when the incarnation ends, for things in Node that would outlive it. */
  readonly endings: (() => void)[] = [];
  /** Addresses on which it listens or has listened. */
  readonly addresses = new Set<string>();
  /**
   * The incarnation's protocols by channel, from which traces and interceptors take the names of
   * methods.
   */
  readonly protocols = new Map<number, Protocol>();

  constructor(name: string, number: number, host: Host) {
    this.name = name;
    this.number = number;
    this.host = host;
  }

  get isClient(): boolean {
    return this.host.isClient;
  }

  /** Ends the incarnation at once: none of its events happen any more. */
  crash(): void {
    this.alive = false;
    for (const line of this.lines) line.die(this.host.powered);
    this.lines.clear();
    for (const end of this.endings.splice(0)) end();
  }
}
