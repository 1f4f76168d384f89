// What a link between two nodes does to what crosses it.

import { integer, optional, optionsSchema, parseOptions, reference } from '@trunkline/transport-core';
import { type Delay, isDelay } from '../world/chance.ts';

/** One direction of a link; every member may be left out. Shares are from 0 to 1, times milliseconds. */
export interface LinkOptions {
  /** From one end to the other. Default 1. */
  readonly latency?: Delay | undefined;
  /** Share of messages that are lost. On a stream: of chunks that come only after a retransmission, 200 ms later or more. Default 0. */
  readonly loss?: number | undefined;
  /** Loss that comes in bursts (Gilbert 1960, Elliott 1963): a share of messages begins one, a share of those in it ends it. Default none. */
  readonly burst?: { readonly begin: number; readonly end: number; readonly loss?: number | undefined } | undefined;
  /** Share of requests and one-ways that arrive twice; on a stream nothing does. Default 0. */
  readonly duplicate?: number | undefined;
  /** Share of messages that later ones may overtake: they take up to ten latencies more. On a stream they hold up those behind. Default 0. */
  readonly reorder?: number | undefined;
  /** Bytes a second; what exceeds it queues. Default: no limit. */
  readonly bandwidth?: number | undefined;
  /** Bytes a second that a node sends over all its links together, queued in the order sent. Default: no limit. */
  readonly uplink?: number | undefined;
  /** Bytes that may queue for the bandwidth: a message that finds more is lost, a chunk of a stream waits. Default 1 MiB. */
  readonly queue?: number | undefined;
  /** Streams only: bytes that may be on their way or unread before a writer waits, of connections made from then on. Default 1 MiB, about what the buffers of two kernels hold. */
  readonly window?: number | undefined;
  /** Streams only: share of chunks that arrive in several pieces, cut anywhere. Default 0.1. */
  readonly fragment?: number | undefined;
  /** Streams only, for tests of decoders: share of chunks with one wrong bit. Real networks' checksums see to that. Default 0. */
  readonly corrupt?: number | undefined;
}

/** Complete. */
export interface LinkSettings {
  readonly latency: Delay;
  readonly loss: number;
  readonly burst: { readonly begin: number; readonly end: number; readonly loss: number } | undefined;
  readonly duplicate: number;
  readonly reorder: number;
  readonly bandwidth: number;
  readonly uplink: number;
  readonly queue: number;
  readonly window: number;
  readonly fragment: number;
  readonly corrupt: number;
}

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

/** `base` with what `options` say otherwise. @throws TypeError naming the option that is wrong. */
export function linkSettings(base: LinkSettings, options: LinkOptions, name: string): LinkSettings {
  const { burst, ...given } = parseOptions(schema, options, name);
  const settings: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(given)) if (value !== undefined) settings[key] = value;
  if (burst !== undefined) settings['burst'] = { loss: 1, ...burst };
  return settings as unknown as LinkSettings;
}

const isShare = (value: unknown) => typeof value === 'number' && value >= 0 && value <= 1;
const share = () => optional(reference<number>(isShare, 'a share from 0 to 1'));

const rate = () => optional(reference<number>((value) => typeof value === 'number' && value > 0, 'bytes a second above 0'));

const schema = optionsSchema({
  latency: optional(reference<Delay>(isDelay, 'milliseconds from 0 on, [least, most], { exponential, least?, most? } or { lognormal, sigma, least?, most? }')),
  loss: share(),
  burst: optional(reference<NonNullable<LinkOptions['burst']>>(isBurst, 'shares { begin, end, loss? }')),
  duplicate: share(),
  reorder: share(),
  bandwidth: rate(),
  uplink: rate(),
  queue: optional(integer(1, Number.MAX_SAFE_INTEGER)),
  window: optional(integer(1, Number.MAX_SAFE_INTEGER)),
  fragment: share(),
  corrupt: share(),
});

function isBurst(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { begin, end, loss = 1 } = value as Record<string, unknown>;
  return isShare(begin) && isShare(end) && isShare(loss);
}
