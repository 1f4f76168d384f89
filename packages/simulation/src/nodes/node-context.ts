// The setup of a node, as a test writes it, and the context that a setup gets.

import type {
  Clock,
  CommonOptions,
  Protocol,
  Random,
  Store,
  Transport,
} from '@trunkline/transport-core';
import type { StreamLayer } from '@trunkline/transport-core/backend';

/** The clock of a node: a transport's clock with the time of day. */
export interface SimClock extends Clock {
  /**
   * The wall clock, in milliseconds since 1970; `skew` sets it forward and back. The simulation
   * begins at 2020-01-01T00:00:00Z.
   */
  wall(): number;
}

/**
 * Options of a node's transport: the common transport options except `clock` and `random`, which
 * the node provides.
 */
export interface SimTransportOptions extends Omit<CommonOptions, 'clock' | 'random' | 'name'> {
  /**
   * A name for a further transport of the same node, which then listens on 'node/name'. Default:
   * the transport listens on the node's name alone.
   */
  readonly name?: string | undefined;
  /**
   * Wraps the simulated stream layer, for example in noise:
   * `(layer) => secure(layer, { identity })`. If the wrapper needs bytes, as noise does, the
   * simulation must have `level: 'stream'`.
   */
  readonly layer?: ((layer: StreamLayer) => StreamLayer) | undefined;
}

/**
 * The argument of a node's setup. A node may use only this; real time, randomness and sockets are
 * banned.
 */
export interface NodeContext {
  readonly name: string;
  /**
   * Creates a transport on the simulated network. Its address is the node's name. It can reach
   * other nodes once they listen.
   */
  transport<P extends Protocol>(protocol: P, options?: SimTransportOptions): Transport<P>;
  /**
   * The node's clock, in milliseconds of virtual time; `skew` and `drift` make it wrong. Its
   * `now()` never goes back.
   */
  readonly clock: SimClock;
  /**
   * Returns random numbers in [0, 1), derived from the seed, the node's name and the number of its
   * boots: a restarted node gets other numbers.
   */
  readonly random: Random;
  /** The node's storage. Synced data survives a crash. */
  readonly store: Store;
  /**
   * Adds a line to the timeline. Reports of the node have its last 20 lines, each cut off after 500
   * characters.
   */
  log(text: string): void;
  /**
   * Reports the node's state: 'follower', or `{ role: 'leader', term: 3 }`. A state that differs
   * from the last one is added to the timeline, and a failure shows the last state of each node.
   * States are cut off after 150 characters.
   */
  state(state: string | Readonly<Record<string, unknown>>): void;
}

/**
 * Starts a node, and may return a function that stops it. It runs again at each restart. If it
 * throws or rejects, the run fails.
 */
export type NodeSetup = (context: NodeContext) => void | NodeStop | Promise<void | NodeStop>;
/** Stops a node; a returned promise is awaited. */
export type NodeStop = () => unknown;
