// The options that all transports have in common, with their defaults (docs/wire-protocol.md says what each bound does).

import type { Clock } from './clock.ts';
import {
  callback,
  dependentGroup,
  group,
  integer,
  mapped,
  milliseconds,
  millisecondsOrNever,
  type Options,
  optional,
  optionsSchema,
  reference,
  text,
  withDefault,
} from './config.ts';
import type { Observer } from './observer.ts';
import type { Random } from './random.ts';
import type { Remote } from './remote.ts';

/** What a hello says of its sender: at most 8 KiB of keys and values. */
export type HelloFields = Readonly<Record<string, string>>;

/** Options of every transport; all may be left out or `undefined`. Times are milliseconds, sizes bytes. */
export interface CommonOptions {
  /** Default 'default'. Peers of another network are refused, on both ends: `failed_precondition`, `wrong_network`. */
  readonly network?: string | undefined;
  /** Connections to one target, 1 to 64. Default 3. Others than the first are opened in the background when long messages crowd it. */
  readonly maxPool?: number | undefined;
  /**
   * Of a call that has none of its own, nor its method: above 0 or `Infinity`. Default 10,000. Past it: `deadline_exceeded`. A download or
   * duplex call is bounded by it only until its request has left.
   */
  readonly timeout?: number | undefined;
  /** For a connection to open. Default 3,000. Past it: `unavailable`, `dial_timeout`. */
  readonly dialTimeout?: number | undefined;
  /** For the hello, `admit` included. Default 5,000. Past it: `unavailable`, `handshake_timeout`. */
  readonly handshakeTimeout?: number | undefined;
  /** A connection without calls is closed after this, by its dialler (by its acceptor after twice that); `Infinity` is never. Default 60,000. */
  readonly idleTimeout?: number | undefined;
  readonly keepAlive?: KeepAliveOptions | undefined;
  readonly limits?: LimitOptions | undefined;
  /** A target's name → its address, asked at each dial. What it throws fails the dial. */
  resolve?: ((target: string) => string | Promise<string>) | undefined;
  /** What this end says of itself at each connection (`remote.hello` there); a function gets the target, undefined where it accepts. */
  readonly hello?: HelloFields | ((target: string | undefined) => HelloFields | Promise<HelloFields>) | undefined;
  /**
   * Asked before a connection is up, within `handshakeTimeout`; throws to refuse, and both ends see why: a TransportError as it is,
   * anything else as `permission_denied`.
   */
  admit?: ((remote: Remote) => unknown) | undefined;
  /**
   * A failed `send` or `dial` shows where it was called: the error's `stack` ends with the caller's. Default: whether the environment has
   * TRUNKLINE_CALLER_STACKS=1. Each call then takes a stack trace, some microseconds: for development.
   */
  readonly callerStacks?: boolean | undefined;
  /** Told what happens. Default none. */
  readonly observer?: Observer | undefined;
  /** Default the system's. */
  readonly clock?: Clock | undefined;
  /** Numbers in [0, 1). Default the system's cryptographic source. */
  readonly random?: Random | undefined;
}

export interface KeepAliveOptions {
  /** A connection that was silent for so long is pinged. Default 10,000. */
  readonly interval?: number | undefined;
  /** Without a byte for so long after a ping it is cut: `unavailable`, `ping_timeout`. Default 5,000. */
  readonly timeout?: number | undefined;
}

