// The options of createPeers, with their defaults and their validation. Tested in src/*.test.ts.

import {
  type AnyTransport,
  type Codec,
  type Protocol,
  type Remote,
  TransportError,
} from '@trunkline/transport-core';
import {
  isNodeId,
  isProtocol,
  type Options,
  option,
  optionsSchema,
  parseOptions,
  parseTarget,
  type TargetAddress,
} from '@trunkline/transport-core/backend';
import { parseRange } from './address/ip.ts';
import type { AddressBookStore } from './store/address-book-store.ts';

/** Options of `createPeers`. Only `transport` is required. Times are in milliseconds. */
export interface PeersOptions<S = unknown> {
  /**
   * The transport to run on. Its clock, its random numbers and its connections are used. Call
   * `createPeers` only once per transport.
   */
  readonly transport: AnyTransport;
  /**
   * This node's identity. Default: the id that the transport proves (TLS, noise), or otherwise a
   * random id, which is only asserted. If the transport proves another id than the given one,
   * `createPeers` throws a TypeError.
   */
  readonly identity?: { readonly nodeId: string } | undefined;
  /**
   * The peers to which this node stays connected, each in the form '[nodeId@]address'. They are
   * dialed forever and count against neither `maxInbound` nor `maxOutbound`. If the transport
   * proves ids, a target with an id accepts only a node that proves this id. A target with this
   * node's own id is never dialed, so that all nodes can have the same list. An address at which
   * this node has reached itself is not dialed again until it is given to `peers.add` or
   * `peers.setTopology`; the same holds for seeds.
   */
  readonly persistent?: readonly string[] | undefined;
  /** Nodes that are asked for addresses when the address book has none left to try. */
  readonly seeds?: readonly string[] | undefined;
  /**
   * 'open' (default): any node that dials this one may become a peer. 'listed': only nodes of
   * `persistent` and `unconditional` become peers; other nodes are refused with `denied`,
   * `maxOutbound` is treated as 0, and `exchange` is off. With 'listed', the options `seeds` and
   * `exchange.seed` are rejected with a TypeError, and so is a persistent peer without an id on a
   * transport that proves ids. Clients are not affected.
   */
  readonly membership?: 'open' | 'listed' | undefined;
  /**
   * Protocols that each peer must have mounted, in a version that the given protocol speaks. A node
   * without them is rejected as `incompatible`, and a peer that unmounts one is disconnected.
   * Clients are not affected. Default none: a protocol that only one end has mounted is no reason
   * to reject a node. If both ends have mounted the transport's own protocol, they must always have
   * a version of it in common.
   */
  readonly require?: readonly Protocol[] | undefined;
  /**
   * Stores addresses across restarts. Default: none. Use `createFileAddressBook(path)` of
   * '@trunkline/peers/node', or `createStoreAddressBook`.
   */
  readonly addressBook?: AddressBookStore | undefined;
  /**
   * Maximum number of ordinary peers that dialed this node, 0 to 10,000. Default 40 (Tendermint).
   * At the limit, further nodes are refused with `resource_exhausted`, reason `full`; before that,
   * they can ask for addresses once (see `exchange`). The last tenth of the places (none if the
   * limit is below 10) is for short stays: a peer in such a place that has been connected for ten
   * seconds is disconnected when the next node needs the place.
   */
  readonly maxInbound?: number | undefined;
  /**
   * Number of ordinary peers that this node keeps dialed, 0 to 10,000. Default 10 (Tendermint).
   * When a peer whose connection was lost by chance comes back, it replaces the youngest peer.
   * About every five minutes, another candidate or a seed also replaces a peer, so that two halves
   * of a partitioned network join again even if their places have been filled.
   */
  readonly maxOutbound?: number | undefined;
  /** Ids of nodes that count neither against `maxInbound` nor against `maxOutbound`. */
  readonly unconditional?: readonly string[] | undefined;
  /** Ids of nodes whose addresses are never sent to others. */
  readonly privateIds?: readonly string[] | undefined;
  /**
   * Back-off between dials of a persistent peer. The default is gRPC's: it starts at 1 s and grows
   * by a factor of 1.6 up to 120 s, ± 20 %. It starts again at 1 s only after a connection has
   * lasted for 10 s. For nodes that are not persistent, it grows to 30 s at most.
   */
  readonly reconnect?:
    | {
        /** Wait before the second dial. Default 1,000. */
        readonly initialBackoff?: number | undefined;
        /**
         * Longest wait. Default 120,000, or `initialBackoff` if that is longer. A value equal to
         * `initialBackoff` makes the wait constant, as in Orbs.
         */
        readonly maxBackoff?: number | undefined;
        /** Fraction by which the wait varies in either direction, 0 to 1. Default 0.2. */
        readonly jitter?: number | undefined;
      }
    | undefined;
  /** Filters that can refuse connections, or end them because of a request. Default none. */
  readonly filters?: PeerFilters | undefined;
  /**
   * Codec of this node's status and its peers' statuses. Default none: statuses are neither
   * published nor requested.
   */
  readonly status?: Codec<S, any> | undefined;
  /** Time between two broadcasts of the status number. Default 2,000 (FISCO-BCOS), ± 20 %. */
  readonly statusInterval?: number | undefined;
  /**
   * The services that this node serves: at most 64 names, such as 'orders'. Its peers reach it by
   * the target 'service:orders', unless it is draining or its health reports the service as
   * 'not_serving'. Default none; see also `peers.services`.
   */
  readonly services?: readonly string[] | undefined;
  /** Options of peer exchange, by which nodes ask each other for addresses. Default on. */
  readonly exchange?:
    | {
        /**
         * If true (the default), this node asks for addresses and sends them to others. A full node
         * then also answers one request from a node that it refuses.
         */
        readonly enabled?: boolean | undefined;
        /**
         * Time between two rounds of requests. Default 30,000 (Tendermint). A peer may ask three
         * times as often, so use the same value in the whole network.
         */
        readonly interval?: number | undefined;
        /**
         * Seed mode: crawls the network, answers each node once, and disconnects it. Default false.
         */
        readonly seed?: boolean | undefined;
      }
    | undefined;
  /**
   * The addresses that this node dials after other nodes have reported them. The addresses of
   * `persistent` and `seeds` are always dialed. A host name is judged by the addresses to which it
   * resolves, and only those are dialed.
   *
   * By default, public addresses are dialed, and those of the class of the node that reported them:
   * loopback addresses only if it is on loopback itself, private ones only if its own address is
   * private and this node has an address in the same private range. The path of a WebSocket address
   * must be '/' or one of this node's own. `allow` adds IP ranges, such as `['10.0.0.0/8']`.
   *
   * With 'public', only public addresses are dialed; this node also keeps at most 8 addresses per
   * host, and gives one network at most a quarter of `maxInbound`. 'any' allows all addresses, so
   * each peer can make this node connect to services that only this node can reach. Unspecified,
   * multicast, metadata and IPv6 link-local addresses that others report are never dialed.
   */
  readonly addresses?: 'any' | 'public' | { readonly allow: readonly string[] } | undefined;
  /**
   * Resolves a node id to an address, for example from your own directory. It is called when a
   * message is sent to a node that is not in `persistent`, `seeds` or the address book, and has a
   * minute to answer. Default none.
   */
  locate?: ((nodeId: string) => string | undefined | Promise<string | undefined>) | undefined;
  /**
   * Resolves a host name that other nodes reported to its IP addresses. Default: the system's
   * resolver. Without one, as in a browser, reported host names are dialed only over 'wss'.
   */
  lookup?: ((host: string) => Promise<readonly string[]>) | undefined;
}

