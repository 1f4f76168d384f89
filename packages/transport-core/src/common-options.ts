// The options that all transports have in common, with their defaults. docs/wire-protocol.md
// describes what happens at each limit.

import type { Clock } from './clock.ts';
import {
  callback,
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
} from './config.ts';
import type { ClientInterceptor, Interceptors, ServerInterceptor } from './interceptors.ts';
import { type LimitOptions, limits } from './limit-options.ts';
import { HOOKS, type Observer } from './observer.ts';
import type { Random } from './random.ts';
import type { Remote } from './remote.ts';
import { isResolver, type ResolveFunction, type Resolver } from './resolver.ts';
import { fieldsOf, type TextFields } from './text-fields.ts';
import { hasLoneSurrogate } from './unicode.ts';

/** Application data that a node sends in its hello: at most 8 KiB of keys and values. */
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
   * A name of this node for people, at most 255 characters: in snapshots, metrics and the dashboard.
   * Peers see it as `remote.hello.name`, unless `hello` has a field `name`. Default: none; snapshots
   * then have the common name of the certificate that a backend presents.
   */
  readonly name?: string | undefined;
  /**
   * Maximum number of connections to one target, 1 to 64. Default 3. The transport opens another
   * one in the background when long messages crowd all existing ones.
   */
  readonly maxPool?: number | undefined;
  /**
   * The timeout of a call if neither the call nor its method sets one; above 0 or `Infinity`.
   * Default 10,000. A call that exceeds it fails with `deadline_exceeded`. It bounds a download or
   * duplex call only until the request has been sent.
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
   * fails with its error. A Resolver also follows the changes to a name while the transport uses
   * it. If there are several addresses, one is chosen by priority, then at random by weight. If
   * dialing it fails, the next one is tried, with `dialTimeout` for each. Default: targets are
   * dialed as they are.
   */
  resolve?: ResolveFunction | Resolver | undefined;
  /**
   * The fields that this end sends in its hello on each connection; the peer sees them as
   * `remote.hello`. A function receives the target, or undefined on an accepted connection.
   */
  readonly hello?:
    | HelloFields
    | ((target: string | undefined) => HelloFields | Promise<HelloFields>)
    | undefined;
  /**
   * Called before a connection is up, within `handshakeTimeout`. Throw to refuse the peer: both
   * ends then see a TransportError unchanged, and anything else as `permission_denied`.
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
   * not see messages of `trySend` or calls of Trunkline's own protocols (peers, gossip). Default:
   * none.
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
  /** A connection that has been silent for this long is pinged. Default 10,000. */
  readonly interval?: number | undefined;
  /**
   * A connection on which no byte arrives for this long after a ping is closed: `unavailable`
   * (reason `ping_timeout`). Default 5,000.
   */
  readonly timeout?: number | undefined;
}

const KIB = 1024;

/**
 * The schema of the common options. Backends extend it:
 * `extendOptions(commonOptions, { bindAddr: text() })`.
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
  callerStacks: optional(
    reference<boolean>((value) => typeof value === 'boolean', 'true or false'),
  ),
  interceptors: optional(
    optionsSchema({
      client: optional(functions<ClientInterceptor>()),
      server: optional(functions<ServerInterceptor>()),
    }),
  ),
  observer: optional(
    reference<Observer>(
      isObserver,
      'an object whose hooks, such as event and count, are functions',
    ),
  ),
  clock: optional(
    reference<Clock>(
      isClock,
      'a Clock with the methods now, setTimeout, clearTimeout, sleep and defer',
    ),
  ),
  random: optional(callback<Random>()),
});

/**
 * The common options after parsing: complete except for `clock` and `random`, whose defaults the
 * transport fills in.
 */
export type CommonConfig = Options<typeof commonOptions>;

type HelloOption = NonNullable<CommonOptions['hello']>;

const encoder = new TextEncoder();

/**
 * Returns the fields of a hello as an object, from the `hello` option or the result of its
 * function.
 *
 * @throws TypeError for anything but strings of at most 8 KiB without lone surrogates.
 */
export function helloFields(given: TextFields, what = 'hello'): Readonly<Record<string, string>> {
  const fields = { ...fieldsOf(given, what) };
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

function isClock(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return ['now', 'setTimeout', 'clearTimeout', 'sleep', 'defer'].every(
    (name) => typeof (value as Record<string, unknown>)[name] === 'function',
  );
}
