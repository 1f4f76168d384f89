// The peers that gave notice of a message.

/** One peer's notice of one message. */
export interface Advertiser {
  readonly peer: string;
  readonly hops: number;
  /** The number of times that the peer was asked for the message. */
  asked: number;
}

/**
 * Returns the advertiser with the fewest hops, or the first such one if there are several;
 * undefined if there is no advertiser.
 */
export function nearest(advertisers: readonly Advertiser[]): Advertiser | undefined {
  let best: Advertiser | undefined;
  for (const advertiser of advertisers)
    if (best === undefined || advertiser.hops < best.hops) best = advertiser;
  return best;
}
