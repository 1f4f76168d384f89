// Plumtree's options. Defaults are those of iroh-gossip if it has the option. According to its
// source, the values of the three delays are guesses.

import {
  type Options,
  type OptionsInput,
  option,
  optionsSchema,
  parseOptions,
} from '@trunkline/transport-core/backend';
import { LONGEST_CONTROL } from '../protocol.ts';

const wait = option.reference<number>(
  (value) => typeof value === 'number' && value >= 0 && value <= 60_000,
  'milliseconds from 0 to 60000',
);

const plumtreeSchema = optionsSchema({
  /**
   * Milliseconds for which notices are gathered before they are sent, 0 to 60,000, default 5. With
   * 0, each notice is sent at once, as in the paper.
   */
  noticeDelay: option.withDefault(wait, 5),
  /**
   * Maximum size of a control message in bytes, 256 to 65,536, default 4,096. Longer ones are
   * split.
   */
  controlSize: option.withDefault(option.integer(256, LONGEST_CONTROL), 4_096),
  /**
   * Milliseconds from the first notice of a message until it is requested, default 80. During this
   * time it can arrive over the tree.
   */
  graftDelay: option.withDefault(option.milliseconds(), 80),
  /**
   * Milliseconds until the next peer that gave notice is asked, default 40. The paper
   * suggests about one round trip.
   */
  nextGraftDelay: option.withDefault(option.milliseconds(), 40),
  /**
   * Milliseconds from the time when all peers that gave notice have been asked until they are asked
   * again, default 1,000. The paper and iroh-gossip give up instead.
   */
  againDelay: option.withDefault(option.milliseconds(), 1_000),
  /**
   * Maximum number of times that one peer is asked for the same message, and that the same message
   * is sent to one peer on demand; default 3 (gossipsub's GossipRetransmission).
   */
  attempts: option.withDefault(option.integer(1, 255), 3),
  /**
   * Milliseconds that a peer has to send a message that it was asked for, default 3,000
   * (gossipsub's IWantFollowupTime).
   */
  promiseTime: option.withDefault(option.milliseconds(), 3_000),
  /**
   * Number of hops by which a peer must be nearer to the publisher to replace the peer that pushed
   * a message, default 7. The paper suggests 7 for many publishers and 3 for one. 65,535 means
   * never.
   */
  optimizeAt: option.withDefault(option.integer(1, 0xffff), 7),
  /**
   * Number of duplicates in a row, without a new message in between, after which a link is pruned.
   * Default 1, as in the paper.
   */
  pruneAfter: option.withDefault(option.integer(1, 1_000), 1),
  /**
   * Milliseconds after a prune during which messages still in flight don't change the tree, 0 to
   * 60,000, default 500, which is a few round trips.
   */
  settleTime: option.withDefault(wait, 500),
  /** Milliseconds for which messages are kept for peers that ask for them, default 30,000. */
  cacheTime: option.withDefault(option.milliseconds(), 30_000),
  /**
   * Maximum number of messages that are kept, default 8,192. Beyond that, or beyond `cacheBytes`,
   * the oldest is evicted; the newest always stays.
   */
  cacheMessages: option.withDefault(option.integer(1, 2 ** 24), 8_192),
  /** Maximum size in bytes of all messages that are kept, default 16 MiB. */
  cacheBytes: option.withDefault(option.integer(0, 2 ** 40), 16 * 1024 * 1024),
  /**
   * Number of the newest cached messages that a new neighbor gets notice of, default 1,024. Thus
   * the two halves of a partition get the messages that they missed. 0 means none (iroh-gossip).
   */
  announce: option.withDefault(option.integer(0, 65_536), 1_024),
  /**
   * Milliseconds for which duplicates are certainly detected, default 90,000. At least `cacheTime`
   * and 10,000: if an id were forgotten while its message is in flight, the message could circulate
   * forever.
   */
  idTime: option.withDefault(option.integer(10_000, 2 ** 31 - 1), 90_000),
  /**
   * Milliseconds of silence after which an origin is forgotten, default 600,000. At least `idTime`.
   */
  originTime: option.withDefault(option.milliseconds(), 600_000),
  /**
   * Maximum number of origins that are remembered, default 16,384. See SeenMessages for what
   * happens at the limit. One peer can introduce at most half of them. A peer that introduces this
   * many new origins (or 16,384, if that is more) within `idTime` is disconnected, so a number
   * above the default must be the same at all nodes of a topic.
   */
  origins: option.withDefault(option.integer(1, 2 ** 24), 16_384),
  /**
   * Maximum number of gaps remembered per origin, default 8,192. That is enough for a few seconds
   * of messages that arrive over several paths at a rate of a thousand per second. Beyond that, the
   * oldest gap is closed, and the messages in it are lost.
   */
  gaps: option.withDefault(option.integer(1, 65_536), 8_192),
  /** Milliseconds between two checks for entries to forget, default 1,000. */
  evictInterval: option.withDefault(option.milliseconds(), 1_000),
  /**
   * Maximum number of notices accepted from one peer per second, default 10,000 (gossipsub accepts
   * 5,000 per heartbeat). The same limit applies to the ids in the peer's grafts.
   */
  notices: option.withDefault(option.integer(1, 2 ** 20), 10_000),
  /**
   * Maximum number of missing messages that one peer may have announced at a time. Default 8,192,
   * like the number of messages that are kept for peers that ask.
   */
  outstanding: option.withDefault(option.integer(1, 2 ** 20), 8_192),
  /**
   * Maximum number of notices that may wait for a peer, and of messages that may be owed to it,
   * default 8,192 each. Beyond that the oldest is dropped.
   */
  backlog: option.withDefault(option.integer(1, 2 ** 20), 8_192),
  /**
   * Number of pushes that an eager peer may receive without reacting, over at least `trialTime`
   * milliseconds (default 5,000), before it is probed; default 8. See LeafProbes.
   */
  trialAfter: option.withDefault(option.integer(1, 2 ** 24), 8),
  /** Milliseconds without a reaction after which `trialAfter` applies, default 5,000. */
  trialTime: option.withDefault(option.milliseconds(), 5_000),
  /**
   * Number of notices that a peer may receive without reacting, over at least `muteTime`
   * milliseconds (default 10,000), before it counts as mute; default 8. A peer that was probed has
   * `muteTime` to answer.
   */
  muteAfter: option.withDefault(option.integer(1, 2 ** 24), 8),
  /** Milliseconds without a reaction after which `muteAfter` applies, default 10,000. */
  muteTime: option.withDefault(option.milliseconds(), 10_000),
});

/** The options of Plumtree as the user passes them; each may be absent. */
export type PlumtreeOptionsInput = OptionsInput<typeof plumtreeSchema>;
/** The complete options of Plumtree. */
export type PlumtreeOptions = Options<typeof plumtreeSchema>;

/**
 * Returns the complete options, frozen so that all machines can share them. Throws a TypeError that
 * names each invalid one.
 */
export function plumtreeOptions(input: PlumtreeOptionsInput = {}): PlumtreeOptions {
  const options = parseOptions(plumtreeSchema, input, 'plumtree');
  if (options.idTime < options.cacheTime)
    throw new TypeError(
      `plumtree: idTime: must be at least cacheTime (${options.cacheTime}), got ${options.idTime}`,
    );
  if (options.originTime < options.idTime)
    throw new TypeError(
      `plumtree: originTime: must be at least idTime (${options.idTime}), got ${options.originTime}`,
    );
  return options;
}
