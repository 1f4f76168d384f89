// Plumtree's options: defaults are iroh-gossip's where it has them; their sources say that the three delays are guesses.

import { integer, milliseconds, type Options, type OptionsInput, optionsSchema, parseOptions, reference, withDefault } from '@trunkline/transport-core';
import { LONGEST_CONTROL } from '../protocol.ts';

const wait = reference<number>((value) => typeof value === 'number' && value >= 0 && value <= 60_000, 'milliseconds from 0 to 60000');

const plumtreeSchema = optionsSchema({
  /** Milliseconds that notices are gathered, 5. 0: each goes at once, as in the paper. */
  noticeDelay: withDefault(wait, 5),
  /** Bytes of the largest control message, 256 to 65,536, default 4,096: longer ones are split. */
  controlSize: withDefault(integer(256, LONGEST_CONTROL), 4_096),
  /** Milliseconds from the first notice of a message until it is asked for, 80: the time for it to come by the tree. */
  graftDelay: withDefault(milliseconds(), 80),
  /** Milliseconds until the next peer that gave notice is asked, 40. The paper: about a round trip. */
  nextGraftDelay: withDefault(milliseconds(), 40),
  /** Milliseconds until they are asked anew when all of them were, 1,000 (ours: the paper and iroh-gossip give up). */
  againDelay: withDefault(milliseconds(), 1_000),
  /** How often one peer is asked for one message, and how often one peer is sent it on demand, 3: gossipsub's GossipRetransmission. */
  attempts: withDefault(integer(1, 255), 3),
  /** Milliseconds that a peer has to send what it was asked for, 3,000: gossipsub's IWantFollowupTime. */
  promiseTime: withDefault(milliseconds(), 3_000),
  /** A peer that is so many hops nearer to the publisher takes the place of the one that pushed, 7. The paper: 7 for many publishers, 3 for one. 65,535: never. */
  optimizeAt: withDefault(integer(1, 0xffff), 7),
  /** Duplicates in a row, with nothing new between them, until the link is pruned: 1, as in the paper. */
  pruneAfter: withDefault(integer(1, 1_000), 1),
  /** Milliseconds after a prune in which what was on its way doesn't change the tree, 500: some round trips. */
  settleTime: withDefault(wait, 500),
  /** Milliseconds that messages are kept for those who ask, 30,000. */
  cacheTime: withDefault(milliseconds(), 30_000),
  /** Messages that are kept at most, 8,192, and their bytes, 16 MiB; beyond that the oldest goes. The newest always stays. */
  cacheMessages: withDefault(integer(1, 2 ** 24), 8_192),
  cacheBytes: withDefault(integer(0, 2 ** 40), 16 * 1024 * 1024),
  /** Of what is in the cache, so many of the newest are told to a peer that came up, 1,024: how two halves get what each missed. 0: none (iroh-gossip). */
  announce: withDefault(integer(0, 65_536), 1_024),
  /**
   * Milliseconds that duplicates are told for sure, 90,000; at least `cacheTime`, and 10,000: an id that is forgotten while its message is on
   * its way would let it go round for ever.
   */
  idTime: withDefault(integer(10_000, 2 ** 31 - 1), 90_000),
  /** Milliseconds of silence after which an origin is forgotten, 600,000; at least `idTime`. */
  originTime: withDefault(milliseconds(), 600_000),
  /**
   * Origins that are remembered at most, 16,384, those that sign and the others apart; see
   * SeenMessages for what happens then. One peer brings at most half of them. A peer that brings as
   * many as this (or 16,384, if that is more) in `idTime` is disconnected, so a larger number must
   * be the same at all nodes of a topic.
   */
  origins: withDefault(integer(1, 2 ** 24), 16_384),
  /** Gaps an origin that are remembered at most, 8,192: some seconds of what comes by several ways at a thousand a second. Beyond that the oldest is given up, and what was in it is lost. */
  gaps: withDefault(integer(1, 65_536), 8_192),
  /** Digests that are remembered at most, 65,536. */
  digests: withDefault(integer(0, 2 ** 24), 65_536),
  /** Milliseconds between two looks for what is to be forgotten, 1,000. */
  evictInterval: withDefault(milliseconds(), 1_000),
  /** Notices that are taken from one peer in a second, 10,000 (gossipsub: 5,000 a heartbeat; ours are as many after a stall of seconds); ids of grafts likewise. */
  notices: withDefault(integer(1, 2 ** 20), 10_000),
  /** Unknown ids that one peer may have outstanding, 8,192: as many as are kept for those who ask. */
  outstanding: withDefault(integer(1, 2 ** 20), 8_192),
  /** Notices that wait for a peer at most, and messages that it is owed, 8,192; then the oldest is dropped. */
  backlog: withDefault(integer(1, 2 ** 20), 8_192),
  /** Pushes in `trialTime` milliseconds (5,000) or more that a peer of the tree may take without a sign before it is asked for one, 8: see Trials. */
  trialAfter: withDefault(integer(1, 2 ** 24), 8),
  trialTime: withDefault(milliseconds(), 5_000),
  /** Notices in `muteTime` milliseconds (10,000) or more that a peer may leave without any sign before it counts as mute, 8; who was asked for a sign has as long. */
  muteAfter: withDefault(integer(1, 2 ** 24), 8),
  muteTime: withDefault(milliseconds(), 10_000),
});

export type PlumtreeOptionsInput = OptionsInput<typeof plumtreeSchema>;
export type PlumtreeOptions = Options<typeof plumtreeSchema>;

/** The options, complete and frozen: once for all machines that share them. A TypeError names each one that is wrong. */
export function plumtreeOptions(input: PlumtreeOptionsInput = {}): PlumtreeOptions {
  const options = parseOptions(plumtreeSchema, input, 'plumtree');
  if (options.idTime < options.cacheTime) throw new TypeError(`plumtree: idTime: must be at least cacheTime (${options.cacheTime}), got ${options.idTime}`);
  if (options.originTime < options.idTime) throw new TypeError(`plumtree: originTime: must be at least idTime (${options.idTime}), got ${options.originTime}`);
  return options;
}
