// The options of `createNode`, and their validation. Options of the parts are checked by the parts.

import type { GossipOptions, OverlayFactory } from '@trunkline/gossip';
import type { PeersOptions } from '@trunkline/peers';
import type { Identity } from '@trunkline/security';
import type {
  Backend,
  Codec,
  CreateTransportOptions,
  Handlers,
  HealthOptions,
  Protocol,
  ServeOptions,
  Transport,
} from '@trunkline/transport-core';
import {
  callback,
  isProtocol,
  type NodePart,
  optional,
  optionsSchema,
  parseOptions,
  reference,
  text,
  withDefault,
} from '@trunkline/transport-core/backend';
import type { MeshNode } from './mesh-node.ts';
import type { TopicCodec, TopicDefinition, TopicDefinitions } from './topics.ts';

/** Options of `createNode`; only `protocol` is required. */
export interface CreateNodeOptions<P extends Protocol, Out, In, S = unknown> {
  /**
   * The address to listen on, with its scheme, or a list of addresses. Without it, the node only
   * dials.
   */
  readonly address?: string | readonly string[] | undefined;
  /**
   * A name for people, at most 255 characters. Errors of the node name it, and other nodes see it
   * as `remote.hello.name`.
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
   * The backends of the transport, for example `[tcp({ tls })]`. Default: those of `createTransport`
   * of this package; with an identity, each of them over noise.
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
  readonly topics?:
    | ({ readonly [K in keyof Out]: Codec<Out[K], any> | TopicDefinition<Out[K]> } & {
        readonly [K in keyof In]: TopicCodec<In[K]>;
      })
    | undefined;
}

/** The checked options, with defaults. */
export interface NodeConfig
  extends Omit<CreateNodeOptions<Protocol, never, never, any>, 'gossip' | 'parts' | 'peers'> {
  readonly handlers: Handlers<Protocol>;
  readonly transport: NodeTransportOptions;
  readonly peers: Omit<PeersOptions<any>, 'transport'>;
  readonly gossip: Omit<NodeGossipOptions<never, never>, 'topics'> & {
    readonly topics?: TopicDefinitions | undefined;
  };
  readonly parts: readonly NodePart<MeshNode>[];
}

/** Checks the options. @throws TypeError that names the wrong option. */
export function readOptions(options: object): NodeConfig {
  return parseOptions(schema, options, 'createNode') as unknown as NodeConfig;
}

const object = (rule: string) => withDefault(reference<object>(isObject, rule), {});

const schema = optionsSchema({
  address: optional(
    reference<string | readonly string[]>(
      isAddresses,
      "an address such as 'tcp://10.0.0.5:7000', or a list of addresses",
    ),
  ),
  name: optional(text()),
  identity: optional(
    reference<Identity>(isIdentity, 'an identity, as createIdentity and parseIdentity return it'),
  ),
  protocol: reference<Protocol>(isProtocol, 'a protocol made by defineProtocol'),
  handlers: object('an object of functions, one for each method that the node serves'),
  serve: object('an object of options of serve'),
  backends: optional(
    reference<readonly Backend[]>(Array.isArray, 'a list of backends, such as [tcp(), ws()]'),
  ),
  transport: object('an object of options of createTransport'),
  createTransport: optional(callback<NodeTransportFactory<Protocol>>()),
  peers: object('an object of options of createPeers, such as { seeds }'),
  gossip: withDefault(
    reference<object>(isGossip, 'an object: { topics, overlay }, with topics by their names'),
    {},
  ),
  health: object('an object of options of serveHealth'),
  parts: withDefault(
    reference<readonly NodePart<MeshNode>[]>(
      isParts,
      'a list of parts, each an object with a name, such as [admin({ allow })]',
    ),
    [],
  ),
});

function isAddresses(value: unknown): boolean {
  const isAddress = (item: unknown) => typeof item === 'string' && item.trim() !== '';
  return Array.isArray(value) ? value.length > 0 && value.every(isAddress) : isAddress(value);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isGossip(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { topics } = value as { readonly topics?: unknown };
  return topics === undefined || isObject(topics);
}

function isIdentity(value: unknown): boolean {
  const { nodeId, publicKey, sign } = Object(value) as Partial<Identity>;
  return (
    typeof nodeId === 'string' && publicKey instanceof Uint8Array && typeof sign === 'function'
  );
}

function isParts(value: unknown): boolean {
  return Array.isArray(value) && value.every(isPart);
}

function isPart(value: unknown): boolean {
  const { name, start, close } = Object(value) as Record<string, unknown>;
  return (
    typeof value === 'object' &&
    typeof name === 'string' &&
    [start, close].every((member) => member === undefined || typeof member === 'function')
  );
}
