// Settings of a link between two nodes: latency, loss, bandwidth and so on.

import { option, optionsSchema, parseOptions } from '@trunkline/transport-core/backend';
import { type DelayDistribution, isDelay } from '../kernel/distributions.ts';

/**
 * Settings of one direction of a link; all are optional. Shares are between 0 and 1, times are in
 * milliseconds.
 */
export interface LinkOptions {
  /** Travel time from one end to the other. Default 1. */
  readonly latency?: DelayDistribution | undefined;
  /**
   * Share of messages that are lost. On a stream: share of chunks that arrive only after a
   * retransmission, 200 ms or more later. Default 0.
   */
  readonly loss?: number | undefined;
  /**
   * Loss in bursts (Gilbert 1960, Elliott 1963): `begin` is the share of messages that start a
   * burst, `end` the share of messages in a burst that end it, `loss` the share lost within a burst
   * (default 1). Default: no bursts.
   */
  readonly burst?:
    | { readonly begin: number; readonly end: number; readonly loss?: number | undefined }
    | undefined;
  /**
   * Share of requests and one-way messages that arrive twice. Has no effect at level 'stream', on
   * calls that stream, and on messages of several packets. Default 0.
   */
  readonly duplicate?: number | undefined;
  /**
   * Share of messages that later ones may overtake, because they take one to ten times the latency
   * longer. Has no effect on calls that stream and on messages of several packets. At level
   * 'stream', such a chunk delays the bytes behind it instead. Default 0.
   */
  readonly reorder?: number | undefined;
  /** Maximum number of bytes per second; excess bytes queue. Default: no limit. */
  readonly bandwidth?: number | undefined;
  /**
   * Maximum number of bytes per second that a node sends over all its links together; excess bytes
   * queue in the order in which they were sent. Default: no limit.
   */
  readonly uplink?: number | undefined;
  /**
   * Maximum number of bytes that wait in the queue for the bandwidth. A message that finds more in
   * the queue is lost; a chunk of a stream waits. Default 1 MiB.
   */
  readonly queue?: number | undefined;
  /**
   * Streams only: maximum number of bytes in flight or unread before a writer has to wait. Applies
   * to connections that are made afterwards. Default 1 MiB, about as much as the buffers of two
   * kernels hold.
   */
  readonly window?: number | undefined;
  /** Streams only: share of chunks that arrive in several pieces, cut anywhere. Default 0.1. */
  readonly fragment?: number | undefined;
  /**
   * Streams only, for tests of decoders: share of chunks that arrive with one bit flipped. On real
   * networks checksums catch these. Default 0.
   */
  readonly corrupt?: number | undefined;
}

/** Complete settings of one direction of a link. */
export interface LinkSettings {
  readonly latency: DelayDistribution;
  readonly loss: number;
  readonly burst:
    | { readonly begin: number; readonly end: number; readonly loss: number }
    | undefined;
  readonly duplicate: number;
  readonly reorder: number;
  readonly bandwidth: number;
  readonly uplink: number;
  readonly queue: number;
  readonly window: number;
  readonly fragment: number;
  readonly corrupt: number;
}

/** The default settings: 1 ms of latency, no loss and no limits. */
export const CALM: LinkSettings = {
  latency: 1,
  loss: 0,
  burst: undefined,
  duplicate: 0,
  reorder: 0,
  bandwidth: Number.POSITIVE_INFINITY,
  uplink: Number.POSITIVE_INFINITY,
  queue: 1024 * 1024,
  window: 1024 * 1024,
  fragment: 0.1,
  corrupt: 0,
};

/**
 * Returns `base` with the given options applied.
 *
 * @throws TypeError that names the invalid option.
 */
export function linkSettings(base: LinkSettings, options: LinkOptions, name: string): LinkSettings {
  const { burst, ...given } = parseOptions(schema, options, name);
  const settings: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(given)) if (value !== undefined) settings[key] = value;
  if (burst !== undefined) settings['burst'] = { loss: 1, ...burst };
  return settings as unknown as LinkSettings;
}

const isShare = (value: unknown) => typeof value === 'number' && value >= 0 && value <= 1;
const share = () => option.optional(option.reference<number>(isShare, 'a share from 0 to 1'));

const rate = () =>
  option.optional(
    option.reference<number>(
      (value) => typeof value === 'number' && value > 0,
      'bytes a second above 0',
    ),
  );

const schema = optionsSchema({
  latency: option.optional(
    option.reference<DelayDistribution>(
      isDelay,
      'milliseconds, 0 or more, [least, most], { exponential, least?, most? } or { lognormal, sigma, least?, most? }',
    ),
  ),
  loss: share(),
  burst: option.optional(
    option.reference<NonNullable<LinkOptions['burst']>>(isBurst, 'shares { begin, end, loss? }'),
  ),
  duplicate: share(),
  reorder: share(),
  bandwidth: rate(),
  uplink: rate(),
  queue: option.optional(option.integer(1, Number.MAX_SAFE_INTEGER)),
  window: option.optional(option.integer(1, Number.MAX_SAFE_INTEGER)),
  fragment: share(),
  corrupt: share(),
});

function isBurst(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { begin, end, loss = 1 } = value as Record<string, unknown>;
  return isShare(begin) && isShare(end) && isShare(loss);
}
