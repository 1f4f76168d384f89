// Checks the options of `createNode`. Options that are passed on are checked by the functions that
// get them.

import type { PeersOptions } from '@trunkline/peers';
import type { Identity } from '@trunkline/security';
import type {
  AllowCall,
  Backend,
  Handlers,
  Protocol,
  ServeOptions,
  ServerInterceptor,
} from '@trunkline/transport-core';
import {
  isProtocol,
  type NodePart,
  option,
  optionsSchema,
  parseOptions,
} from '@trunkline/transport-core/backend';
import type { MeshNode } from './mesh-node.ts';
import type {
  CreateNodeOptions,
  NodeGossipOptions,
  NodeTransportFactory,
  NodeTransportOptions,
} from './options.ts';
import type { TopicDefinitions } from './topics.ts';

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

const object = (rule: string) => option.withDefault(option.reference<object>(isObject, rule), {});

const schema = optionsSchema({
  address: option.optional(
    option.reference<string | readonly string[]>(
      isAddresses,
      "an address such as 'tcp://10.0.0.5:7000', or a list of addresses",
    ),
  ),
  name: option.optional(option.text()),
  identity: option.optional(
    option.reference<Identity>(
      isIdentity,
      'an identity, as createIdentity and parseIdentity return it',
    ),
  ),
  protocol: option.reference<Protocol>(isProtocol, 'a protocol made by defineProtocol'),
  handlers: object('an object of functions, one for each method that the node serves'),
  serve: option.group({
    concurrency: option.optional(
      option.reference<number>((value) => Number(value) >= 1, 'a number, at least 1'),
    ),
    toError: option.optional(option.callback<NonNullable<ServeOptions['toError']>>()),
    allow: option.optional(option.callback<AllowCall>()),
    interceptors: option.optional(
      option.reference<readonly ServerInterceptor[]>(Array.isArray, 'a list of interceptors'),
    ),
  }),
  backends: option.optional(
    option.reference<readonly Backend[]>(
      Array.isArray,
      'a list of backends, such as [tcp(), ws()]',
    ),
  ),
  transport: object('an object of options of createTransport'),
  createTransport: option.optional(option.callback<NodeTransportFactory<Protocol>>()),
  peers: object('an object of options of createPeers, such as { seeds }'),
  gossip: option.withDefault(
    option.reference<object>(
      isGossip,
      'an object: { topics, overlay }, with topics by their names',
    ),
    {},
  ),
  health: option.group({ allow: option.optional(option.callback<AllowCall>()) }),
  parts: option.withDefault(
    option.reference<readonly NodePart<MeshNode>[]>(
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
