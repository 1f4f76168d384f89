// The options of the NATS layer, and their validation.

import type { Authenticator, ConnectionOptions, TlsOptions } from '@nats-io/nats-core';
import type { Clock, Observer, Random } from '@trunkline/transport-core';
import { commonOptions, option, optionsSchema } from '@trunkline/transport-core/backend';
import { isName, parseAddress } from './nats-address.ts';

/** Options of a backend over NATS; all may be left out. */
export interface NatsBackendOptions {
  /**
   * The NATS servers to use, as 'host:port' (several separated by commas) or a list: the servers of
   * one cluster. Any of them that answers is used. In a browser, give their WebSocket URLs
   * ('wss://nats.example:443'). The servers in addresses are then ignored: a name is looked up
   * through these servers. Default: the servers in each address. Required with `user`, `pass`,
   * `token`, `authenticator` and `tls`, which are used only with these servers and with those that
   * they announce as their cluster.
   */
  readonly servers?: string | readonly string[] | undefined;
  /** The name of the NATS user. */
  readonly user?: string | undefined;
  /** The password of the NATS user. */
  readonly pass?: string | undefined;
  /** The token, if the server asks for one instead of a user. */
  readonly token?: string | undefined;
  /** An nkey, a JWT or credentials: `nkeyAuthenticator(seed)` of @nats-io/nats-core. */
  readonly authenticator?: Authenticator | undefined;
  /**
   * TLS to the NATS server. `{}` uses the system's authorities; `ca`, `cert` and `key` (PEM), or
   * `caFile`, `certFile` and `keyFile`, use your own. Default: TLS if the server requires it. Not
   * available in browsers, where the URL decides.
   */
  readonly tls?: TlsOptions | undefined;
  /**
   * The first token of every subject: letters, digits, '_', '-', and dots between them. Default:
   * 'trunkline'.
   */
  readonly prefix?: string | undefined;
  /**
   * The second token of every subject: nodes of different networks never connect. Default:
   * 'default'.
   */
  readonly network?: string | undefined;
  /**
   * The node's own part of the subjects at which it receives, for the permissions of its NATS user:
   * '<prefix>.<network>.in.<node>.>'. Default: the name under which it listens, otherwise a random
   * one.
   */
  readonly node?: string | undefined;
  /**
   * Maximum number of bytes, with 256 added per message, that all peers together may have in flight
   * to this node over one connection to a NATS server, from 1 MiB to 1 GiB. Keep it at or below
   * half of the server's `max_pending`; otherwise the server may disconnect this node as a slow
   * consumer. Each connection takes at least 32 KiB of it: the default is enough for at least 512
   * connections. Default: 32 MiB.
   */
  readonly maxPending?: number | undefined;
  /**
   * The time limit for a server's answer when this node connects to it, in milliseconds; then the
   * next server is tried. From 1 to 3,600,000. Default: 5,000.
   */
  readonly connectTimeout?: number | undefined;
  /**
   * The interval between pings to the server, in milliseconds. A server that leaves two pings
   * unanswered is considered lost at the next one. From 100 to 3,600,000. Default: 20,000.
   */
  readonly pingInterval?: number | undefined;
}

/** Options of a NATS stream layer. */
export interface NatsStreamLayerOptions extends NatsBackendOptions {
  /**
   * The address to listen on: 'nats://server/name'. Default: the first of `servers`, otherwise
   * 127.0.0.1:4222, and the name `node`, otherwise a random one.
   */
  readonly bindAddr?: string | undefined;
  /** The address that others are given, verbatim. Default: the address that it listens on. */
  readonly advertiseAddr?: string | undefined;
  /** Default: the system clock. */
  readonly clock?: Clock | undefined;
  /**
   * Receives `broker` events when a connection to a server was made (`connected`) or lost (`lost`),
   * and when a server announces that it shuts down (`warning`); and `acceptFailed` when the server
   * forbids this node to answer a dial.
   */
  readonly observer?: Observer | undefined;
  /**
   * The source of the subjects' random parts, which others must not guess. Default: the runtime's
   * cryptographic source.
   */
  readonly random?: Random | undefined;
}