/** The sender and the method of a message that is passed to a filter. */
export interface PeerMessageSource {
  readonly nodeId: string;
  readonly protocol: string;
  readonly method: string;
  readonly remote: Remote;
}

/**
 * Filters that check a connection before it becomes a peer's. A filter refuses the connection by
 * throwing or by rejecting.
 */
export interface PeerFilters {
  /**
   * Checks a connection by its address: the dialed address, or the endpoint of an incoming
   * connection. `remote.addr` is the address that the other end advertises.
   */
  address?: ((address: string, remote: Remote) => unknown) | undefined;
  /** Checks a connection by its node id. */
  nodeId?: ((nodeId: string, remote: Remote) => unknown) | undefined;
  /**
   * Inspects each request of a peer, of any protocol but that of peers, before it is decoded. If it
   * throws synchronously, the peer's connection ends, and no handler sees the request.
   */
  message?: ((bytes: Uint8Array, from: PeerMessageSource) => void) | undefined;
  /**
   * Time limit for `address` and `nodeId` together, after which the connection is refused. Default
   * 3,000. Tendermint's 5,000 would be too long here, because the transport's `handshakeTimeout` is
   * 5,000 too and would expire first.
   */
  readonly timeout?: number | undefined;
}

const targets = () =>
  option.reference<readonly string[]>(isTexts, "a list of targets, each '[nodeId@]address'");
