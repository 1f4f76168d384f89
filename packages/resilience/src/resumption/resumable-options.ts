// The options of `resumable`: how much of each stream the server keeps, and for how long.

import {
  type OptionField,
  option,
  optionsSchema,
  parseOptions,
} from '@trunkline/transport-core/backend';

/** Options of `resumable`. */
export interface ResumableOptions<Item = unknown> {
  /**
   * Maximum number of items that are kept for one stream. Default 10,000. Beyond this number, the
   * oldest item is dropped, and a client that still needs the item gets the failure `gap`.
   */
  readonly items?: number | undefined;
  /**
   * Maximum size in bytes of the encoded items that are kept for one stream; the last item is
   * always kept. Default 4 MiB. This limit should exceed the bytes that can be in flight to one
   * client: the window of a stream (256 KiB, more on a line with a long delay) and the buffers of
   * the kernel.
   */
  readonly bytes?: number | undefined;
  /**
   * Maximum size in bytes of the encoded items that are kept for all streams together. Default 256
   * MiB. Beyond this size, the caller that holds the most bytes loses the oldest items of its
   * largest stream.
   */
  readonly totalBytes?: number | undefined;
  /**
   * The time, in milliseconds, that a stream is kept after its connection is lost, and that an item
   * is kept after it is sent. Default 60,000. It should exceed the longest time that a client may
   * be away or may stop reading.
   */
  readonly time?: number | undefined;
  /**
   * Maximum number of streams, with and without a connection. Default 1,000. At the limit, a new
   * stream replaces an ended stream or, if there is none, a stream of the caller that holds the
   * most: the one that has been without a connection longest, otherwise the oldest. A stream with a
   * connection is replaced only if its caller holds at least two more than the new stream's caller;
   * otherwise the call fails with `resource_exhausted`.
   */
  readonly streams?: number | undefined;
  /**
   * Maximum number of streams of one caller. At this limit, a new stream replaces one of the
   * caller's own streams that has ended, otherwise the one that has been without a connection
   * longest; if all have a connection, the call fails with `resource_exhausted`. Default 250, at
   * most `streams`. A caller is identified by its proven node id, otherwise by the host of its
   * endpoint; all addresses of an IPv6 /64 network are one host.
   */
  readonly streamsPerCaller?: number | undefined;
  /**
   * The behavior of a handler while its stream has no connection. Default 'wait'.
   *
   * - 'wait': its writes wait, as for a client that does not read. No item is lost.
   * - 'continue': it continues to run, and the oldest items are dropped once a limit is reached.
   */
  readonly disconnected?: 'wait' | 'continue' | undefined;
  /**
   * Returns the number of bytes that an item counts against `bytes`. Default: the length of the
   * encoded item. The default encodes each item twice. An item is refused, as by the codec, if its
   * size is not a finite number of at least 0.
   */
  readonly size?: ((item: Item) => number) | undefined;
}

/** The options with their defaults. */
export interface ResumableConfig {
  readonly items: number;
  readonly bytes: number;
  readonly totalBytes: number;
  readonly time: number;
  readonly streams: number;
  readonly streamsPerCaller: number;
  readonly disconnected: 'wait' | 'continue';
  readonly size?: ((item: never) => number) | undefined;
}

/** Checks the options of `resumable`. @throws TypeError naming each invalid option. */
export function parseResumableOptions(options: ResumableOptions<never>): ResumableConfig {
  const parsed = parseOptions(schema, options, 'resumable');
  const { streams, streamsPerCaller } = parsed;
  if (options.streamsPerCaller !== undefined && streamsPerCaller > streams)
    throw new TypeError(
      `resumable: streamsPerCaller: must be at most streams, ${streams}, got ${streamsPerCaller}`,
    );
  return parsed;
}

const count = (value: number) =>
  option.withDefault(option.integer(1, Number.MAX_SAFE_INTEGER), value);
const modes: OptionField<'wait' | 'continue', 'wait' | 'continue'> = option.reference(
  (value) => value === 'wait' || value === 'continue',
  "'wait' or 'continue'",
);

const schema = optionsSchema({
  items: count(10_000),
  bytes: count(4 * 1024 * 1024),
  totalBytes: count(256 * 1024 * 1024),
  time: option.withDefault(option.milliseconds(), 60_000),
  streams: count(1_000),
  streamsPerCaller: count(250),
  disconnected: option.withDefault(modes, 'wait'),
  size: option.optional(option.callback<(item: never) => number>()),
});
