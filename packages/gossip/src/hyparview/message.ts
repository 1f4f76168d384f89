// The messages between members of a partial view, as plain data, and the function that cleans
// untrusted messages; then the inputs, the outputs and the arguments of PartialView. Tested in
// partial-view.test.ts.

import type { Random, TransportError } from '@trunkline/transport-core';
import type { PartialViewConfig } from './options.ts';

/**
 * A message between two members of a topic. `request` and `id` are numbers that the sender chooses
 * and that the answer repeats. `peers` are node ids that may be worth knowing, and `free` is a node
 * that has room for a link. `ttl` is the number of hops that a random walk has left.
 *
 * - `join`: a newcomer asks for a link, and to be introduced to others.
 * - `forward-join`: introduces the newcomer `peer`.
 * - `neighbor`: asks for a link. `high`: a full receiver should evict a neighbor for it, because
 *   the sender has no link, found no room anywhere, or asks for a reason other than room (`merge`
 *   and `replace`, see `Purpose`). `full`: the sender, too, would have to evict a neighbor.
 * - `accept`, `refuse`: answer `join` and `neighbor`. In `accept`, `free` is the peer that was
 *   evicted for this link.
 * - `shuffle`, `shuffle-reply`: exchange passive peers: the first travels on a random walk from
 *   `origin`, and the reply goes directly back. A shuffle to a node that is no neighbor is a
 *   greeting: it names nobody, and only shows that the sender exists. A receiver takes any shuffle
 *   from a node that is no neighbor as a greeting, and so does not answer or pass it on.
 * - `disconnect`: ends the link between the two; `alive` is false if the sender leaves the overlay.
 */
export type PartialViewMessage =
  | { readonly type: 'join'; readonly request: number }
  | { readonly type: 'forward-join'; readonly peer: string; readonly ttl: number }
  | {
      readonly type: 'neighbor';
      readonly request: number;
      readonly high: boolean;
      readonly full: boolean;
    }
  | { readonly type: 'accept'; readonly request: number; readonly free: string | undefined }
  | ({ readonly type: 'refuse'; readonly request: number } & Suggestions)
  | {
      readonly type: 'shuffle';
      readonly origin: string;
      readonly id: number;
      readonly ttl: number;
      readonly peers: readonly string[];
    }
  | { readonly type: 'shuffle-reply'; readonly id: number; readonly peers: readonly string[] }
  | ({ readonly type: 'disconnect'; readonly alive: boolean } & Suggestions);

/** Nodes that the receiver of a message may ask for a link instead. */
export interface Suggestions {
  readonly free: string | undefined;
  readonly peers: readonly string[];
}

/** The messages of one type. */
export type MessageOf<T extends PartialViewMessage['type']> = Extract<
  PartialViewMessage,
  { readonly type: T }
>;

/** Returns the nodes that a message names; its receiver may want their addresses. */
export function peersOf(message: PartialViewMessage): string[] {
  const { peers = [], free, peer, origin } = message as Partial<Suggestions & Named>;
  return [...peers, free, peer, origin].filter((one) => one !== undefined);
}

type Named = Record<'peer' | 'origin', string>;

/**
 * Returns the message with its walk and its lists cut to the limits, without this node's id
 * (`self`) and without duplicates. Returns undefined if the message is malformed, or is about this
 * node although it must be about another.
 */
export function tidyMessage(
  message: unknown,
  self: string,
  { joinWalk, shuffleWalk, shuffleActive, shufflePassive }: PartialViewConfig,
): PartialViewMessage | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const given = message as Record<string, unknown>;
  const { type, request, id, ttl, peer, origin } = given;
  const [high, full, alive] = [given.high === true, given.full === true, given.alive === true];
  const free = isOther(given.free, self) ? given.free : undefined;
  // A reply to a shuffle may name one peer more than the shuffle, see `Shuffles.received`.
  const peers = tidyPeers(given.peers, self, shuffleActive + shufflePassive + 1);
  switch (type) {
    case 'join':
      return isNumber(request) ? { type, request } : undefined;
    case 'neighbor':
      return isNumber(request) ? { type, request, high, full } : undefined;
    case 'accept':
      return isNumber(request) ? { type, request, free } : undefined;
    case 'refuse':
      return isNumber(request) ? { type, request, free, peers } : undefined;
    case 'forward-join':
      if (!isOther(peer, self) || !isNumber(ttl)) return undefined;
      return { type, peer, ttl: Math.min(ttl, joinWalk) };
    case 'shuffle':
      if (!isOther(origin, self) || !isNumber(id) || !isNumber(ttl)) return undefined;
      return { type, origin, id, ttl: Math.min(ttl, shuffleWalk), peers };
    case 'shuffle-reply':
      return isNumber(id) ? { type, id, peers } : undefined;
    case 'disconnect':
      return { type, alive, free, peers };
    default:
      return undefined;
  }
}

