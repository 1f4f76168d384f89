// The options that all transports have in common, with their defaults. docs/limits.md describes
// what happens at each limit.
//
// The bounds of packets, accounts and hello fields are those of the wire. This file can't import
// them from `wire/` (scripts/lint/layers.grit), so common-options.test.ts compares them.

import type { Clock } from './clock.ts';
import {
  callback,
  dependentGroup,
  flag,
  functions,
  group,
  integer,
  milliseconds,
  millisecondsOrNever,
  type Options,
  optional,
  optionsSchema,
  reference,
  text,
  withDefault,
  withMethods,
} from './config.ts';
import type { ClientInterceptor, Interceptors, ServerInterceptor } from './interceptors.ts';
import { HOOKS, type Observer } from './observer.ts';
import type { Random } from './random.ts';
import type { Remote } from './remote.ts';
import { isResolver, type ResolveFunction, type Resolver } from './resolver.ts';
import { fieldsOf, hasLoneSurrogate, type TextFields } from './text.ts';

/** Limits of a transport and its connections. Sizes are in bytes. */
export interface LimitOptions {
  /**
   * Maximum size of one message, in bytes. Default 64 MiB, or `memory` if that is less. A longer
   * message fails at its sender with `resource_exhausted` (reason `too_large`).
   */
  readonly message?: number | undefined;
  /**
   * Maximum size of one item of a stream, in bytes. Default 1 MiB, or `message` if that is less.
   */
  readonly item?: number | undefined;
  /**
   * Maximum size of a packet, 4 KiB to 1 MiB; longer messages are split. Both ends use the smaller
   * value. Default 64 KiB, or `message` if that is less, but at least 4 KiB.
   */
  readonly packet?: number | undefined;
  /**
   * Limits on short requests that wait for a reader, for each connection and channel. Default 4,096
   * calls and 8 MiB. If the queue is full, a request is refused with `resource_exhausted`.
   */
  readonly inbound?: Numbers<'calls' | 'bytes'>;
  /**
   * Limits on the incoming calls of all connections together.
   *
   * - `calls` (default 32,768): requests that wait or are being handled, and one-ways that are
   *   being handled.
   * - `bytes` (default 128 MiB): bytes of all short calls that wait or are being handled, plus 512
   *   for each call, short or long.
   *
   * Of the first three quarters of a limit, a connection may hold at most as much as is still free;
   * of the last quarter, at most as much as remains for each other connection. So a single
   * connection gets at most three eighths of a limit, and many greedy connections leave room for
   * the others. Beyond its share, a connection's requests are refused with `resource_exhausted`.
   * Its one-ways wait if `calls` is exceeded, and are dropped if `bytes` is exceeded.
   */
  readonly total?: Numbers<'calls' | 'bytes'>;
  /**
   * Limits on messages that were accepted but not sent yet, for each connection and channel.
   * Default 4,096 messages and 16 MiB, where a message counts for at most 8 MiB. While the queue is
   * full, `send` waits and `trySend` returns false.
   */
  readonly outbound?: Numbers<'messages' | 'bytes'>;
  /**
   * Maximum number of calls in flight, for each connection and channel. Default 4,096. At the
   * limit, the caller waits; the callee refuses further calls with `resource_exhausted`. In
   * addition, the same number of handlers of one-ways may run; further one-ways wait and hold their
   * sender's credit.
   */
  readonly calls?: number | undefined;
  /**
   * Maximum number of bytes in all messages that a transport holds: incomplete, waiting for a
   * reader, being handled, or not yet sent. Default 512 MiB, or `message` if that is larger. Above
   * the limit, the transport refuses new long requests and unfinished long messages with
   * `resource_exhausted`, starting with the connection that holds the most bytes of them.
   */
  readonly memory?: number | undefined;
  /**
   * Maximum number of streaming calls in flight, for each connection. Default 128. At the limit,
   * the caller waits; the callee refuses further calls.
   */
  readonly streams?: number | undefined;
  /**
   * Maximum number of connections in total. Default 16,384. Any further connection is refused, and
   * any further dial fails, with `resource_exhausted` (reason `full`).
   */
  readonly connections?: number | undefined;
  /**
   * Maximum rates in bytes per second, for all connections of a peer that proves its id together,
   * and for each other connection. Default: unlimited.
   */
  readonly rate?: Numbers<'send' | 'receive'>;
  /**
   * Maximum number of accepted connections whose handshake is not finished.
   *
   * - `pending` (default 64): in total. Up to four times as many wait for a place; any further ones
   *   are closed. A handshake that only waits for the dialer's last message needs no place; if
   *   there are more than eight times as many of these, the oldest fails (reason `full`).
   * - `perSource` (default: unlimited): from one source, which is an IPv4 address or the /64
   *   network of an IPv6 address. Further connections are closed. A handshake that fails keeps its
   *   place for a second.
   */
  readonly handshakes?: Numbers<'pending' | 'perSource'>;
  /**
   * The initial credit of each flow-control account. Defaults: `pipe` 256 KiB, `stream` 256 KiB,
   * and `inbox` a sixteenth of `total.bytes`, but at most 16 MiB (8 MiB if nothing is set). With a
   * larger `inbox`, one-ways that nobody reads are dropped instead of waiting at their sender.
   *
   * `pipe` grows with the capacity of the connection, up to `pipeMax` (default 16 MiB), and
   * `stream` grows by as much, as long as its reader keeps up and half of `memory` is free. If you
   * set `pipe` without `pipeMax`, neither grows.
   */
  readonly credit?: Numbers<'pipe' | 'pipeMax' | 'inbox' | 'stream'>;
}