const ids = () =>
  option.reference<readonly string[]>(isIds, 'a list of node ids, each 64 lower-case hex digits');
/** An object that has these methods. */
const object = <T>(methods: readonly string[], text: string) =>
  option.reference<T>(
    (value) =>
      typeof value === 'object' &&
      methods.every((name) => typeof Object(value)[name] === 'function'),
    text,
  );
const flag = (value: boolean) =>
  option.withDefault(
    option.reference<boolean>((given) => typeof given === 'boolean', 'true or false'),
    value,
  );
const share = option.reference<number>(
  (value) => typeof value === 'number' && value >= 0 && value <= 1,
  'a number from 0 to 1',
);

const schema = optionsSchema({
  transport: object<AnyTransport>(
    ['mount', 'dial', 'hold', 'disconnect', 'remotes'],
    'a transport',
  ),
  identity: option.optional(
    option.reference<{ readonly nodeId: string }>(
      (value) => typeof value === 'object' && value !== null,
      'an object with a nodeId',
    ),
  ),
  persistent: option.withDefault(targets(), []),
  seeds: option.withDefault(targets(), []),
  membership: option.withDefault(
    option.reference<'open' | 'listed'>(
      (value) => value === 'open' || value === 'listed',
      "'open' or 'listed'",
    ),
    'open',
  ),
  require: option.withDefault(
    option.reference<readonly Protocol[]>(
      (value) => Array.isArray(value) && value.every(isProtocol),
      'a list of protocols made by defineProtocol',
    ),
    [],
  ),
  addressBook: option.optional(
    object<AddressBookStore>(['load', 'save', 'close'], 'an address book: load, save and close'),
  ),
  maxInbound: option.withDefault(option.integer(0, 10_000), 40),
  maxOutbound: option.withDefault(option.integer(0, 10_000), 10),
  unconditional: option.withDefault(ids(), []),
  privateIds: option.withDefault(ids(), []),
  reconnect: option.group({
    initialBackoff: option.withDefault(option.milliseconds(), 1_000),
    maxBackoff: option.optional(option.milliseconds()),
    jitter: option.withDefault(share, 0.2),
  }),
  filters: option.group({
    address: option.optional(option.callback<NonNullable<PeerFilters['address']>>()),
    nodeId: option.optional(option.callback<NonNullable<PeerFilters['nodeId']>>()),
    message: option.optional(option.callback<NonNullable<PeerFilters['message']>>()),
    timeout: option.withDefault(option.milliseconds(), 3_000),
  }),
  status: option.optional(
    object<Codec<any, any>>(['encode', 'decode'], 'a codec: bytes, json(schema), protobuf(type)'),
  ),
  statusInterval: option.withDefault(option.milliseconds(), 2_000),
  services: option.withDefault(
    option.reference<readonly string[]>(isTexts, 'a list of names of services, such as ["orders"]'),
    [],
  ),
  exchange: option.group({
    enabled: flag(true),
    interval: option.withDefault(option.milliseconds(), 30_000),
    seed: flag(false),
  }),
  addresses: option.optional(
    option.reference<'any' | 'public' | { readonly allow: readonly string[] }>(
      isAddresses,
      "'any', 'public' or { allow: [...] } with IP ranges such as '10.0.0.0/8'",
    ),
  ),
  locate: option.optional(option.callback<NonNullable<PeersOptions['locate']>>()),
  lookup: option.optional(option.callback<NonNullable<PeersOptions['lookup']>>()),
});

