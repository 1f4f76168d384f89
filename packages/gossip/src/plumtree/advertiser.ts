// A peer that gave notice of a message.

export interface Advertiser {
  readonly peer: string;
  readonly hops: number;
  /** How often it was asked. */
  asked: number;
}

/** The one with the fewest hops, the first of them; undefined: there is none. */
export function nearest(advertisers: readonly Advertiser[]): Advertiser | undefined {
  let best: Advertiser | undefined;
  for (const advertiser of advertisers) if (best === undefined || advertiser.hops < best.hops) best = advertiser;
  return best;
}