/** A group of numbers, each of which may be left out. */
type Numbers<Name extends string> = { readonly [N in Name]?: number | undefined } | undefined;

const KIB = 1024;
const MIB = 1024 * KIB;
/**
 * The largest count or size, except for `memory` and `rate`: 2^31 − 1, which is also the maximum of
 * an account of credit.
 */
const MOST = 0x7fff_ffff;

const some = optional(integer(1, MOST));
const count = (value: number) => withDefault(integer(1, MOST), value);
const size = count;
const bytes = optional(integer(1, Number.MAX_SAFE_INTEGER));

const credit = dependentGroup(
  { pipe: some, pipeMax: some, inbox: some, stream: size(256 * KIB) },
  (given, report) => {
    const pipeMax = given.pipeMax ?? given.pipe ?? 16 * MIB;
    const pipe = given.pipe ?? Math.min(256 * KIB, pipeMax);
    if (pipeMax < pipe) report('pipeMax', `must be at least limits.credit.pipe (${pipe})`);
    return { ...given, pipe, pipeMax };
  },
);

/**
 * The limits. Refuses given limits that contradict each other, and derives the others from them.
 */
const limits = dependentGroup(
  {
    message: some,
    item: some,
    packet: optional(integer(4 * KIB, MIB)),
    inbound: group({ calls: count(4_096), bytes: size(8 * MIB) }),
    total: group({ calls: count(32_768), bytes: size(128 * MIB) }),
    outbound: group({ messages: count(4_096), bytes: size(16 * MIB) }),
    calls: count(4_096),
    memory: bytes,
    streams: count(128),
    connections: count(16_384),
    rate: group({ send: bytes, receive: bytes }),
    handshakes: group({ pending: count(64), perSource: some }),
    credit,
  },
  (given, report) => {
    const message = given.message ?? Math.min(64 * MIB, given.memory ?? Infinity);
    const item = given.item ?? Math.min(MIB, message);
    const packet = given.packet ?? Math.max(Math.min(64 * KIB, message), 4 * KIB);
    const memory = given.memory ?? Math.max(512 * MIB, message);
    if (given.message !== undefined) {
      if (given.packet !== undefined && packet > Math.max(message, 4 * KIB))
        report('packet', `must be at most limits.message (${message})`);
      if (given.memory !== undefined && memory < message)
        report('memory', `must be at least limits.message (${message})`);
    }
    if (given.item !== undefined && item > message)
      report('item', `must be at most limits.message (${message})`);
    const inbox =
      given.credit.inbox ?? Math.min(16 * MIB, Math.max(Math.floor(given.total.bytes / 16), 1));
    return { ...given, message, item, packet, memory, credit: { ...given.credit, inbox } };
  },
);

/**
 * Application data that a node sends in its hello: at most 8 KiB of keys and values, including the
 * field `name` that the option `name` adds.
 */
export type HelloFields = TextFields;

/**
 * Options of every transport. All may be left out or be `undefined`. Times are in milliseconds,
 * sizes in bytes.
 */
