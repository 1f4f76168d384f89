// Where the suite's nodes live: on one backend, in one test.

import type { PeersOptions } from '@trunkline/peers';
import type { GossipOptions } from '../../options.ts';
import type { TestNode } from '../cluster.ts';

export interface GossipBackend {
  readonly name: string;
  /** Is its time virtual? */
  readonly simulated: boolean;
  /** Networks of nobody yet: each test is run on each. */
  networks(): readonly Network[];
}

export interface Network {
  /** For the messages of assertions. */
  readonly name: string;
  /** Those that are up. */
  readonly nodes: ReadonlyMap<string, TestNode>;
  /** Declares nodes and begins to boot them, in order. */
  boot(names: readonly string[], options: NodeOptions): Promise<void>;
  /** Where a node is, or was, reached. */
  addressOf(name: string): string;
  /** Waits until it holds; rejects where it never does. */
  until(what: string, condition: () => boolean): Promise<void>;
  /** Waits until the promise settles. */
  settle<T>(promise: Promise<T>): Promise<T>;
  /** Ends a node: its gossip and its peers part from nobody. */
  crash(name: string): Promise<void>;
  /** Boots a node that is down: with the same id, at the same address. */
  restart(name: string): Promise<void>;
  /** Ends all. Gives what is left of it: nothing, if all is well. */
  close(): Promise<readonly string[]>;
}

export interface NodeOptions {
  readonly gossip: Pick<GossipOptions, 'overlay' | 'outbound' | 'relay' | 'wall'>;
  readonly peers?: Partial<PeersOptions<any>> | undefined;
  /** Whom a node dials, and stays connected to. */
  to(name: string): readonly string[];
  /** Runs in each life of a node, before gossip starts. */
  setup(node: TestNode): void;
}

/** How peers of the suite are made: nobody is dialled but whom the test names. */
export const CALM: Partial<PeersOptions<any>> = { maxOutbound: 0, reconnect: { interval: 50, max: 200 } };
