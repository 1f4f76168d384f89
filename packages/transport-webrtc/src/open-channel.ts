// An open data channel with everything that belongs to it. The negotiation that opened it passes it
// to the connection that uses it.

import type { RtcDataChannel } from './rtc.ts';

/** A channel that has just been opened, or one that you opened yourself. */
export interface OpenChannel {
  readonly channel: RtcDataChannel;
  /** The other end's address for logs and errors: 'webrtc://' and its id, or the one you gave. */
  readonly endpoint: string;
  /** The other end's node id, if it proved one. */
  readonly nodeId: string | undefined;
  /** Maximum size of a message to send, in bytes: 16 KiB, or less if the other end accepts less. */
  readonly maxMessage: number;
  /**
   * Passes all events to `user` from now on, beginning, within this call, with the messages that
   * have arrived. The constructor of ChannelConnection calls it, once.
   */
  handOver(user: ChannelUser): void;
  /** Closes the channel and everything below it. Idempotent. */
  release(): void;
  /** Called after each message that was sent. */
  sent?(): void;
}

/** Receives the events of a channel. */
export interface ChannelUser {
  message(data: unknown): void;
  /** Called when the channel or its underlying connection has closed or failed. */
  gone(why: string): void;
}

/** Maximum size of a message that this package sends, in bytes. */
export const LONGEST_MESSAGE = 16 * 1024;
/** The minimum message size, in bytes, that the other end must accept: the hello is shorter. */
export const LEAST_MESSAGE = 1_024;