export interface CommonOptions {
  /**
   * The name of the network. Default 'default'. Both ends refuse a peer from another network with
   * `failed_precondition` (reason `wrong_network`).
   */
  readonly network?: string | undefined;
  /**
   * A name of this node for people, at most 255 characters: in snapshots, metrics and the
   * dashboard. Peers see it as `remote.hello.name`, unless `hello` has a field `name`. Default:
   * none; snapshots then have the common name of the certificate that a backend presents.
   */
  readonly name?: string | undefined;
  /**
   * Maximum number of connections to one target, 1 to 64. Default 3. The transport opens another
   * one in the background when long messages crowd all existing ones.
   */
  readonly maxPool?: number | undefined;
  /**
   * The timeout of a call if neither the call nor its method sets one; above 0 or `Infinity`.
   * Default 10,000. A call that exceeds it fails with `deadline_exceeded`. It bounds each wait of
   * an upload, and a download or duplex call only until the request has been sent.
   */
  readonly timeout?: number | undefined;
  /**
   * The time a connection may take to open. Default 3,000. A slower dial fails with `unavailable`
   * (reason `dial_timeout`). If a name has several addresses, each one gets this time.
   */
  readonly dialTimeout?: number | undefined;
  /**
   * The time that the handshake may take, including `admit`. Default 5,000. A slower handshake
   * fails with `unavailable` (reason `handshake_timeout`).
   */
  readonly handshakeTimeout?: number | undefined;
  /**
   * The time without calls after which the side that dialed a connection closes it. The side that
   * accepted the connection waits twice as long. `Infinity` means never. Default 60,000.
   */
  readonly idleTimeout?: number | undefined;
  /** Settings for pinging a silent connection, and for closing it. */
  readonly keepAlive?: KeepAliveOptions | undefined;
  /** Bounds on messages, queues, calls, memory and connections. */
  readonly limits?: LimitOptions | undefined;
  /**
   * Resolves names to addresses. A resolve function is called for each dial; if it throws, the dial
   * fails with its TransportError, or with `host_not_found` for anything else. A Resolver also
   * follows the changes to a name while the transport uses it. If there are several addresses, one
   * is chosen by priority, then at random by weight. If dialing it fails, the next one is tried,
   * with `dialTimeout` for each. Default: targets are dialed as they are.
   */
  resolve?: ResolveFunction | Resolver | undefined;
  /**
   * The fields that this end sends in its hello on each connection; the peer sees them as
   * `remote.hello`. A function receives the target, or undefined on an accepted connection. If it
   * throws or returns anything else, or more than 8 KiB with the option `name`, the connection
   * fails at both ends, with its TransportError or with `unavailable`.
   */
  readonly hello?:
    | HelloFields
    | ((target: string | undefined) => HelloFields | Promise<HelloFields>)
    | undefined;
  /**
   * Called before a connection is up, within `handshakeTimeout`. Throw to refuse the peer: both
   * ends then see the code, message and reason (default `refused`) of a TransportError. They see
   * the error of another call as `internal`, and anything else as `permission_denied`.
   */
  admit?: ((remote: Remote) => unknown) | undefined;
  /**
   * Makes the error of a failed `send` or `dial` show the call site: its `stack` ends with the
   * caller's stack. For development only, because each call then takes a stack trace, which costs
   * some microseconds. Default: true if the environment has TRUNKLINE_CALLER_STACKS=1.
   */
  readonly callerStacks?: boolean | undefined;
  /**
   * Functions that wrap each call that this transport makes, and each call that it handles. They do
   * not see calls of Trunkline's own protocols (peers, gossip). Those of the client do not see
   * messages of `trySend`. Default: none.
   */
  readonly interceptors?: Interceptors | undefined;
  /**
   * Receives events and counters. `logEvents(logger)` writes those that an operator should see to a
   * log, and `combineObservers` joins several. Default none.
   */
  readonly observer?: Observer | undefined;
  /** Default: the system's clock. */
  readonly clock?: Clock | undefined;
  /** Returns numbers in [0, 1). Default: the system's cryptographic source. */
  readonly random?: Random | undefined;
}

/** Options for detecting dead connections. Times are in milliseconds. */
export interface KeepAliveOptions {
  /**
   * A connection that has been silent for this long is pinged, and one in use once in this time, to
   * measure its round trip. Default 10,000.
   */
  readonly interval?: number | undefined;
  /**
   * A connection on which no byte, not even the answer to a ping, arrives for `interval` and this
   * long together is closed: `unavailable` (reason `ping_timeout`). Default 5,000.
   */
  readonly timeout?: number | undefined;
}

/** The methods that a {@link Clock} must have. The compiler does not notice if one is missing. */
const CLOCK_METHODS = ['now', 'setTimeout', 'clearTimeout', 'sleep', 'defer'] as const;

/**
 * The schema of the common options. create-transport.ts extends it; backends take single fields of
 * its `shape`.
 */
