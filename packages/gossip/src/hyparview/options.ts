// The options and constants of a partial view, with the sources of their values. Tested in
// ../options.test.ts.

import {
  type Options,
  type OptionsInput,
  option,
  optionsSchema,
  parseOptions,
} from '@trunkline/transport-core/backend';

const schema = optionsSchema({
  /**
   * Number of links that this node keeps: its fanout plus one. Default 5, the paper's value for
   * 10,000 nodes.
   */
  active: option.withDefault(option.integer(1, 64), 5),
  /** Number of peers remembered to replace lost links. Default 30 (the paper's). */
  passive: option.withDefault(option.integer(1, 1_024), 30),
  /**
   * Milliseconds between two shuffles, ± 10 %. Default 60,000 (iroh-gossip, which calls it a
   * guess).
   */
  shuffleInterval: option.withDefault(option.milliseconds(), 60_000),
  /**
   * Milliseconds that a peer has to answer a request for a link, including the dial, before another
   * peer is asked. A later answer still counts. Default 500 (iroh-gossip's first value).
   */
  neighborTimeout: option.withDefault(option.milliseconds(), 500),
  /**
   * Milliseconds for which a lost peer is kept out of the views, unless it asks for a link itself.
   * Default 10,000.
   */
  denyWindow: option.withDefault(option.milliseconds(), 10_000),
  /**
   * Number of links of its own choice that this node wants. For these links, it prefers contacts to
   * passive peers. At most `active` − 1. Default: half of `active`, rounded down.
   */
  own: option.optional(option.integer(0, 63)),
  /**
   * Milliseconds between two requests to nodes outside both views, ± 10 %, so that partitions merge
   * again. If few such nodes are known, a passive peer is asked instead. While nothing happens, the
   * interval grows up to 16 times as long; see `Merges`. Infinity means never. Default 600,000.
   */
  mergeInterval: option.withDefault(option.millisecondsOrNever(), 600_000),
  /**
   * Maximum number of contacts in use: nodes known from elsewhere that are remembered in addition
   * to the views. Beyond it, the oldest is forgotten. Default 64.
   */
  contacts: option.withDefault(option.integer(0, 1_024), 64),
});

/** The constants. Only tests use other values: they pass a changed `PartialViewConfig`. */
const CONSTANTS = {
  /** Hops of a newcomer's introduction (the paper's ARWL). */
  joinWalk: 6,
  /**
   * Remaining hops of an introduction at which the newcomer is added to the passive view (the
   * paper's PRWL).
   */
  passiveWalk: 3,
  /** Hops of a shuffle (iroh-gossip). */
  shuffleWalk: 6,
  /** Number of active peers sent in a shuffle (the paper's ka). */
  shuffleActive: 3,
  /** Number of passive peers sent in a shuffle (the paper's kp). */
  shufflePassive: 4,
  /**
   * Milliseconds until one more newcomer is accepted and introduced, or one more link is given up
   * for a node that asks. Up to twice `active` of these actions may happen at once, and the same
   * number again for contacts. See `#favors` of PartialView for what needs no such action.
   */
  favorInterval: 10_000,
};

/** Options of a partial view; each has a default. All times are milliseconds. */
export type PartialViewOptions = OptionsInput<typeof schema>;

/** The parsed options, with defaults, and the constants. */
export type PartialViewConfig = Omit<Options<typeof schema>, 'own'> & {
  readonly own: number;
} & Readonly<typeof CONSTANTS>;

/** Parses the options. Throws a TypeError that names the wrong ones. */
export function partialViewConfig(options: PartialViewOptions = {}): PartialViewConfig {
  const config = parseOptions(schema, options, 'partialView');
  const own = config.own ?? Math.floor(config.active / 2);
  if (own >= config.active)
    throw new TypeError(
      `partialView: own: must be less than active (${config.active}), got ${own}`,
    );
  return { ...CONSTANTS, ...config, own };
}
