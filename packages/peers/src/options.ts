// The options of createPeers, their defaults, and what they are checked against.

import {
  type AnyTransport,
  type Codec,
  callback,
  group,
  integer,
  isNodeId,
  milliseconds,
  type Options,
  optional,
  optionsSchema,
  parseOptions,
  parseTarget,
  type Remote,
  reference,
  type TargetAddress,
  TransportError,
  withDefault,
} from '@trunkline/transport-core';
import type { AddressBookStore } from './store/address-book-store.ts';

/** Options of `createPeers`; `transport` is required. Times are milliseconds. */
export interface PeersOptions<S = unknown> {
  /** What it runs on: its clock, its random, its connections. One createPeers a transport. */
  readonly transport: AnyTransport;
  /**
   * Who this node is. Left out: what the transport proves (TLS, noise), else a random id, which only asserts. Another id than the
   * transport proves is a TypeError.
   */
  readonly identity?: { readonly nodeId: string } | undefined;
  /**
   * Peers to stay connected to, '[nodeId@]address'. They are dialled for ever, and count in neither cap. If the transport proves ids,
   * a target with an id is satisfied only by a node that proves this id, also with `allowAsserted`.
   */
  readonly persistent?: readonly string[] | undefined;
  /**
   * Whether a node may be a peer on a connection that proves no id, though this transport proves its own on others (TLS or noise beside
   * plain WebSocket, say). Default false: such a node is a client, and never answers to `node:<id>`. With true it is a peer under the id
   * that it asserts, until a node that proves this id comes. On a transport that proves nothing every id is asserted, whatever this says.
   */
  readonly allowAsserted?: boolean | undefined;
  /** Dialled for addresses where the book has none to try. */
  readonly seeds?: readonly string[] | undefined;
  /**
   * 'open' (default): nodes that dial this one may become its peers. 'listed': only nodes of `persistent` and `unconditional` are its peers;
   * others are refused with `denied`, `maxOutbound` counts as 0 and `exchange` as off. `seeds` and a seed of others then are a TypeError,
   * and so is, on a transport that proves ids, a persistent peer without an id. Clients are not concerned.
   */
  readonly membership?: 'open' | 'listed' | undefined;
  /** Where addresses survive a restart. Default: nowhere; `createFileAddressBook(path)` of '@trunkline/peers/node', or `createStoreAddressBook`. */
  readonly addressBook?: AddressBookStore | undefined;
  /**
   * Ordinary peers that dialled this node, 0 to 10,000. Default 40 (Tendermint). One more is refused:
   * `resource_exhausted`, `full`; it may ask for addresses once before, see `exchange`. The last tenth of
   * the places (none below 10) are for short stays: a peer that has had one for ten seconds makes way for
   * the next node that comes.
   */
  readonly maxInbound?: number | undefined;
  /**
   * Ordinary peers that this node keeps dialled, 0 to 10,000. Default 10 (Tendermint). Who was lost by chance and comes back takes the place of
   * the youngest, and so does another every five minutes: two halves of a network that were apart, and have filled up, come together again.
   */
  readonly maxOutbound?: number | undefined;
  /** Node ids that count in neither cap. */
  readonly unconditional?: readonly string[] | undefined;
  /** Node ids that are never told to others. */
  readonly privateIds?: readonly string[] | undefined;
  /** How a persistent peer is dialled again. Default gRPC's: 1 s, growing 1.6-fold to 120 s, ± 20 %, from the beginning only after a completed hello. */
  readonly reconnect?: ReconnectOptions | undefined;
  readonly filters?: FilterOptions | undefined;
  /** What this node's status is written with. Without it there is no status, and none is asked for. */
  readonly status?: Codec<S, any> | undefined;
  /** How often the number of the status is told. Default 2,000 (FISCO-BCOS), ± 20 %. */
  readonly statusInterval?: number | undefined;
  readonly exchange?: ExchangeOptions | undefined;
  /**
   * What others tell: 'any' (default) takes private and loopback addresses; 'public' dials only public ones, also after DNS, takes
   * at most 8 of one host, and a quarter of `maxInbound` from one network. Never dialled in either: unspecified, multicast and metadata addresses.
   */
  readonly addresses?: 'any' | 'public' | undefined;
  /** A node id → its address, for a send to a node that neither `persistent` nor the address book knows: a directory of the user's. Default none. */
  locate?: ((nodeId: string) => string | undefined | Promise<string | undefined>) | undefined;
  /** A host's name → its IP addresses. For `addresses: 'public'`: without it no name that others tell is dialled. `systemLookup` of '@trunkline/peers/node'. */
  lookup?: ((host: string) => Promise<readonly string[]>) | undefined;
}

export interface ReconnectOptions {
  /** Before the second dial. Default 1,000. */
  readonly interval?: number | undefined;
  /** The longest. Default 120,000, or `interval` where that is more. The same as `interval`: a fixed interval, as Orbs has it. */
  readonly max?: number | undefined;
  /** Share by which it varies either way, 0 to 1. Default 0.2. */
  readonly jitter?: number | undefined;
}

/** What a message that is filtered is for, and whose it is. */
export interface MessageSource {
  readonly nodeId: string;
  readonly protocol: string;
  readonly method: string;
  readonly remote: Remote;
}