export const commonOptions = optionsSchema({
  network: withDefault(text(), 'default'),
  name: optional(text()),
  maxPool: withDefault(integer(1, 64), 3),
  timeout: withDefault(millisecondsOrNever(), 10_000),
  dialTimeout: withDefault(milliseconds(), 3_000),
  handshakeTimeout: withDefault(milliseconds(), 5_000),
  idleTimeout: withDefault(millisecondsOrNever(), 60_000),
  keepAlive: group({
    interval: withDefault(milliseconds(), 10_000),
    timeout: withDefault(milliseconds(), 5_000),
  }),
  limits,
  resolve: optional(
    reference<ResolveFunction | Resolver>(
      (value) => typeof value === 'function' || isResolver(value),
      'a function, or a Resolver with the methods handles and watch',
    ),
  ),
  hello: optional<HelloOption, HelloOption>({
    read(given, path, wrong) {
      if (typeof given === 'function') return given as HelloOption;
      try {
        return helloFields(given as TextFields, path);
      } catch (error) {
        wrong.push((error as Error).message);
        return {};
      }
    },
  }),
  admit: optional(callback<NonNullable<CommonOptions['admit']>>()),
  callerStacks: optional(flag()),
  interceptors: group({
    client: withDefault(functions<ClientInterceptor>(), []),
    server: withDefault(functions<ServerInterceptor>(), []),
  }),
  observer: optional(
    reference<Observer>(
      isObserver,
      'an object whose hooks, such as event and count, are functions',
    ),
  ),
  clock: optional(withMethods<Clock>('a Clock', CLOCK_METHODS)),
  random: optional(callback<Random>()),
});

/**
 * The common options after parsing. Options without a default may be undefined, and so may `clock`,
 * `random` and `callerStacks`, whose defaults the transport fills in.
 */
export type CommonConfig = Options<typeof commonOptions>;

type HelloOption = NonNullable<CommonOptions['hello']>;

const encoder = new TextEncoder();

/**
 * Returns the fields of a hello as an object, from the `hello` option or the result of its
 * function, and the option `name`.
 *
 * @throws TypeError for anything but strings of at most 8 KiB without lone surrogates.
 */
export function helloFields(
  given: TextFields,
  what: string,
  name?: string,
): Readonly<Record<string, string>> {
  const fields = { ...(name !== undefined && { name }), ...fieldsOf(given, what) };
  let left = 8 * KIB;
  for (const [key, field] of Object.entries(fields)) {
    if (typeof field !== 'string') throw new TypeError(`${what}: '${key}' must be a string`);
    if (hasLoneSurrogate(key + field))
      throw new TypeError(`${what}: '${key}' has a lone surrogate, which is not valid Unicode`);
    left -= encoder.encode(key + field).length;
  }
  if (left < 0) throw new TypeError(`${what}: must be at most 8 KiB of keys and values`);
  return fields;
}

function isObserver(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return HOOKS.every((name) => {
    const hook = (value as Record<string, unknown>)[name];
    return hook === undefined || typeof hook === 'function';
  });
}

// The options of mutual TLS: a key and its certificate, the trusted nodes, and the form in which
// each option may be changed at run time. Only types, because those of a backend that also runs in
// browsers name them, and must not depend on Node's.

/** Data in PEM, as text or as the bytes of a file. */
export type Pem = string | Uint8Array;

/** Options of mutual TLS 1.3. Host names are not checked; the authority and the node id are. */
export interface TlsOptions {
  /** This node's private key, PEM: Ed25519 or P-256. Its public key determines the node id. */
  readonly key: Pem;
  /**
   * The certificate of the key, PEM, followed by any intermediates. It is signed by an authority or
   * by itself.
   */
  readonly cert: Pem;
  /**
   * The trusted authorities, PEM: a node with a certificate signed by one of them is trusted.
   * Without `ca`, the ids in `allow` are trusted; without either, only the dialed id is trusted.
   */
  readonly ca?: Pem | readonly Pem[] | undefined;
  /**
   * The node ids that may connect or be dialed; all others except this node's own are refused with
   * `permission_denied` (reason `denied`). With `ca`, it must trust their certificates, too.
   * Default: all nodes that `ca` trusts.
   */
  readonly allow?: readonly string[] | undefined;
  /**
   * Node ids that are refused, no matter which authority vouches for them. Both ends get
   * `permission_denied` (reason `denied`). This list takes precedence over `allow`.
   */
  readonly deny?: readonly string[] | undefined;
}

/**
 * The options that can be changed at run time. Options that are omitted or undefined stay as they
 * are.
 */
export interface TlsUpdate {
  /** The new key. It must come with its certificate. */
  readonly key?: Pem | undefined;
  readonly cert?: Pem | undefined;
  /** The new authorities; `null` removes them. */
  readonly ca?: Pem | readonly Pem[] | null | undefined;
  /** The complete new list; `null` removes the list. */
  readonly allow?: readonly string[] | null | undefined;
  /** The complete new list. */
  readonly deny?: readonly string[] | undefined;
}
