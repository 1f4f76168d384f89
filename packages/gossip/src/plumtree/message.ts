// The messages that Plumtree machines exchange (Leitão, Pereira and Rodrigues, "Epidemic Broadcast
// Trees", SRDS 2007, algorithms 1 to 3), and the inputs, the outputs and the arguments of such a
// machine. wire/frame.ts encodes the messages.

import type { MessageId } from '../messages/message-id.ts';
import type { SeenVerdict } from '../messages/seen-messages.ts';
import type { PlumtreeOptions } from './options.ts';

/** The paper's GOSSIP: a message itself. */
export interface Push<P> {
  readonly kind: 'push';
  readonly id: MessageId;
  /**
   * Number of links that the message has traveled on arrival: 1 if it comes from the publisher;
   * otherwise peers can claim any number from 0 to 65,535.
   */
  readonly hops: number;
  /** The payload, which is opaque to the machine. */
  readonly payload: P;
  /** Size of the payload in bytes, for the limits of the cache. */
  readonly size: number;
}

/** An entry of an IHAVE. */
export interface Notice {
  readonly id: MessageId;
  /** The hop count that the message would have if it were pushed. */
  readonly hops: number;
}

/** The notice that the sender has these messages. */
export interface IHave {
  readonly kind: 'ihave';
  readonly notices: readonly Notice[];
}

/**
 * Asks the receiver to push to the sender from now on, and to send it these messages again. The
 * paper's GRAFT has at most one id. Here it may have several, which saves control messages when
 * many messages are recovered at once.
 */
export interface Graft {
  readonly kind: 'graft';
  readonly ids: readonly MessageId[];
}

/** Asks the receiver to stop pushing to the sender, and to send it notices instead. */
interface Prune {
  readonly kind: 'prune';
}

/**
 * Answers a graft for messages that the sender no longer has, so that the receiver can ask another
 * peer at once. The paper has no such message, so the receiver has to wait until its timer expires.
 */
interface Absent {
  readonly kind: 'absent';
  readonly ids: readonly MessageId[];
}

/**
 * Announces that the sender publishes on the topic without being on it: it sends its own messages
 * and notices of them, and gets none. The paper has no such node.
 */
interface Attach {
  readonly kind: 'attach';
}

/** Any message except a push. */
export type Control = IHave | Graft | Prune | Absent | Attach;

/** The largest hop count, which takes two bytes. */
export const MOST_HOPS = 0xffff;

// The inputs and outputs of a Plumtree machine, and the arguments of its constructor.

/**
 * An input of a Plumtree machine: a command in the imperative, or a report in the past tense.
 *
 * For each copy of a message that a peer sent, topics/incoming gives these inputs in this order:
 * - `repeated` or `dropped` if the message is not new when it arrives
 * - otherwise `arrived`, which is all if the copy is forged or is not the first to be validated
 * - `held` if it is validated and the verdict does not come at once
 * - `received` or `dropped`; or `released` if there was no room to validate it. After `released`,
 *   another copy may be validated, which begins with `held`.
 * - then `repeated` or `dropped` for each copy that came during the validation; a copy that is
 *   dropped with `mayCome` is reported only if it is the last one
 */
export type PlumtreeInput<P> =
  /** A peer sent a control message, or a push whose message is new and was accepted. */
  | { readonly type: 'received'; readonly from: string; readonly message: Push<P> | Control }
  /** A peer sent a message that is known already. */
  | { readonly type: 'repeated'; readonly from: string; readonly id: MessageId }
  /**
   * A peer sent a message, which may still be refused. If the peer had been asked for the message,
   * it has now kept its promise.
   */
  | { readonly type: 'arrived'; readonly from: string; readonly id: MessageId }
  /**
   * A message that arrived is being checked. Until it is `received`, `dropped` or `released`, no
   * peer is asked for it.
   */
  | { readonly type: 'held'; readonly id: MessageId }
  /** A message that was held is missing again: it was dropped before it was checked. */
  | { readonly type: 'released'; readonly id: MessageId }
  /**
   * A peer sent a message that is not accepted: it is too old, claims to be this node's own, was
   * refused, or there is no room for its publisher. If the peer had promised it, it has kept its
   * promise. No peer is asked for it until a later notice (see `look` of {@link PlumtreeInit});
   * with `mayCome`, other peers that gave notice are still asked.
   */
  | {
      readonly type: 'dropped';
      readonly from: string;
      readonly id: MessageId;
      readonly mayCome: boolean;
    }
  /** Publishes a message. */
  | { readonly type: 'publish'; readonly push: Push<P> }
  /**
   * A link is up. It belongs to the tree until a duplicate comes over it (the paper's NeighborUp).
   * The peer gets notice of the cached messages, so that parts of the network that were separated
   * get the messages that they missed. Does nothing if the link is up already. If `isSource` is
   * true, the peer only publishes, and gets nothing unless it asks.
   */
  | { readonly type: 'neighbor-up'; readonly peer: string; readonly isSource?: boolean }
  /**
   * The link is down. The peer's notices and promises, and the messages owed to it, are forgotten.
   */
  | { readonly type: 'neighbor-down'; readonly peer: string }
  /**
   * No room was left for a `push` or `send-control` output. This input comes before the next
   * `poll`.
   */
  | { readonly type: 'no-room'; readonly output: PushOutput<P> | ControlOutput }
  /** Messages to that peer have room again. */
  | { readonly type: 'writable'; readonly peer: string }
  /** Does everything that is due. */
  | { readonly type: 'wake' };