/** Returns the servers of the options as a list, if there are any. */
export function serversOf({ servers }: NatsBackendOptions): readonly string[] | undefined {
  if (servers === undefined) return undefined;
  return typeof servers === 'string' ? servers.split(',') : servers;
}

/** Returns the options of the NATS client. */
export function clientOptions(options: NatsBackendOptions): ConnectionOptions {
  const { user, pass, token, authenticator, tls } = options;
  const { connectTimeout = CONNECT_TIMEOUT, pingInterval = PING_INTERVAL } = options;
  return {
    ...(user === undefined ? {} : { user }),
    ...(pass === undefined ? {} : { pass }),
    ...(token === undefined ? {} : { token }),
    ...(authenticator === undefined ? {} : { authenticator }),
    ...(tls === undefined ? {} : { tls }),
    pingInterval,
    timeout: connectTimeout,
  };
}

/**
 * Throws a TypeError if `servers` is empty, or missing although another option needs it, or if
 * `bindAddr` is invalid. `name` is the function that the user called, for the text.
 */
export function checkNatsOptions(options: NatsStreamLayerOptions, name: string): void {
  const secrets = (['user', 'pass', 'token', 'authenticator', 'tls'] as const).filter(
    (key) => options[key] !== undefined,
  );
  if (options.servers === undefined && secrets.length > 0)
    throw new TypeError(
      `${name}: ${secrets[0]}: needs 'servers', because it is sent only to these servers and their cluster`,
    );
  if (serversOf(options)?.length === 0) throw new TypeError(`${name}: servers: must not be empty`);
  if (options.bindAddr === undefined) return;
  try {
    parseAddress(options.bindAddr, 'listen at');
  } catch (error) {
    throw new TypeError(`${name}: bindAddr: ${(error as Error).message}`);
  }
}

const subjectPart = (rule: string) =>
  option.optional(
    option.reference<string>((value) => typeof value === 'string' && isName(value), rule),
  );

const PART = "up to 128 letters, digits, '_', '-', and dots between them";

const backendFields = {
  servers: option.optional(
    option.reference<string | readonly string[]>(
      (value) =>
        typeof value === 'string' ||
        (Array.isArray(value) && value.every((each) => typeof each === 'string')),
      "'host:port', or a list such as ['a:4222', 'b:4222']",
    ),
  ),
  user: option.optional(option.text(4_096)),
  pass: option.optional(option.text(4_096)),
  token: option.optional(option.text(4_096)),
  authenticator: option.optional(
    option.reference<Authenticator>(
      (value) => typeof value === 'function',
      'an authenticator, such as nkeyAuthenticator(seed)',
    ),
  ),
  tls: option.optional(
    option.reference<TlsOptions>(
      (value) => typeof value === 'object' && value !== null,
      'an object: { ca?, cert?, key? }',
    ),
  ),
  prefix: subjectPart(PART),
  network: subjectPart(PART),
  node: subjectPart(PART),
  maxPending: option.optional(option.integer(1024 * 1024, 1024 * 1024 * 1024)),
  connectTimeout: option.optional(option.integer(1, 3_600_000)),
  pingInterval: option.optional(option.integer(100, 3_600_000)),
};

export const backendSchema = optionsSchema(backendFields);
export const layerSchema = optionsSchema({
  ...backendFields,
  bindAddr: option.optional(option.text()),
  advertiseAddr: option.optional(option.text()),
  clock: option.optional(
    option.reference<Clock>(
      (value) => typeof (value as Clock | null)?.setTimeout === 'function',
      'a Clock',
    ),
  ),
  observer: commonOptions.shape.observer,
  random: option.optional(
    option.reference<Random>((value) => typeof value === 'function', 'a function'),
  ),
});

/** The default of `pingInterval`, in milliseconds; the NATS client's own default is 2 minutes. */
const PING_INTERVAL = 20_000;
/** The default of `connectTimeout`, in milliseconds. */
const CONNECT_TIMEOUT = 5_000;
