// How gossip and the driver of relays see each other. Gossip imports no code of relays: a program
// passes it as the value of the option `relay`.

import type { Peers } from '@trunkline/peers';
import type { Remote, Transport, TransportError } from '@trunkline/transport-core';
import {
  option,
  type Options,
  type OptionsInput,
  optionsSchema,
} from '@trunkline/transport-core/backend';
import type { MessageId } from '../messages/message-id.ts';
import type { Body } from '../overlay/overlay.ts';
import type { Push } from '../plumtree/message.ts';
import type { gossipProtocol, TopicKey } from '../protocol.ts';
import type { RelaySnapshot } from '../snapshots.ts';
import type { TopicMembers } from '../topics/topic-context.ts';
import type { Unsent } from '../types.ts';
import type { Envelope, Receipt, RelayHead, RelayReport } from '../wire/frame.ts';

/**
 * Relaying of long messages, for the option `relay` of `createGossip`; made by `relay()`. It
 * creates one {@link RelayDriver} for each node.
 */
export interface RelayFactory {
  createDriver(setup: RelaySetup): RelayDriver;
}

/** The arguments that a driver of relays is created with. */
export interface RelaySetup {
  /** The id of this node. */
  readonly self: string;
  readonly mount: Transport<typeof gossipProtocol>;
  readonly peers: Pick<Peers, 'report'>;
  readonly members: Pick<TopicMembers, 'isOn' | 'push' | 'acknowledge'> & {
    remoteOf(nodeId: string): Remote | undefined;
  };
  /** This node's topics, by their keys in hex. */
  readonly sessions: ReadonlyMap<string, RelayTopic>;
  /** Arranges a call of `wake` at that time or earlier. */
  readonly dueBy: (time: number) => void;
}

/** A topic of this node, as relays see it. */
interface RelayTopic {
  /** Called when a peer offers a message. Returns undefined if this node only publishes. */
  offered(id: MessageId, now: number): OfferedInput['topic'];
  /**
   * Handles a message from a relay. Returns false if the message was refused at once, or if this
   * node only publishes.
   */
  relayed(from: string, envelope: Envelope, now: number): boolean;
  /** A message could not be sent to a peer. */
  unsent(reason: Unsent, push: Push<Body>, to: string): void;
}

