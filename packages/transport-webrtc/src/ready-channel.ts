// Connections over data channels that the program has opened itself, without a Signal.

import { type Clock, systemClock, TransportError } from '@trunkline/transport-core';
import {
  option,
  optionsSchema,
  parseOptions,
  type StreamConnection,
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
 * because messages that arrive before that are lost. The channel must be ordered and reliable at
 * both ends. It belongs to the connection, which closes it. Your program closes the peer connection
 * after that.
 *
 * The connection proves no node id; if it must prove one, wrap the layer in `secure` of
 * @trunkline/security/noise. Throws a TypeError for an invalid option, and `failed_precondition` if
 * the channel isn't open, or if its `ordered`, `maxRetransmits` or `maxPacketLifeTime` shows that
 * it is unordered or unreliable. node-datachannel reports every channel that the other end created
 * as ordered and reliable.
 */
export function createChannelConnection(
  channel: RtcDataChannel,
  options: ChannelConnectionOptions,
): StreamConnection {
  parseOptions(schema, options, 'createChannelConnection');
  const { endpoint, maxMessage = LONGEST_MESSAGE, clock = systemClock } = options;
  const flaws = flawsOf(channel);
  if (flaws.length > 0)
    throw new TransportError(
      'failed_precondition',
      `Cannot use the channel to ${endpoint}: it has ${flaws.join(', ')}; create it with ordered: true, and without maxRetransmits and maxPacketLifeTime`,
      { target: endpoint },
    );
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

/** Returns the properties with which a channel may lose messages, or deliver them out of order. */
function flawsOf({ ordered, maxRetransmits, maxPacketLifeTime }: RtcDataChannel): string[] {
  const flaws: string[] = [];
  if (ordered === false) flaws.push('ordered: false');
  for (const [name, value] of Object.entries({ maxRetransmits, maxPacketLifeTime }))
    if (value !== undefined && value !== null) flaws.push(`${name}: ${value}`);
  return flaws;
}

const schema = optionsSchema({
  endpoint: option.text(),
  maxMessage: option.optional(option.integer(LEAST_MESSAGE, Number.MAX_SAFE_INTEGER)),
  clock: option.optional(option.reference<Clock>(isClock, 'a Clock')),
});