/** An output of a Plumtree machine. */
export type PlumtreeOutput<P> =
  | PushOutput<P>
  | ControlOutput
  /** The link became part of the tree. A new link is part of it without this output. */
  | { readonly type: 'grafted'; readonly peer: string }
  /** The link is no longer part of the tree. */
  | { readonly type: 'pruned'; readonly peer: string }
  | GaveOutput
  /** A peer misbehaved; see {@link Misbehavior}. */
  | { readonly type: 'misbehaved'; readonly peer: string; readonly what: Misbehavior };

/**
 * Push a message if there is room for it now. If there is none, give the input `no-room`. Nothing
 * is pushed to the peer then until the input `writable`, after which this message follows if it is
 * still cached. Meanwhile the peer gets a notice of it, unless it had asked for it.
 */
export interface PushOutput<P> {
  readonly type: 'push';
  readonly to: string;
  readonly push: Push<P>;
  /** True if the peer asked for the message. */
  readonly isAsked: boolean;
}

/**
 * Send or queue a control message. If there is no room even for that, give the input `no-room`.
 * Notices are then kept until the input `writable`, and a prune is sent again with the next
 * duplicate. A graft counts as an attempt, and the next peer is asked when its time has come. An
 * `absent` is not sent again: the peer then has to wait for its own timer, as in the paper.
 */
export interface ControlOutput {
  readonly type: 'send-control';
  readonly to: string;
  readonly control: Control;
  /**
   * Set on a graft without ids: the peer whose place in the tree `to` takes. That peer returns to
   * the tree if there is no room for the graft.
   */
  readonly replaces?: string | undefined;
}

/**
 * A push of the peer, new or not, or its notice of a message that is here has shown that it has the
 * message. So it gets messages from other nodes and passes them on, or publishes itself.
 */
export interface GaveOutput {
  readonly type: 'gave';
  readonly peer: string;
}

/**
 * Behavior that is wrong, or rare among honest peers. It is reported at most once a second per peer
 * and kind; the driver decides what follows.
 * - `notice-flood`: more notices than a peer may send per second, or ids of more missing messages
 *   than it may have outstanding. The excess was ignored.
 * - `graft-flood`: more ids in grafts than a peer may send per second, or the id of one message too
 *   often. The excess was ignored.
 * - `broken-promise`: the peer gave notice of a message and didn't send it when asked, although it
 *   had enough time.
 * - `mute`: the peer gets messages or notices, but gives none of the signs that
 *   `LeafProbe.answered` lists. It takes messages and passes nothing on.
 */
export type Misbehavior = 'notice-flood' | 'graft-flood' | 'broken-promise' | 'mute';

/** The arguments of a Plumtree machine. */
export interface PlumtreeInit {
  /** The node id of this node. */
  readonly self: string;
  /** The result of `plumtreeOptions`; defaults if absent. */
  readonly options?: PlumtreeOptions | undefined;
  /**
   * Returns what is known of a message. A notice of a message that is not `new` is not followed;
   * `seen` means that the message is here.
   */
  readonly look: (id: MessageId, now: number) => SeenVerdict;
  /**
   * True if this node only publishes, and its neighbors give it nothing. It then pushes to a single
   * neighbor, like a leaf of the tree: if a message entered the tree at several nodes, they would
   * prune the links between them, which messages of others need. Default false.
   */
  readonly isSource?: boolean | undefined;
}
