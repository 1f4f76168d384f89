// The options of a partial view, their defaults and where these come from.

import {
  integer,
  milliseconds,
  millisecondsOrNever,
  type Options,
  type OptionsInput,
  optional,
  optionsSchema,
  parseOptions,
  withDefault,
} from '@trunkline/transport-core';

const schema = optionsSchema({
  /** Links that this node keeps, its fanout and one: the paper's, for 10,000 nodes. */
  active: withDefault(integer(1, 64), 5),
  /** Peers that are remembered for when a link is lost: the paper's. */
  passive: withDefault(integer(1, 1_024), 30),
  /** Hops of a newcomer's introduction (the paper's ARWL). */
  joinWalk: withDefault(integer(1, 32), 6),
  /** Hops that are left of an introduction where the newcomer is only remembered (the paper's PRWL). */
  passiveWalk: withDefault(integer(0, 32), 3),
  /** Hops of a shuffle (iroh-gossip). */
  shuffleWalk: withDefault(integer(1, 32), 6),
  /** Active peers told in a shuffle (the paper's ka). */
  shuffleActive: withDefault(integer(0, 32), 3),
  /** Passive peers told in a shuffle (the paper's kp). */
  shufflePassive: withDefault(integer(0, 32), 4),
  /** Milliseconds between two shuffles, ± 10 % (iroh-gossip, which calls it a guess). */
  shuffleInterval: withDefault(milliseconds(), 60_000),
  /** Milliseconds that a peer has to answer a request for a link, its dial included, before another one is asked (iroh-gossip's first figure). Its answer still counts later. */
  neighborTimeout: withDefault(milliseconds(), 500),
  /** Milliseconds for which a peer that was lost is in no view, unless it asks itself. */
  denyWindow: withDefault(milliseconds(), 10_000),
  /** Links of its own asking that this node wants, rather of `known` nodes than of passive peers. At most `active` − 1; default half of `active`, rounded down. */
  own: optional(integer(0, 63)),
  /** Milliseconds in which one more newcomer is introduced, or one more link given up for somebody who asks; twice `active` of them may come at once. As many again are kept for `known` nodes. */
  favorInterval: withDefault(milliseconds(), 10_000),
  /** Milliseconds between two links asked of somebody outside both views, ± 10 %: so partitions merge again. Up to 16 times as long while nothing happens (see Merges). Infinity: never. */
  mergeInterval: withDefault(millisecondsOrNever(), 600_000),
  /** Known nodes that are remembered besides the views; the oldest is forgotten. */
  contacts: withDefault(integer(0, 1_024), 64),
});

/** Options of a partial view, each with a default. Times are milliseconds. */
export type PartialViewOptions = OptionsInput<typeof schema>;

/** The options, complete. */
export type PartialViewConfig = Omit<Options<typeof schema>, 'own'> & { readonly own: number };

/** Throws a TypeError that names the option. */
export function partialViewConfig(options: PartialViewOptions): PartialViewConfig {
  const config = parseOptions(schema, options, 'partialView');
  const own = config.own ?? Math.floor(config.active / 2);
  if (own >= config.active) throw new TypeError(`partialView: own: must be less than active (${config.active}), got ${own}`);
  if (config.passiveWalk > config.joinWalk) {
    throw new TypeError(`partialView: passiveWalk: must be at most joinWalk (${config.joinWalk}), got ${config.passiveWalk}`);
  }
  return { ...config, own };
}
