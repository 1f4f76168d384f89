// The options of gossip, with their defaults and validation.

import type { Peers } from '@trunkline/peers';
import type { AnyTransport, Store } from '@trunkline/transport-core';
import {
  type Options,
  type OptionsInput,
  option,
  optionsSchema,
  parseOptions,
} from '@trunkline/transport-core/backend';
import type { RelayFactory } from './driver/relay-driver.ts';
import type { OverlayFactory } from './overlay/overlay.ts';
import type { MessageSigner, SignatureOptions, Verify } from './signatures/signatures.ts';

/** Options of `createGossip`; `transport`, `peers` and `overlay` are required. */
export interface GossipOptions {
  /**
   * The transport to run on. Gossip uses its clock, its random source and its connections. A
   * transport supports one gossip instance.
   */
  readonly transport: AnyTransport;
  /** The peers of that transport. */
  readonly peers: Peers<any>;
  /**
   * The overlay: `fullMesh()` or `partialView({ … })`. Use the same overlay at all nodes of a
   * topic.
   */
  readonly overlay: OverlayFactory;
  /**
   * Limits of the queue of each peer. Messages beyond them are dropped and counted in the snapshot.
   * Default 1,000 messages and 20 MiB, as in Orbs.
   */
  readonly outbound?:
    | { readonly messages?: number | undefined; readonly bytes?: number | undefined }
    | undefined;
  /**
   * Signatures of messages. This node verifies each signed message before it is delivered,
   * validated or passed on. If it has neither `identity` nor `verify`, it drops signed messages
   * (`unverified`). A message that was changed, or that is not from the node it names, is dropped,
   * and the peer that sent it is reported. Verifying takes 0.1 to 0.3 ms in Node and 2 to 4 ms in a
   * browser. At most 16 forgeries of one peer are examined in a second; further signed messages
   * that it sends in that second are refused. Messages that a peer relays before it has read them
   * are counted separately, with the same limit.
   *
   * A signed message stays valid forever. If it is sent again, it counts as a duplicate while its
   * publisher is remembered (10 minutes after its last message). If repeated messages matter to
   * you, put a time or a sequence number into your messages.
   */
  readonly signatures?: SignatureOptions | undefined;
  /**
   * The ways to find other nodes of a topic beyond the connected ones. If no other node is known on
   * a topic, gossip visits nodes of the address book one after the other, and asks each node that
   * is on the topic for others. Nodes that are not on a topic learn nothing about it. With `false`,
   * this node neither searches for others nor answers nodes that search.
   */
  readonly discovery?: DiscoveryOptions | false | undefined;
  /**
   * Keeps the number of this node's life across restarts, so that peers accept the messages of a
   * node whose clock went back. `start` reads it, and rejects if the store fails. Without a store,
   * the number is the time of the start. If it is lower than the number that peers remember, they
   * inform the node about the higher number.
   */
  readonly store?: Store | undefined;
  /**
   * Returns the time of day in milliseconds since 1970, which is used to number the lives of a
   * node. Default: the clock of the machine, or of the node in a simulation. A persistent counter
   * works as well.
   */
  readonly wall?: (() => number) | undefined;
  /**
   * Relaying of long messages on a full mesh: `relay({ … })` of `@trunkline/gossip/relay`. Without
   * this option, messages go directly to each recipient, and this node relays nothing.
   */
  readonly relay?: RelayFactory | undefined;
}

const discoveryOptions = optionsSchema({
  /**
   * Maximum number of steps that run concurrently, 0 to 16. With 0, this node doesn't search for
   * other nodes but answers nodes that search. Default 2 (p2panda).
   */
  walkers: option.withDefault(option.integer(0, 16), 2),
  /** The longest pause between two steps of a walker, in milliseconds. Default 30,000 (p2panda). */
  slowest: option.withDefault(option.milliseconds(), 30_000),
});

/** Options for finding other nodes of a topic. */
export type DiscoveryOptions = OptionsInput<typeof discoveryOptions>;

/** The parsed options, with defaults; undefined if discovery is off. */
export type DiscoveryConfig = Options<typeof discoveryOptions> | undefined;

const schema = optionsSchema({
  transport: withMethods<AnyTransport>('a transport', 'mount dial hold disconnect remotes'),
  peers: withMethods<Peers<any>>(
    'peers: createPeers({ transport })',
    'list get events report scoreOf known addressOf learn',
  ),
  overlay: withMethods<OverlayFactory>('an overlay: fullMesh(), partialView()', 'create'),
  outbound: option.group({
    messages: option.withDefault(option.integer(1, 1_000_000), 1_000),
    bytes: option.withDefault(option.integer(1, 2 ** 40), 20 * 1024 * 1024),
  }),
  signatures: option.group({
    identity: option.optional(
      option.reference<MessageSigner>(
        isSigner,
        'an identity: nodeId, publicKey, sign and verify, as createIdentity gives it',
      ),
    ),
    verify: option.optional(option.callback<Verify>()),
  }),
  discovery: option.optional(
    option.reference<DiscoveryOptions | false>(
      (value) => value === false || typeof value === 'object',
      'an object of options, or false',
    ),
  ),
  store: option.optional(
    withMethods<Store>('a store: createMemoryStore(), createFileStore(folder)', 'get set sync'),
  ),
  wall: option.optional(option.callback<() => number>()),
  relay: option.optional(
    withMethods<RelayFactory>('relay({ … }) of @trunkline/gossip/relay', 'createDriver'),
  ),
});

/** The parsed options of `createGossip`, with defaults. */
export type GossipConfig = Omit<Options<typeof schema>, 'discovery'> & {
  readonly discovery: DiscoveryConfig;
};

/** Parses the options. Throws a TypeError that names the wrong ones. */
export function gossipConfig(options: GossipOptions): GossipConfig {
  const { discovery = {}, ...config } = parseOptions(schema, options, 'createGossip');
  return {
    ...config,
    discovery:
      discovery === false
        ? undefined
        : parseOptions(discoveryOptions, discovery, 'createGossip: discovery'),
  };
}

/** The schema of the options of `gossip.close`; `grace` is the time limit for sending. */
export const closeOptions = optionsSchema({ grace: option.withDefault(option.grace(), 5_000) });

function isSigner(value: unknown): boolean {
  const { nodeId, publicKey } = (value ?? {}) as Partial<MessageSigner>;
  const hasFields = typeof nodeId === 'string' && publicKey instanceof Uint8Array;
  return hasFields && hasMethods(value, 'sign verify');
}

/** An object with these methods. `rule` completes the sentence 'must be …'. */
function withMethods<T>(rule: string, methods: string) {
  return option.reference<T>((value) => hasMethods(value, methods), rule);
}

/** Returns true if the value has all these methods, whose names are separated by spaces. */
export function hasMethods(value: unknown, methods: string): boolean {
  const given = value as Readonly<Record<string, unknown>> | null | undefined;
  return methods.split(' ').every((name) => typeof given?.[name] === 'function');
}
