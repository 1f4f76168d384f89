// The options of gossip and of its topics, their defaults, and what they are checked against.

import type { Peers } from '@trunkline/peers';
import {
  type AnyTransport,
  callback,
  group,
  integer,
  isNodeId,
  LONGEST_DELAY,
  milliseconds,
  type Options,
  optional,
  optionsSchema,
  parseOptions,
  reference,
  type Store,
  withDefault,
} from '@trunkline/transport-core';
import { type DiscoveryConfig, type DiscoveryOptions, discoveryConfig } from './discovery/options.ts';
import { MOST_RECIPIENTS } from './driver/frame.ts';
import type { OverlayFactory } from './overlay/overlay.ts';
import { type RelayOptions, relayOptions } from './relay/options.ts';
import type { SignatureMode, Signer } from './signatures/signatures.ts';
import type { QueuePolicy, Verdict } from './types.ts';

/** Options of `createGossip`; `transport`, `peers` and `overlay` are required. */
export interface GossipOptions {
  /** What it runs on: its clock, its random, its connections. One createGossip a transport. */
  readonly transport: AnyTransport;
  /** Those of that transport. */
  readonly peers: Peers<any>;
  /** `fullMesh()`, or `partialView({ … })`: the same at all nodes of a topic. */
  readonly overlay: OverlayFactory;
  /** What waits for one peer at most; beyond that messages to it are dropped, with a count. Defaults are Orbs': 1,000 messages, 20 MiB. */
  readonly outbound?: { readonly messages?: number | undefined; readonly bytes?: number | undefined } | undefined;
  /**
   * Signatures of messages. Whatever is said here, a message that is signed is verified before it is delivered, validated or passed on: one that
   * is not as its publisher made it, or not of the node that it names, is dropped, and its sender reported. Verifying takes 0.1 to 0.3 ms in Node,
   * 2 to 4 in a browser; no more than 16 forgeries of one peer are looked at in a second, and what else it sends signed in that second is refused.
   * What it relays without having read it is counted apart, likewise.
   * - identity: with it this node signs what it publishes. Its id must be that of `peers`
   * - mode: `strict` (default with an identity) drops messages without a signature, and reports the
   *   peers that send them; all nodes of a topic should be strict then. A strict node without an
   *   identity hears everything, and can't publish (`failed_precondition`). `lenient` (default
   *   without an identity) takes unsigned messages too: it is for networks where not all nodes sign
   *   yet. Anybody can then speak in the name of a node that doesn't sign. The first signed message
   *   of a node ends that: unsigned ones in its name are dropped until ten minutes after its last
   *
   * A signed message stays true for ever: one that is sent again is a duplicate while its publisher is remembered (10 minutes after its last
   * message). Where that matters, messages should tell their time, or their place in an order.
   */
  readonly signatures?: { readonly identity?: Signer | undefined; readonly mode?: SignatureMode | undefined } | undefined;
  /**
   * How other nodes of a topic are found beyond those that are connected: where a topic has nobody, nodes of the address book are visited one after
   * the other, and who turns out to be on it is asked for others. Strangers learn nothing of the topic. `false`: nobody is looked for, and nobody told.
   */
  readonly discovery?: DiscoveryOptions | false | undefined;
  /**
   * Keeps the number of this node's life across restarts, so that peers hear a node whose clock went back. `start` reads it and rejects where the
   * store fails. Without one the number is the time of the start, and peers tell a node with an older one the number that they remember.
   */
  readonly store?: Store | undefined;
  /**
   * The time of day in milliseconds since 1970, by which the lives of a node are told apart. Default: the machine's clock, or the node's in a
   * simulation. A counter that is kept does too.
   */
  readonly wall?: (() => number) | undefined;
  /**
   * On a full mesh: a message above a size goes to a few of its recipients, who pass it on while it comes, and so forth. Left out: directly to
   * each, and this node relays nothing. What relays bring keeps no order, and unless it is signed they could change it, or say that it is of another.
   */
  readonly relay?: RelayOptions | undefined;
}