export interface LimitOptions {
  /** One message. Default 64 MiB (less where `memory` is). A longer one fails at its sender: `resource_exhausted`, `too_large`. */
  readonly message?: number | undefined;
  /** One item of a stream. Default 1 MiB (less where `message` is). */
  readonly item?: number | undefined;
  /** What crosses in one piece, 4 KiB to 1 MiB; both ends use the smaller. Default 64 KiB. */
  readonly packet?: number | undefined;
  /** Short requests that wait for a reader, a connection and channel. Default 4,096 and 8 MiB. A full queue answers `resource_exhausted`. */
  readonly inbound?: { readonly calls?: number | undefined; readonly bytes?: number | undefined } | undefined;
  /**
   * Incoming calls of all connections together: requests that wait or are being handled, and one-ways that are being handled (`calls`, default
   * 32,768); and bytes of all short ones that wait or are being handled, each counted as 512 more (`bytes`, default 128 MiB). A connection may
   * take as much as it leaves: beyond that its requests are refused (`resource_exhausted`), its one-ways wait, or beyond `bytes` are dropped.
   */
  readonly total?: { readonly calls?: number | undefined; readonly bytes?: number | undefined } | undefined;
  /** Messages accepted that have not left, a connection and channel. Default 4,096 and 16 MiB. A full one makes `send` wait and `trySend` false. */
  readonly outbound?: { readonly messages?: number | undefined; readonly bytes?: number | undefined } | undefined;
  /**
   * Calls in flight, for each connection and channel. Default 4,096. The caller waits, the callee refuses: `resource_exhausted`. As many
   * handlers of one-ways may run besides; further one-ways wait, and their sender's credit with them.
   */
  readonly calls?: number | undefined;
  /**
   * Bytes of all messages that a transport holds: incomplete, waiting for a reader, being handled, or not yet sent. Default 512 MiB (more if
   * `message` is larger). Beyond it unfinished long messages are refused (`resource_exhausted`), first those of the connection that has most
   * of them, and new long requests.
   */
  readonly memory?: number | undefined;
  /** Streaming calls in flight, a connection. Default 128. The caller waits, the callee refuses. */
  readonly streams?: number | undefined;
  /** Default 16,384. One more is refused: `resource_exhausted`, `full`. */
  readonly connections?: number | undefined;
  /** Bytes a second and connection. Default off. */
  readonly rate?: { readonly send?: number | undefined; readonly receive?: number | undefined } | undefined;
  /**
   * Accepted connections whose hello is not through: `pending` in all (default 64; more wait), `perSource` from one source (default off; more
   * are closed; one that fails keeps its place for a second). A source is an IPv4 address, or the /64 network of an IPv6 address.
   */
  readonly handshakes?: { readonly pending?: number | undefined; readonly perSource?: number | undefined } | undefined;
  /**
   * What each account starts with: default 256 KiB, 1 MiB, 16 MiB, 16 MiB, 256 KiB. `pipe`, `reply` and `stream` grow with the line, up to
   * `pipeMax` (default 16 MiB), `replyMax` (32 MiB) and `streamMax` (16 MiB). An account that is given without its maximum stays as it is;
   * where the pipe stays, all do.
   */
  readonly credit?:
    | {
        readonly pipe?: number | undefined;
        readonly pipeMax?: number | undefined;
        readonly short?: number | undefined;
        readonly long?: number | undefined;
        readonly reply?: number | undefined;
        readonly replyMax?: number | undefined;
        readonly stream?: number | undefined;
        readonly streamMax?: number | undefined;
      }
    | undefined;
}

const KIB = 1024;
const MIB = 1024 * KIB;
/** Of sizes and counts: what 31 bits hold. */
const MOST = 0x7fff_ffff;

const count = (value: number) => withDefault(integer(1, MOST), value);
const size = count;

const credit = dependentGroup(
  {
    pipe: optional(integer(1, MOST)),
    pipeMax: optional(integer(1, MOST)),
    short: size(MIB),
    long: size(16 * MIB),
    reply: optional(integer(1, MOST)),
    replyMax: optional(integer(1, MOST)),
    stream: optional(integer(1, MOST)),
    streamMax: optional(integer(1, MOST)),
  },
  (given, report) => {
    const grows = (account: 'pipe' | 'reply' | 'stream', start: number, most: number) => {
      const max = given[`${account}Max`] ?? given[account] ?? most;
      const least = given[account] ?? Math.min(start, max);
      if (max < least) report(`${account}Max`, `must be at least limits.credit.${account} (${least})`);
      return [least, max] as const;
    };
    const [pipe, pipeMax] = grows('pipe', 256 * KIB, 16 * MIB);
    const [reply, replyMax] = grows('reply', 16 * MIB, 32 * MIB);
    const [stream, streamMax] = grows('stream', 256 * KIB, 16 * MIB);
    return { ...given, pipe, pipeMax, reply, replyMax, stream, streamMax };
  },
);

