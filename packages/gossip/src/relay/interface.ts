// The inputs and outputs of the relay machine.

import type { TransportError } from '@trunkline/transport-core';
import type { Body } from '../overlay/overlay.ts';
import type { Push } from '../plumtree/message.ts';
import type { TopicKey } from '../topics/topic-key.ts';
import type { Envelope } from '../wire/frame.ts';
import type { Receipt, RelayHead, RelayReport } from '../wire/relay-frames.ts';

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