/** Asked before a link is a peer's; one that throws, now or later, refuses it. */
export interface FilterOptions {
  /** By where it comes from, or was dialled: the endpoint, and what it says of itself. */
  address?: ((address: string, remote: Remote) => unknown) | undefined;
  /** By who it is. */
  nodeId?: ((nodeId: string, remote: Remote) => unknown) | undefined;
  /** Looks at each request of a peer, of any protocol, before it is decoded; throws at once to end the peer's link: no handler sees the request. */
  message?: ((bytes: Uint8Array, from: MessageSource) => void) | undefined;
  /** For `address` and `nodeId` together. Default 3,000: Tendermint's 5,000 is here the transport's `handshakeTimeout`, which would be over first. Past it: refused. */
  readonly timeout?: number | undefined;
}

export interface ExchangeOptions {
  /** Whether addresses are asked for and told. Default true: then a node that is full also answers one question of a node that it refuses. */
  readonly enabled?: boolean | undefined;
  /** Between rounds. Default 30,000 (Tendermint). A peer may ask three times as often, so it is the same in all of a network. */
  readonly interval?: number | undefined;
  /** A seed: crawls the network, answers who comes once, and parts. Default false. */
  readonly seed?: boolean | undefined;
}

const targets = () => reference<readonly string[]>(isTexts, "a list of targets, each '[nodeId@]address'");
const ids = () => reference<readonly string[]>(isIds, 'a list of node ids, each 64 lower-case hex digits');
const flag = (value: boolean) =>
  withDefault(
    reference<boolean>((given) => typeof given === 'boolean', 'true or false'),
    value,
  );
const share = reference<number>((value) => typeof value === 'number' && value >= 0 && value <= 1, 'a number from 0 to 1');

const schema = optionsSchema({
  transport: reference<AnyTransport>(isTransport, 'a transport'),
  identity: optional(reference<{ readonly nodeId: string }>(isIdentity, 'an identity: its nodeId 64 lower-case hex digits')),
  persistent: withDefault(targets(), []),
  allowAsserted: flag(false),
  seeds: withDefault(targets(), []),
  membership: withDefault(
    reference<'open' | 'listed'>((value) => value === 'open' || value === 'listed', "'open' or 'listed'"),
    'open',
  ),
  addressBook: optional(reference<AddressBookStore>(isStore, 'an address book: load, save and close')),
  maxInbound: withDefault(integer(0, 10_000), 40),
  maxOutbound: withDefault(integer(0, 10_000), 10),
  unconditional: withDefault(ids(), []),
  privateIds: withDefault(ids(), []),
  reconnect: group({ interval: withDefault(milliseconds(), 1_000), max: optional(milliseconds()), jitter: withDefault(share, 0.2) }),
  filters: group({
    address: optional(callback<NonNullable<FilterOptions['address']>>()),
    nodeId: optional(callback<NonNullable<FilterOptions['nodeId']>>()),
    message: optional(callback<NonNullable<FilterOptions['message']>>()),
    timeout: withDefault(milliseconds(), 3_000),
  }),
  status: optional(reference<Codec<any, any>>(isCodec, 'a codec: bytes, json(schema), protobuf(type)')),
  statusInterval: withDefault(milliseconds(), 2_000),
  exchange: group({ enabled: flag(true), interval: withDefault(milliseconds(), 30_000), seed: flag(false) }),
  addresses: withDefault(
    reference<'any' | 'public'>((value) => value === 'any' || value === 'public', "'any' or 'public'"),
    'any',
  ),
  locate: optional(callback<NonNullable<PeersOptions['locate']>>()),
  lookup: optional(callback<NonNullable<PeersOptions['lookup']>>()),
});

/** The options, complete. */
export type PeersConfig = Options<typeof schema>;

export const peersOptions: typeof schema = schema;

/** Reads the options of `createPeers`. @throws TypeError naming the option that is wrong. */
export function readOptions(given: PeersOptions<any>): PeersConfig {
  const config = parseOptions(peersOptions, given, 'createPeers');
  if (config.membership === 'open') return config;
  if (config.seeds.length > 0) throw new TypeError("createPeers: seeds: a node with membership 'listed' dials only listed nodes; leave seeds out");
  if (config.exchange.seed) throw new TypeError("createPeers: exchange.seed: a node with membership 'listed' can't be a seed; leave it out");
  return { ...config, maxOutbound: 0, exchange: { ...config.exchange, enabled: false } };
}

/** Reads a target that the user gave. @throws TypeError naming it as `name` if it is none. */
export function readTarget(given: string, name: string, check: (address: string) => void = () => {}): TargetAddress {
  try {
    const target = parseTarget(given);
    check(target.address);
    return target;
  } catch (error) {
    throw new TypeError(`${name}: ${error instanceof TransportError ? error.message : String(error)}`);
  }
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((target) => typeof target === 'string');
}

function isIds(value: unknown): boolean {
  return Array.isArray(value) && value.every((id) => typeof id === 'string' && isNodeId(id));
}

function isIdentity(value: unknown): boolean {
  const { nodeId } = (value ?? {}) as { nodeId?: unknown };
  return typeof nodeId === 'string' && isNodeId(nodeId);
}

function isTransport(value: unknown): boolean {
  return has(value, ['mount', 'dial', 'hold', 'disconnect', 'remotes']);
}

function isStore(value: unknown): boolean {
  return has(value, ['load', 'save', 'close']);
}

function isCodec(value: unknown): boolean {
  return has(value, ['encode', 'decode']);
}

function has(value: unknown, names: readonly string[]): boolean {
  return typeof value === 'object' && value !== null && names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');
}