const schema = optionsSchema({
  transport: reference<AnyTransport>((value) => has(value, ['mount', 'dial', 'hold', 'disconnect', 'remotes']), 'a transport'),
  peers: reference<Peers<any>>((value) => has(value, ['list', 'get', 'events', 'report', 'known', 'addressOf', 'learn']), 'peers: createPeers({ transport })'),
  overlay: reference<OverlayFactory>((value) => has(value, ['create']), 'an overlay: fullMesh(), partialView()'),
  outbound: group({ messages: withDefault(integer(1, 1_000_000), 1_000), bytes: withDefault(integer(1, 2 ** 40), 20 * 1024 * 1024) }),
  signatures: group({
    identity: optional(reference<Signer>(isSigner, 'an identity: nodeId, publicKey and sign, as createIdentity gives it')),
    mode: optional(reference<SignatureMode>((value) => value === 'strict' || value === 'lenient', "'strict' or 'lenient'")),
  }),
  discovery: optional(reference<DiscoveryOptions | false>((value) => value === false || typeof value === 'object', 'an object of options, or false')),
  store: optional(reference<Store>((value) => has(value, ['get', 'set', 'sync']), 'a store: createMemoryStore(), createFileStore(folder)')),
  wall: optional(callback<() => number>()),
  relay: optional(relayOptions),
});

/** The options, complete. */
export type GossipConfig = Omit<Options<typeof schema>, 'discovery'> & { readonly discovery: DiscoveryConfig };

/** Throws a TypeError that names the option. */
export function gossipConfig(options: GossipOptions): GossipConfig {
  const config = parseOptions(schema, options, 'createGossip');
  return { ...config, discovery: discoveryConfig(config.discovery) };
}

const POLICIES: readonly string[] = ['block', 'drop-oldest', 'drop-newest', 'error'];
const policy = () =>
  optional(reference<QueuePolicy>((value) => typeof value === 'string' && POLICIES.includes(value), "'block', 'drop-oldest', 'drop-newest' or 'error'"));
const queue = () => group({ size: optional(integer(1, 1_000_000)), bytes: optional(integer(1, Number.MAX_SAFE_INTEGER)), policy: policy() });

const topic = optionsSchema({
  limit: optional(integer(1, 63 * 1024 * 1024)),
  queue: queue(),
  validate: optional(callback<(message: never, meta: never) => Verdict | Promise<Verdict>>()),
  validateTimeout: optional(milliseconds()),
  validateAtOnce: optional(integer(1, 65_536)),
  validateQueue: group({ messages: optional(integer(0, 1_000_000)), bytes: optional(integer(0, 1024 * 1024 * 1024)) }),
});

/** A topic's options; what was left out is undefined. */
export type TopicConfig = Options<typeof topic>;
export const topicOptions: typeof topic = topic;

const subscribe = optionsSchema({ queue: queue(), onError: optional(callback<(error: unknown) => void>()) });
export const subscribeOptions: typeof subscribe = subscribe;

const ids = () => optional(reference<readonly string[]>(isIds, `a list of at most ${MOST_RECIPIENTS} node ids, each 64 lower-case hex digits`));
const publish = optionsSchema({
  to: ids(),
  except: ids(),
  any: optional(integer(1, MOST_RECIPIENTS)),
  min: withDefault(integer(0, 1_000_000), 0),
  timeout: withDefault(milliseconds(), 10_000),
});

/** Options of one message, complete. */
export type PublishConfig = Options<typeof publish>;
export const publishOptions: typeof publish = publish;

const isGrace = (value: unknown) => typeof value === 'number' && value >= 0 && value <= LONGEST_DELAY;
const close = optionsSchema({ grace: withDefault(reference<number>(isGrace, `milliseconds, 0 to ${LONGEST_DELAY}`), 5_000) });
/** Options of `gossip.close`. */
export const closeOptions: typeof close = close;

function isIds(value: unknown): boolean {
  return Array.isArray(value) && value.length <= MOST_RECIPIENTS && value.every((id) => typeof id === 'string' && isNodeId(id));
}

function isSigner(value: unknown): boolean {
  const { nodeId, publicKey } = (value ?? {}) as Partial<Signer>;
  return has(value, ['sign']) && typeof nodeId === 'string' && publicKey instanceof Uint8Array;
}

function has(value: unknown, names: readonly string[]): boolean {
  return typeof value === 'object' && value !== null && names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');
}
