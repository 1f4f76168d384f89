// The options of `createNode`.

import type { GossipOptions, OverlayFactory } from '@trunkline/gossip';
import type { PeersOptions } from '@trunkline/peers';
import type { HealthOptions } from '@trunkline/resilience/health';
import type { Identity } from '@trunkline/security';
import type {
  Backend,
  Codec,
  CreateTransportOptions,
  Handlers,
  Protocol,
  ServeOptions,
  Transport,
} from '@trunkline/transport-core';
import type { NodePart } from '@trunkline/transport-core/backend';
import type { MeshNode } from './mesh-node.ts';
import type { TopicCodec, TopicDefinition } from './topics.ts';

/** Options of `createNode`; only `protocol` is required. */
export interface CreateNodeOptions<P extends Protocol, Out, In, S = unknown> {
  /**
   * The address to listen on, with its scheme, or a list of addresses. Without it, the node only
   * dials.
   */
  readonly address?: string | readonly string[] | undefined;
  /**
   * A name for people, 1 to 255 characters: in errors, snapshots, metrics and the dashboard. Other
   * nodes see it as `remote.hello.name`. Default: `transport.name`, which is not in errors and not
   * `node.name`.
   */
  readonly name?: string | undefined;
  /**
   * The key of this node: `createIdentity()` of `trunkline/security`. With it, the node has only
   * connections whose both ends have proven their node ids. The default backends are secured with
   * noise, and connections of other backends that prove no node id are refused with
   * `unauthenticated`. Default: connections are plain, and the node id is random.
   */
  readonly identity?: Identity | undefined;
  /** The protocol that the node speaks. */
  readonly protocol: P;
  /** The handlers of any subset of the protocol's methods. */
  readonly handlers?: Handlers<NoInfer<P>> | undefined;
  /** Options of `serve` for these handlers: `allow`, `concurrency`, `interceptors`, `toError`. */
  readonly serve?: ServeOptions | undefined;
  /**
   * The backends of the transport, for example `[tcp({ tls })]`. Default: those of
   * `createTransport` of this package; with an identity, each of them over noise.
   */
  readonly backends?: readonly Backend[] | undefined;
  /** Further options of the transport: `limits`, `network`, `advertiseAddr`, `observer`, … */
  readonly transport?: NodeTransportOptions | undefined;
  /**
   * Creates the transport, with the arguments of `createTransport`, for example in a simulation:
   * `(_, { protocol, observer }) => context.transport(protocol, { observer })`. The address is
   * undefined if the node only dials. Default: `createTransport` of this package.
   */
  readonly createTransport?: NodeTransportFactory<P> | undefined;
  /** Options of the peers: `seeds`, `persistent`, `status`, … */
  readonly peers?: Omit<PeersOptions<S>, 'transport'> | undefined;
  /** Topics, and options of gossip. */
  readonly gossip?: NodeGossipOptions<Out, In> | undefined;
  /** Options of the health protocol. */
  readonly health?: HealthOptions | undefined;
  /**
   * Further parts, such as `admin({ allow })` of `@trunkline/admin`. They start in this order,
   * before the node listens, and are closed in reverse order.
   */
  readonly parts?: readonly NodePart<MeshNode>[] | undefined;
}

/** Options of a node's transport. */
export type NodeTransportOptions = Omit<CreateTransportOptions<Protocol>, 'protocol' | 'backends'>;

/** Creates a transport that listens on these addresses; undefined for one that only dials. */
export type NodeTransportFactory<P extends Protocol> = (
  addresses: string | readonly string[] | undefined,
  options: CreateTransportOptions<P>,
) => Transport<P>;

/** The topics of a node, and options of gossip. */
export interface NodeGossipOptions<Out, In>
  extends Omit<GossipOptions, 'transport' | 'peers' | 'overlay'> {
  /** The overlay of all topics. Default `partialView()`, for up to thousands of nodes. */
  readonly overlay?: OverlayFactory | undefined;
  /**
   * The topics that the node joins before it listens, by name: a codec, or an object with a codec,
   * a function `onMessage`, and options of the topic.
   */
  readonly topics?: TopicsRead<Out> | (TopicsRead<Out> & TopicsPublished<In>) | undefined;
}

/** The topics, seen from their readers. */
type TopicsRead<Out> = {
  readonly [K in keyof Out]: Codec<Out[K], any> | TopicDefinition<Out[K]>;
};

/**
 * The topics, seen from publishers. `topics` is a union, because up to TypeScript 5.6 `onMessage`
 * has no types in an intersection.
 */
type TopicsPublished<In> = { readonly [K in keyof In]: TopicCodec<In[K]> };
