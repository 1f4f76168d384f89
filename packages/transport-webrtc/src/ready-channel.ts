// Connections over data channels that the program has opened itself, without a Signal.

import { type Clock, systemClock, TransportError } from '@trunkline/transport-core';
import {
  integer,
  optional,
  optionsSchema,
  parseOptions,
  reference,
  type StreamConnection,
  text,
} from '@trunkline/transport-core/backend';
import { ChannelConnection } from './channel-connection.ts';
import { type ChannelUser, LEAST_MESSAGE, LONGEST_MESSAGE } from './open-channel.ts';
import type { RtcDataChannel } from './rtc.ts';
import { isClock } from './webrtc-options.ts';

/** Options of a connection over a channel of your own. */
export interface ChannelConnectionOptions {
  /** The other end's address for logs and errors. */
  readonly endpoint: string;
  /**
   * Maximum size of a message that the other end accepts, in bytes, at least 1,024: pass
   * `maxMessageSize` of `RTCPeerConnection.sctp`. Default: 16 KiB; larger messages are never sent.
   */
  readonly maxMessage?: number | undefined;
  /** Default: the system clock. */
  readonly clock?: Clock | undefined;
}

/**
 * Turns a data channel that your program has opened into a stream connection, for a StreamLayer of
 * your own. Both ends must do so in the same turn of the event loop in which the channel opened,
 * because messages that arrive before that are lost. The channel must be ordered and reliable, and
 * it belongs to the connection, which closes it. Your program closes the peer connection after
 * that.
 *
 * The connection proves no node id; if it must prove one, wrap the layer in `secure` of
 * @trunkline/stream-noise. Throws `failed_precondition` if the channel isn't open.
 */
export function createChannelConnection(
  channel: RtcDataChannel,
  options: ChannelConnectionOptions,
): StreamConnection {
  parseOptions(schema, options, 'createChannelConnection');
  const { endpoint, maxMessage = LONGEST_MESSAGE, clock = systemClock } = options;
  if (channel.readyState !== 'open')
    throw new TransportError(
      'failed_precondition',
      `Cannot use the channel to ${endpoint}: it is ${channel.readyState}; wait for its event 'open'`,
      { target: endpoint },
    );
  channel.binaryType = 'arraybuffer';
  let user: ChannelUser;
  const onMessage = ({ data }: { data: unknown }) => user.message(data);
  const onClose = () => user.gone('the other end closed the channel');
  return new ChannelConnection(
    {
      channel,
      endpoint,
      nodeId: undefined,
      maxMessage: Math.min(LONGEST_MESSAGE, maxMessage),
      handOver(given) {
        user = given;
        channel.addEventListener('message', onMessage);
        channel.addEventListener('close', onClose);
      },
      release() {
        channel.removeEventListener('message', onMessage);
        channel.removeEventListener('close', onClose);
        channel.close();
      },
    },
    clock,
  );
}

const schema = optionsSchema({
  endpoint: text(),
  maxMessage: optional(integer(LEAST_MESSAGE, Number.MAX_SAFE_INTEGER)),
  clock: optional(reference<Clock>(isClock, 'a Clock')),
});
