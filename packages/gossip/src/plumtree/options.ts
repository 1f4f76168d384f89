// Plumtree's options and constants. They are those of iroh-gossip if it has them, except for
// `noticeDelay` (5 ms there). According to its source, the values of its three delays (here
// `noticeDelay`, `graftDelay` and `nextGraftDelay`) are guesses. Tested in ../options.test.ts and
// by what they limit.

import {
  type Options,
  type OptionsInput,
  option,
  optionsSchema,
  parseOptions,
} from '@trunkline/transport-core/backend';

const plumtreeSchema = optionsSchema({
  /**
   * Milliseconds for which notices are gathered before they are sent, 0 to 60,000, default 100.
   * With 0, each notice is sent at once, as in the paper. A shorter time costs more packets: with
   * 25 ms and 300 messages a second, a delivery between 12 processes took a sixth more CPU time.
   */
  noticeDelay: option.withDefault(
    option.reference<number>(
      (value) => typeof value === 'number' && value >= 0 && value <= 60_000,
      'milliseconds from 0 to 60000',
    ),
    100,
  ),
  /**
   * Milliseconds from the first notice of a message until it is requested, default 80. During this
   * time it can arrive over the tree.
   */
  graftDelay: option.withDefault(option.milliseconds(), 80),
  /**
   * Number of hops by which a peer must be nearer to the publisher to replace the peer that pushed
   * a message, default 7. The paper suggests 7 for many publishers and 3 for one. 65,535 means
   * never.
   */
  optimizeAt: option.withDefault(option.integer(1, 0xffff), 7),
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
   * Number of the newest cached messages that a new neighbor gets notice of, default 1,024, in
   * effect at most 8,192 (`backlog`). Thus the two halves of a partition get the messages that they
   * missed. 0 means none (iroh-gossip).
   */
  announce: option.withDefault(option.integer(0, 65_536), 1_024),
  /**
   * Maximum number of origins that are remembered, default 16,384. See SeenMessages, which has this
   * limit, for what happens at it. One peer can introduce at most half of them. A peer that
   * introduces this many new origins (or 16,384, if that is more) within `idTime` (90 s by default)
   * is disconnected (see `misbehaved` of TopicSession), so a number above the default must be the
   * same at all nodes of a topic.
   */
  origins: option.withDefault(option.integer(1, 2 ** 24), 16_384),
});

/**
 * The constants. Only tests use other values: they pass a changed `PlumtreeOptions`. `idTime`,
 * `originTime` and `gaps`, like `origins`, are not used by Plumtree: overlay/partial-view.ts passes
 * them to SeenMessages.
 */
const CONSTANTS = {
  /** Maximum number of ids in one control message, which then has at most 4 KiB. */
  idsEach: 85,
  /**
   * Milliseconds until the next peer that gave notice is asked. The paper suggests about one round
   * trip.
   */
  nextGraftDelay: 40,
  /**
   * Milliseconds from the time when all peers that gave notice have been asked until they are asked
   * again. The paper and iroh-gossip give up instead.
   */
  againDelay: 1_000,
  /**
   * Maximum number of times that one peer is asked for the same message, and that the same message
   * is sent to one peer on demand (gossipsub's GossipRetransmission).
   */
  attempts: 3,
  /**
   * Milliseconds that a peer has to send a message that it was asked for (gossipsub's
   * IWantFollowupTime).
   */
  promiseTime: 3_000,
  /** True if a duplicate prunes its link, as in the paper. */
  prunes: true,
  /**
   * Milliseconds after a prune during which messages still in flight don't change the tree: a few
   * round trips.
   */
  settleTime: 500,
  /**
   * Milliseconds for which duplicates are certainly detected; `cacheTime` if that is longer,
   * because a message whose id was forgotten while it is in flight could circulate forever.
   */
  idTime: 90_000,
  /** Milliseconds of silence after which an origin is forgotten; `idTime` if that is longer. */
  originTime: 600_000,
  /**
   * Maximum number of gaps remembered per origin. That is enough for a few seconds of messages that
   * arrive over several paths at a rate of a thousand per second. Beyond that, the oldest gap is
   * closed, and the messages in it are lost.
   */
  gaps: 8_192,
  /** Milliseconds between two checks for entries to forget. */
  evictInterval: 1_000,
  /**
   * Maximum number of notices accepted from one peer per second (gossipsub accepts 5,000 per
   * heartbeat). The same limit applies to the ids in the peer's grafts.
   */
  notices: 10_000,
  /**
   * Maximum number of missing messages that one peer may have announced at a time: as many as are
   * kept for peers that ask by default. Also the maximum number of open promises of all peers.
   */
  outstanding: 8_192,
  /**
   * Maximum number of notices that may wait for a peer, of messages that may be owed to it, and of
   * messages whose `attempts` are counted. Beyond that the oldest is dropped or forgotten.
   */
  backlog: 8_192,
  /**
   * Number of pushes that an eager peer may receive without reacting, over at least `trialTime`
   * milliseconds, before it is probed. See `LeafProbe` in tree.ts.
   */
  trialAfter: 8,
  trialTime: 5_000,
  /**
   * Number of notices that a peer may receive without reacting, over at least `muteTime`
   * milliseconds, before it counts as mute. A peer that was probed has `muteTime` to answer.
   */
  muteAfter: 8,
  muteTime: 10_000,
};

/** The options of Plumtree as the user passes them; each may be absent. */
export type PlumtreeOptionsInput = OptionsInput<typeof plumtreeSchema>;
/** The complete options of Plumtree, and its constants. */
export type PlumtreeOptions = Options<typeof plumtreeSchema> & Readonly<typeof CONSTANTS>;

/**
 * Returns the complete options, frozen so that all machines can share them. `idTime` and
 * `originTime` are raised as their comments say. Throws a TypeError that names each invalid option.
 */
export function plumtreeOptions(input: PlumtreeOptionsInput = {}): PlumtreeOptions {
  const options = parseOptions(plumtreeSchema, input, 'plumtree');
  const idTime = Math.max(CONSTANTS.idTime, options.cacheTime);
  const originTime = Math.max(CONSTANTS.originTime, idTime);
  return Object.freeze({ ...CONSTANTS, ...options, idTime, originTime });
}