/** The relays of one node, as gossip sees them. */
export interface RelayDriver {
  /**
   * Sends a message by way of relays. Returns false if it must go to each node directly instead: it
   * is too short, has too few receivers, or exceeds the limits of relaying.
   */
  send(topic: TopicKey, push: Push<Body>, to: readonly string[]): boolean;
  /** A peer confirms that it has a message. */
  confirmed(receipt: Receipt, from: string): void;
  /** A peer is gone. */
  gone(peer: string): void;
  /**
   * Receives a message and passes it on while it arrives. Resolves to an encoded report when both
   * the receiving and the passing on are over. Rejects if the message is refused.
   */
  receive(
    from: string,
    request: Uint8Array,
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<Uint8Array>;
  /** Returns the number and the bytes of this node's messages that a peer may not have yet. */
  unsent(nodeId: string): { readonly messages: number; readonly bytes: number };
  /** The time at which `wake` must be called. */
  readonly due: number;
  wake(now: number): void;
  close(): void;
  snapshot(): RelaySnapshot;
}

// The options of relaying, with their defaults and limits.

/** The schema of {@link RelayOptions}. */
export const relayOptions = optionsSchema({
  /** Size in bytes above which an encoded message is relayed, 0 to 63 MiB. Default 65,536. */
  above: option.withDefault(option.integer(0, 63 * 1024 * 1024), 64 * 1024),
  /**
   * Number of nodes to which each node sends a relayed message, 1 to 64. Default 3. A message with
   * no more receivers than this is sent directly.
   */
  fanout: option.withDefault(option.integer(1, 64), 3),
  /**
   * Maximum size, in bytes, of all messages of other nodes that are being relayed here; the same
   * limit applies to this node's own. At most 64 messages of each kind are relayed at a time.
   * Messages beyond that are refused, and their origin sends them directly. Default 64 MiB.
   */
  memory: option.withDefault(option.integer(1, 2 ** 40), 64 * 1024 * 1024),
  /**
   * Milliseconds without progress after which a relay counts as stuck, and other nodes take over
   * its part. Default 5,000.
   */
  stall: option.withDefault(option.milliseconds(), 5_000),
});

/** Options for relaying long messages on a full mesh; each option has a default. */
export type RelayOptions = OptionsInput<typeof relayOptions>;

/** The complete options of relaying. */
export type RelayConfig = Options<typeof relayOptions>;

// The inputs and outputs of the relay machine.

/** A message of this node that relays distribute. */
export interface RelayedMessage {
  readonly topic: TopicKey;
  readonly push: Push<Body>;
  /** The message as `encodePush` encodes it. */
  readonly frame: Uint8Array;
}

/**
 * An input of the relay machine: a command in the imperative, or a report in the past tense. The
 * machine numbers uploads, and its driver numbers downloads.
 */
export type RelayInput =
  /**
   * Sends a message by way of relays. Give this input only if `wants` and `hasRoom` have returned
   * true.
   */
  | { readonly type: 'send'; readonly message: RelayedMessage; readonly to: readonly string[] }
  /** A peer confirmed that it has a message of this node. */
  | { readonly type: 'confirmed'; readonly from: string; readonly receipt: Receipt }
  /** A peer disconnected. */
  | { readonly type: 'peer-down'; readonly peer: string }
  | OfferedInput
  /** The next bytes of a download came. */
  | { readonly type: 'received'; readonly download: number; readonly chunk: Uint8Array }
  /** A download has ended; with `error` if the peer aborted it. */
  | { readonly type: 'ended'; readonly download: number; readonly error?: unknown }
  /**
   * The topic took the message of the output `deliver`, or refused it at once, so that the true
   * message under its id may still come.
   */
  | { readonly type: 'delivered'; readonly download: number; readonly isAccepted: boolean }
  /** The relay of an upload has room for more bytes. */
  | { readonly type: 'pulled'; readonly upload: number }
  /** The relay of an upload answered; `report` is undefined if its report is malformed. */
  | {
      readonly type: 'answered';
      readonly upload: number;
      readonly report: RelayReport | undefined;
    }
  /** An upload was refused, or its outcome is unknown. */
  | { readonly type: 'upload-failed'; readonly upload: number }
  /** Does everything that is due. */
  | { readonly type: 'wake' }
  /** Ends all transfers. */
  | { readonly type: 'close' };

/** A peer offers a message to pass on. The download continues with the output `receive`. */
export interface OfferedInput {
  readonly type: 'offered';
  readonly download: number;
  readonly from: string;
  /** Undefined if it is malformed. */
  readonly head: RelayHead | undefined;
  /**
   * The topic's size limit, whether the message is known, and whether only its publisher may send
   * it; undefined if the topic isn't joined.
   */
  readonly topic:
    | { readonly limit: number; readonly isKnown: boolean; readonly needsOrigin: boolean }
    | undefined;
}

/** An output of the relay machine. */
export type RelayOutput =
  /** Begin to send a message to a peer. Its bytes follow when the input `pulled` asks for them. */
  | {
      readonly type: 'upload';
      readonly upload: number;
      readonly to: string;
      readonly head: RelayHead;
    }
  /** Send the next bytes of an upload. */
  | { readonly type: 'write'; readonly upload: number; readonly chunk: Uint8Array }
  /** All bytes of the upload are sent; with `error` no more bytes will come. */
  | { readonly type: 'finish'; readonly upload: number; readonly error?: unknown }
  /** Abort an upload. The machine has forgotten it. */
  | { readonly type: 'abort'; readonly upload: number; readonly error: TransportError }
  /** Begin to read the bytes of a download. */
  | { readonly type: 'receive'; readonly download: number }
  /** Stop reading the bytes of a download. */
  | { readonly type: 'stop'; readonly download: number }
  /** Answer the request of a download. */
  | { readonly type: 'answer'; readonly download: number; readonly report: RelayReport }
  /** Answer the request of a download with an error. */
  | { readonly type: 'refuse'; readonly download: number; readonly error: unknown }
  /** Hand a whole message to its topic. The input `delivered` reports the outcome. */
  | {
      readonly type: 'deliver';
      readonly download: number;
      readonly from: string;
      readonly envelope: Envelope;
    }
  /** Confirm to its origin that a message is here. */
  | { readonly type: 'acknowledge'; readonly to: string; readonly receipt: Receipt }
  /** Send a message directly to a receiver that did not get it from relays. */
  | { readonly type: 'repair'; readonly to: string; readonly message: RelayedMessage }
  /** A peer sent something that no honest peer sends. */
  | { readonly type: 'misbehaved'; readonly peer: string };
