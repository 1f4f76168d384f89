// The limits of a transport, with their defaults. docs/wire-protocol.md describes what happens at
// each limit.

import { dependentGroup, group, integer, optional, withDefault } from './config.ts';

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
   * value. Default 64 KiB.
   */
  readonly packet?: number | undefined;
  /**
   * Limits on short requests that wait for a reader, for each connection and channel. Default 4,096
   * calls and 8 MiB. If the queue is full, a request is refused with `resource_exhausted`.
   */
  readonly inbound?:
    | { readonly calls?: number | undefined; readonly bytes?: number | undefined }
    | undefined;
  /**
   * Limits on the incoming calls of all connections together.
   *
   * - `calls` (default 32,768): requests that wait or are being handled, and one-ways that are
   *   being handled.
   * - `bytes` (default 128 MiB): bytes of all short calls that wait or are being handled, plus 512
   *   for each of them.
   *
   * Of the first three quarters of a limit, a connection may hold at most as much as is still free;
   * of the last quarter, at most as much as remains for each other connection. So a single
   * connection gets at most three eighths of a limit, and many greedy connections leave room for
   * the others. Beyond its share, a connection's requests are refused with `resource_exhausted`.
   * Its one-ways wait if `calls` is exceeded, and are dropped if `bytes` is exceeded.
   */
  readonly total?:
    | { readonly calls?: number | undefined; readonly bytes?: number | undefined }
    | undefined;
  /**
   * Limits on messages that were accepted but not sent yet, for each connection and channel.
   * Default 4,096 messages and 16 MiB, of which a message takes at most 8. While the queue is full,
   * `send` waits and `trySend` returns false.
   */
  readonly outbound?:
    | { readonly messages?: number | undefined; readonly bytes?: number | undefined }
    | undefined;
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
   * Maximum number of connections in total. Default 16,384. Any further connection is refused with
   * `resource_exhausted` (reason `full`).
   */
  readonly connections?: number | undefined;
  /**
   * Maximum rates in bytes per second, for all connections of a peer that proves its id together,
   * and for each other connection. Default: unlimited.
   */
  readonly rate?:
    | { readonly send?: number | undefined; readonly receive?: number | undefined }
    | undefined;
  /**
   * Maximum number of accepted connections whose handshake is not finished.
   *
   * - `pending` (default 64): in total. Up to four times as many wait for a place; any further ones
   *   are closed.
   * - `perSource` (default: unlimited): from one source, which is an IPv4 address or the /64
   *   network of an IPv6 address. Further connections are closed. A handshake that fails keeps its
   *   place for a second.
   */
  readonly handshakes?:
    | { readonly pending?: number | undefined; readonly perSource?: number | undefined }
    | undefined;
  /**
   * The initial credit of each flow-control account. Defaults: `pipe` 256 KiB, `short` 1 MiB,
   * `long` 16 MiB, `reply` 16 MiB, `stream` 256 KiB.
   *
   * `pipe`, `reply` and `stream` grow with the capacity of the connection, up to `pipeMax` (default
   * 16 MiB), `replyMax` (32 MiB) and `streamMax` (16 MiB). An account whose initial credit is set
   * without its maximum does not grow. If the pipe does not grow, no account does.
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
/** The largest size or count: 2^31 − 1. */
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
      if (max < least)
        report(`${account}Max`, `must be at least limits.credit.${account} (${least})`);
      return [least, max] as const;
    };
    const [pipe, pipeMax] = grows('pipe', 256 * KIB, 16 * MIB);
    const [reply, replyMax] = grows('reply', 16 * MIB, 32 * MIB);
    const [stream, streamMax] = grows('stream', 256 * KIB, 16 * MIB);
    return { ...given, pipe, pipeMax, reply, replyMax, stream, streamMax };
  },
);

export const limits = dependentGroup(
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
    rate: group({
      send: optional(integer(1, Number.MAX_SAFE_INTEGER)),
      receive: optional(integer(1, Number.MAX_SAFE_INTEGER)),
    }),
    handshakes: group({ pending: count(64), perSource: optional(integer(1, MOST)) }),
    credit,
  },
  // The given options must not contradict each other; options that are left out are derived from
  // them.
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
    return { ...given, message, item, packet, memory };
  },
);
