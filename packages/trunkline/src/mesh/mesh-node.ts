/// <reference lib="esnext.disposable" preserve="true" />
// The interface of a node, as `createNode` returns it.

import type { Gossip } from '@trunkline/gossip';
import type { Peers } from '@trunkline/peers';
import type { Health } from '@trunkline/resilience/health';
import type { Protocol, Transport } from '@trunkline/transport-core';
import { option, optionsSchema } from '@trunkline/transport-core/backend';
import type { NodeTopics } from './node-topic.ts';

/**
 * A running node. Its members are the objects that their own packages create, so everything that
 * their documentation says applies. Close the node instead of its members.
 */
export interface MeshNode<P extends Protocol = any, Out = any, In = any, S = any>
  extends AsyncDisposable {
  /** The name from the options. */
  readonly name: string | undefined;
  /** This node's id: that of its identity, otherwise a random one. */
  readonly nodeId: string;
  /** The transport, which serves the handlers. */
  readonly transport: Transport<P>;
  /** The peers of the transport. */
  readonly peers: Peers<S>;
  /** Gossip on these peers. `gossip.topic` joins further topics. */
  readonly gossip: Gossip;
  /** The health that other nodes ask for. Its probes need `healthHandler(node.health)`. */
  readonly health: Health;
  /** The topics from the options, by name. */
  readonly topics: NodeTopics<Out, In>;
  /**
   * Closes the node: the parts from the options, the last one first, then gossip, which sends the
   * messages for which `publish` has resolved, then peers, health and the transport. If something
   * can't be closed, the rest is closed nevertheless, and `close` rejects with one TransportError
   * that names it. Further calls return the result of the first one, and their `grace` is ignored.
   * An invalid `grace` rejects with a TypeError, and nothing is closed.
   */
  close(options?: NodeCloseOptions): Promise<void>;
}

/** Options of `node.close`. */
export interface NodeCloseOptions {
  /**
   * The time that the transport gives to calls in flight, in milliseconds. Default 0. Call
   * `drain(node.transport)` first if callers should turn to other nodes.
   */
  readonly grace?: number | undefined;
}

/** The schema of the options of `node.close`. */
export const nodeCloseOptions = optionsSchema({
  grace: option.withDefault(
    option.reference<number>(
      (value) => typeof value === 'number' && value >= 0,
      'milliseconds, 0 or more',
    ),
    0,
  ),
});