/** Returns true if the value could be a node id. */
export function isPeerId(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= LONGEST_ID;
}

function tidyPeers(peers: unknown, self: string, most: number): readonly string[] {
  if (!Array.isArray(peers)) return [];
  return [...new Set<string>(peers.slice(0, most).filter((peer) => isOther(peer, self)))];
}

function isOther(value: unknown, self: string): value is string {
  return isPeerId(value) && value !== self;
}

function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Maximum length of a node id in characters. Trunkline's ids have 64. */
const LONGEST_ID = 128;

// The inputs and outputs of a partial view.

/** An input of a partial view: a command in the imperative, or a report in the past tense. */
export type PartialViewInput =
  /**
   * Enters the overlay through the first contact that answers. The contacts are asked one after the
   * other. Also works after `leave`.
   */
  | { readonly type: 'join'; readonly contacts: readonly string[] }
  /**
   * Nodes that turned out to be on this topic; overlay/partial-view reports each connected one.
   * They are asked for links if the views don't help, and to merge partitions. `isChosen` is false
   * if this node did not choose them: they connected by themselves, or others named them.
   */
  | { readonly type: 'found'; readonly nodes: readonly string[]; readonly isChosen: boolean }
  /** A message came from a node. Malformed messages are ignored. */
  | { readonly type: 'received'; readonly from: string; readonly message: unknown }
  /**
   * The link to a node failed, or sending to it did. A passive peer is forgotten, so don't report
   * an idle connection that ended cleanly.
   */
  | { readonly type: 'lost'; readonly peer: string; readonly error: TransportError | undefined }
  /** Informs a node that it is not a neighbor, after it sent something that only neighbors send. */
  | { readonly type: 'reject'; readonly peer: string }
  /**
   * Drops a useless neighbor, and asks a node that this node chooses itself to take its place.
   * Another node that takes the place meanwhile may be evicted again. During `denyWindow`, the
   * dropped peer does not return to any view unless it asks for a link itself. Does nothing if the
   * peer is no neighbor.
   */
  | { readonly type: 'dismiss'; readonly peer: string }
  /** The score of a neighbor has fallen to 0: looks for a node to replace it. */
  | { readonly type: 'distrusted' }
  /**
   * Asks one node for a link, preferably one outside both views (see `Views.outsider`), because the
   * neighbors may all be useless. Does nothing without merges (a `mergeInterval` of Infinity) or
   * after `leave`.
   */
  | { readonly type: 'seek' }
  /**
   * A neighbor passes messages on. When links must be dropped, neighbors that pass nothing on go
   * first.
   */
  | { readonly type: 'gave'; readonly peer: string }
  /**
   * Leaves the overlay: sends the neighbors other peers that they can link to, and accepts no more
   * links.
   */
  | { readonly type: 'leave' }
  /** Does what is due. It may come early or late. */
  | { readonly type: 'wake' };

/** An output of a partial view. */
export type PartialViewOutput =
  /**
   * Send a partial-view message, and dial the node first if it is not connected. Messages to one
   * node keep their order. The input `lost` reports a failed dial and a full queue, now or later. A
   * message may also be lost without a report.
   */
  | { readonly type: 'send-view'; readonly to: string; readonly message: PartialViewMessage }
  /** A peer has become a neighbor. */
  | { readonly type: 'neighbor-up'; readonly peer: string }
  /** A peer is no longer a neighbor. `error` is the error of the input `lost`. */
  | {
      readonly type: 'neighbor-down';
      readonly peer: string;
      readonly cause: DownCause;
      readonly error: TransportError | undefined;
    };

/**
 * The reason why a peer is no longer a neighbor:
 * - `lost`: its link failed
 * - `evicted`: this node gave its place to another peer, or dropped it as useless (`dismiss`)
 * - `disconnected`: the peer gave this node's place to another, or ended the link
 * - `left`: the peer leaves the overlay
 * - `closed`: this node leaves the overlay
 */
export type DownCause = 'lost' | 'evicted' | 'disconnected' | 'left' | 'closed';

/** The arguments that a partial view is constructed with. */
export interface PartialViewSetup {
  /** This node's id. */
  readonly self: string;
  readonly random: Random;
  /** The current time. All times are milliseconds of a monotonic clock. */
  readonly now: number;
  readonly config: PartialViewConfig;
  /**
   * Returns true if the score of a node is 0. Such a node is the first to be evicted, and takes no
   * other node's place. For a free place, it is asked after all trusted candidates, but still
   * if a walk ends with it or a peer suggests it.
   */
  readonly isDistrusted: (peer: string) => boolean;
}