const limits = dependentGroup(
  {
    message: optional(integer(1, MOST)),
    item: optional(integer(1, MOST)),
    packet: optional(integer(4 * KIB, MIB)),
    inbound: group({ calls: count(4_096), bytes: size(8 * MIB) }),
    total: group({ calls: count(32_768), bytes: size(128 * MIB) }),
    outbound: group({ messages: count(4_096), bytes: size(16 * MIB) }),
    calls: count(4_096),
    memory: optional(integer(1, Number.MAX_SAFE_INTEGER)),
    streams: count(128),
    connections: count(16_384),
    rate: group({ send: optional(integer(1, Number.MAX_SAFE_INTEGER)), receive: optional(integer(1, Number.MAX_SAFE_INTEGER)) }),
    handshakes: group({ pending: count(64), perSource: optional(integer(1, MOST)) }),
    credit,
  },
  // What is given may not contradict; what is left out follows what is given.
  (given, report) => {
    const message = given.message ?? Math.min(64 * MIB, given.memory ?? Infinity);
    const item = given.item ?? Math.min(MIB, message);
    const packet = given.packet ?? Math.max(Math.min(64 * KIB, message), 4 * KIB);
    const memory = given.memory ?? Math.max(512 * MIB, message);
    if (given.message !== undefined) {
      if (given.packet !== undefined && packet > Math.max(message, 4 * KIB)) report('packet', `must be at most limits.message (${message})`);
      if (given.memory !== undefined && memory < message) report('memory', `must be at least limits.message (${message})`);
    }
    if (given.item !== undefined && item > message) report('item', `must be at most limits.message (${message})`);
    return { ...given, message, item, packet, memory };
  },
);

/** The schema of the common options. Backends extend it: `extendOptions(commonOptions, { bindAddr: text() })`. */
export const commonOptions = optionsSchema({
  network: withDefault(text(), 'default'),
  maxPool: withDefault(integer(1, 64), 3),
  timeout: withDefault(millisecondsOrNever(), 10_000),
  dialTimeout: withDefault(milliseconds(), 3_000),
  handshakeTimeout: withDefault(milliseconds(), 5_000),
  idleTimeout: withDefault(millisecondsOrNever(), 60_000),
  keepAlive: group({ interval: withDefault(milliseconds(), 10_000), timeout: withDefault(milliseconds(), 5_000) }),
  limits,
  resolve: optional(callback<NonNullable<CommonOptions['resolve']>>()),
  hello: optional(mapped(reference<HelloOption>(isHello, 'strings by name, at most 8 KiB in all, or a function that gives them'), copyHello)),
  admit: optional(callback<NonNullable<CommonOptions['admit']>>()),
  callerStacks: optional(reference<boolean>((value) => typeof value === 'boolean', 'true or false')),
  observer: optional(reference<Observer>(isObserver, 'an object; its event and count, where given, functions')),
  clock: optional(reference<Clock>(isClock, 'a Clock: now, setTimeout, clearTimeout, sleep and defer')),
  random: optional(callback<Random>()),
});

/** The common options, complete but for `clock` and `random`, whose defaults the transport fills in. */
export type CommonConfig = Options<typeof commonOptions>;

type HelloOption = NonNullable<CommonOptions['hello']>;

/** May these be the fields of a hello? Also for what a `hello` function gave. */
export function isHelloFields(value: unknown): value is HelloFields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  let left = 8 * KIB;
  for (const [key, field] of Object.entries(value)) {
    if (typeof field !== 'string' || key.length + field.length > left) return false;
    left -= encoder.encode(key).length + encoder.encode(field).length;
  }
  return left >= 0;
}

const encoder = new TextEncoder();

function isHello(value: unknown): boolean {
  return typeof value === 'function' || isHelloFields(value);
}

function copyHello(value: HelloOption): HelloOption {
  return typeof value === 'function' ? value : { ...value };
}

function isObserver(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { event, count } = value as Record<string, unknown>;
  return (event === undefined || typeof event === 'function') && (count === undefined || typeof count === 'function');
}

function isClock(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return ['now', 'setTimeout', 'clearTimeout', 'sleep', 'defer'].every((name) => typeof (value as Record<string, unknown>)[name] === 'function');
}
