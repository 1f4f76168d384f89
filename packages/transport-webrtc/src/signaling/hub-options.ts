// The options of a signaling hub, with their defaults and their validation.

import type { AnyTransport, Random, Remote } from '@trunkline/transport-core';
import { systemRandom } from '@trunkline/transport-core';
import {
  type Options,
  option,
  optionsSchema,
  parseOptions,
} from '@trunkline/transport-core/backend';
import { HUB_ADDRESS, LONGEST_REALM } from './protocol.ts';

/** Options of `createSignalHub`; only `transport` is required. */
export interface SignalHubOptions {
  /**
   * The transport to serve on: a transport of your program, on which the hub mounts its protocol,
   * or one created with `signalingProtocol`. Nodes must be able to dial it.
   */
  readonly transport: AnyTransport;
  /** The realms in which nodes may register. Default: any, up to `limits.realms`. */
  readonly realms?: readonly string[] | undefined;
  /**
   * The addresses at which nodes dial this hub. A proof that was made for any other address is
   * refused, so that another hub that a node uses can't register here as that node. Default: any.
   */
  readonly addresses?: readonly string[] | undefined;
  /**
   * Called before a node is registered, with its proven id. Throw to refuse the node: a
   * TransportError is sent to the node as it is, and anything else as `permission_denied`.
   */
  readonly admit?: ((node: RegisteringNode) => unknown) | undefined;
  /**
   * Relays streams between nodes that can't connect directly, within these limits; `{}` means the
   * defaults. Default: the hub doesn't relay, and answers `unimplemented`.
   */
  readonly relay?: SignalRelayLimits | undefined;
  /** Limits of the hub and of each node. */
  readonly limits?: SignalHubLimits | undefined;
  /** The source of randomness for challenges. Default: the system's cryptographic source. */
  readonly random?: Random | undefined;
}

/** A node that is about to be registered. */
export interface RegisteringNode {
  readonly realm: string;
  readonly nodeId: string;
  readonly remote: Remote;
}

/**
 * The limits of a hub. A node that exceeds one of them is refused with `resource_exhausted`. A
 * source is an IPv4 address or the first 64 bits of an IPv6 address; behind a reverse proxy, all
 * nodes have the same source.
 */
export interface SignalHubLimits {
  /** Maximum number of realms that have a node. Default 1,000. */
  readonly realms?: number | undefined;
  /** Maximum number of registered nodes in all realms. Default 10,000. */
  readonly nodes?: number | undefined;
  /** Maximum number of registered nodes in one realm. Default: `nodes`. */
  readonly nodesPerRealm?: number | undefined;
  /** Maximum number of registered nodes from one source. Default 256. */
  readonly nodesPerSource?: number | undefined;
  /**
   * Maximum number of open sessions that a node has opened, and of those that it has accepted. Any
   * single other node may take at most an eighth of them, but always at least two. If a node has
   * accepted its number, a session whose offer isn't answered for a second gives way to a new one,
   * or the oldest one of the source that holds most to another source's. Default 64.
   */
  readonly sessionsPerNode?: number | undefined;
  /**
   * Maximum number of registrations and sessions that a source may start per second, with bursts of
   * ten times as many. Default 10.
   */
  readonly ratePerSource?: number | undefined;
}

/** The limits of relayed streams. */
export interface SignalRelayLimits {
  /**
   * Maximum number of streams that the hub relays at a time. If all are taken, one that has been
   * idle for a minute, or the oldest one of the source that holds most, gives way to another
   * source's. Default 64.
   */
  readonly streams?: number | undefined;
  /** The counterpart of `sessionsPerNode` for relayed streams. Default 4. */
  readonly streamsPerNode?: number | undefined;
  /**
   * Maximum rate of one stream in each direction, in bytes per second; further bytes wait. Default
   * 262,144.
   */
  readonly rate?: number | undefined;
}

const MOST = 1_000_000;
const count = (standard: number) => option.withDefault(option.integer(1, MOST), standard);

const schema = optionsSchema({
  transport: option.reference<AnyTransport>(
    (value) => typeof (value as AnyTransport | null)?.mount === 'function',
    'must be a transport',
  ),
  realms: option.optional(
    option.reference<readonly string[]>(
      (value) =>
        Array.isArray(value) &&
        value.every(
          (name) => typeof name === 'string' && name !== '' && name.length <= LONGEST_REALM,
        ),
      `must be an array of names of 1 to ${LONGEST_REALM} characters`,
    ),
  ),
  addresses: option.optional(
    option.reference<readonly string[]>(
      (value) =>
        Array.isArray(value) &&
        value.every((address) => typeof address === 'string' && HUB_ADDRESS.test(address)),
      "must be an array of addresses such as 'wss://hub.example/signal'",
    ),
  ),
  admit: option.optional(option.callback<(node: RegisteringNode) => unknown>()),
  relay: option.optional(
    option.group({
      streams: count(64),
      streamsPerNode: count(4),
      rate: option.withDefault(option.integer(1_024, 1e9), 262_144),
    }),
  ),
  limits: option.group({
    realms: count(1_000),
    nodes: count(10_000),
    nodesPerRealm: option.optional(option.integer(1, MOST)),
    nodesPerSource: count(256),
    sessionsPerNode: count(64),
    ratePerSource: count(10),
  }),
  random: option.withDefault(option.callback<Random>(), systemRandom),
});

/** The complete options of a hub. */
export type SignalHubConfig = Options<typeof schema>;

/** Returns the complete options; throws a TypeError that names an invalid one. */
export function parseHubOptions(options: SignalHubOptions): SignalHubConfig {
  return parseOptions(schema, options, 'createSignalHub');
}
