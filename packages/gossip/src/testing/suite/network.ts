// The interface to the suite's nodes in one test.

import type { PeersOptions } from '@trunkline/peers';
import type { GossipOptions } from '../../options.ts';
import type { TestNode } from '../cluster.ts';

/** The nodes of one test. */
export interface Network {
  /** A text for the messages of assertions. */
  readonly name: string;
  /** Nodes that are up. */
  readonly nodes: ReadonlyMap<string, TestNode>;
  /** Declares nodes and begins to boot them, in order. */
  boot(names: readonly string[], options: NodeOptions): Promise<void>;
  /** Returns the address at which a node is, or was, reachable. */
  addressOf(name: string): string;
  /** Waits until the condition holds; rejects if it doesn't in time. */
  until(what: string, condition: () => boolean): Promise<void>;
  /** Waits until the promise settles. */
  settle<T>(promise: Promise<T>): Promise<T>;
  /** Crashes a node: its gossip and its peers send no farewell. */
  crash(name: string): Promise<void>;
  /** Boots a node that is down, with the same id and at the same address. */
  restart(name: string): Promise<void>;
  /** Ends all nodes. Returns descriptions of all remaining resources; the list should be empty. */
  close(): Promise<readonly unknown[]>;
}

export interface NodeOptions {
  readonly gossip: Pick<GossipOptions, 'overlay' | 'outbound' | 'relay'>;
  readonly peers?: Partial<PeersOptions<any>> | undefined;
  /** Returns the nodes that a node dials and stays connected to. */
  to(name: string): readonly string[];
  /** Called in each life of a node, before gossip starts. */
  setup(node: TestNode): void;
}

/** Options of the suite's peers: they dial only nodes that the test names. */
export const CALM: Partial<PeersOptions<any>> = {
  maxOutbound: 0,
  reconnect: { initialBackoff: 50, maxBackoff: 200 },
};