/** The options that can be changed at run time. */
export type PeersUpdate = Pick<PeersOptions, 'maxInbound' | 'unconditional' | 'privateIds'>;

/** The schema of `peers.update`. */
export const updateOptions = optionsSchema({
  maxInbound: option.optional(option.integer(0, 10_000)),
  unconditional: option.optional(ids()),
  privateIds: option.optional(ids()),
});

/** The options with all defaults filled in. */
export type PeersConfig = Options<typeof schema>;

/** Reads the options of `createPeers`. @throws TypeError that names the wrong option. */
export function readOptions(given: PeersOptions<any>): PeersConfig {
  const parsed = parseOptions(schema, given, 'createPeers');
  if (parsed.identity !== undefined && !isIds([parsed.identity.nodeId]))
    throw new TypeError(
      `createPeers: identity.nodeId: must be 64 lower-case hex digits, got ${JSON.stringify(parsed.identity.nodeId)}`,
    );
  const services = readServices(parsed.services, 'createPeers: services');
  const config = { ...parsed, services };
  if (config.membership === 'open') return config;
  if (config.seeds.length > 0)
    throw new TypeError(
      "createPeers: seeds: a node with membership 'listed' dials only listed nodes; omit seeds",
    );
  if (config.exchange.seed)
    throw new TypeError(
      "createPeers: exchange.seed: a node with membership 'listed' can't be a seed; omit it",
    );
  return { ...config, maxOutbound: 0, exchange: { ...config.exchange, enabled: false } };
}

/**
 * Parses a target that the user gave. @throws TypeError that names the option `name` if the target
 * is malformed.
 */
export function readTarget(
  given: string,
  name: string,
  check: (address: string) => void = () => {},
): TargetAddress {
  try {
    const target = parseTarget(given);
    check(target.address);
    return target;
  } catch (error) {
    throw new TypeError(
      `${name}: ${error instanceof TransportError ? error.message : String(error)}`,
    );
  }
}

// The names of services.

/** Checks services that the user gave. @throws TypeError that names the wrong entry. */
export function readServices(given: readonly string[], name: string): readonly string[] {
  if (!Array.isArray(given) || given.length > SERVICES)
    throw new TypeError(`${name}: must be a list of at most ${SERVICES} names of services`);
  for (const [at, service] of given.entries())
    if (!isServiceName(service))
      throw new TypeError(
        `${name}[${at}]: must be ${SERVICE_NAME}, got ${JSON.stringify(service)}`,
      );
  return [...new Set(given)].sort();
}

/** The maximum number of services of one node. */
export const SERVICES = 64;

/** Returns true if the text can be the name of a service. */
export function isServiceName(value: unknown): value is string {
  return typeof value === 'string' && /^[a-z][a-z0-9._-]{0,62}$/i.test(value);
}

/** The description of a valid name, for error texts. */
export const SERVICE_NAME: string =
  "1 to 63 letters, digits, '.', '_' and '-', of which the first is a letter";

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((target) => typeof target === 'string');
}

function isAddresses(value: unknown): boolean {
  if (value === 'any' || value === 'public') return true;
  const { allow, ...rest } = Object(value) as { readonly allow?: unknown };
  return (
    Array.isArray(allow) &&
    allow.every((range) => typeof range === 'string' && parseRange(range) !== undefined) &&
    Object.keys(rest).length === 0
  );
}

function isIds(value: unknown): boolean {
  return Array.isArray(value) && value.every((id) => typeof id === 'string' && isNodeId(id));
}
