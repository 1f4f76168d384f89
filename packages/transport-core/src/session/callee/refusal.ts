// The reasons to refuse a call: it is unknown here, the two ends define it differently, or a limit
// is reached (docs/wire-protocol.md §4).

import { stackless, type TransportError } from '../../errors.ts';
import type { Method } from '../../protocol/protocol.ts';
import { DOWNLOAD, type Frame, UPLOAD } from '../../wire/frame.ts';
import type { Channel } from '../channels/channels.ts';
import { oversized } from '../incoming-packets/incoming-packets.ts';
import type { SessionContext } from '../session-context.ts';

/**
 * Returns the answer to a REQUEST that no handler may see; undefined if one may, and then its
 * channel and its method exist. The texts are made elsewhere, so that V8 inlines the checks.
 * @param streams the number of open streaming calls
 */
export function refusalOf(
  frame: Frame,
  channel: Channel | undefined,
  method: Method | undefined,
  context: SessionContext,
  streams: number,
): TransportError | undefined {
  if (channel?.mounted === undefined || channel.disagreement !== undefined)
    return channel?.disagreement ?? unmounted(frame);
  if (method === undefined || method.kind === 'oneway' || method.flags !== frame.flags)
    return unlike(frame, channel, method);
  const isLong = frame.size > 0;
  if (isLong && oversized(method.request, frame.size)) return tooLarge(frame, method);
  const { calls } = context.limits;
  if (channel.openIn >= calls || channel.running >= calls || context.usage.hasTooMany)
    return crowded(channel, context);
  if (method.flags !== 0 && streams >= context.limits.streams) return streaming(streams);
  return isLong && !context.usage.fits(frame.size) ? memoryShort(frame, context) : undefined;
}

function unmounted({ channel }: Frame): TransportError {
  return stackless('unimplemented', `no protocol is mounted on channel ${channel} of this peer`);
}

function unlike(frame: Frame, channel: Channel, method: Method | undefined): TransportError {
  const { name } = channel.mounted!.protocol;
  if (method === undefined)
    return stackless('unimplemented', `protocol '${name}' has no method ${frame.method} here`);
  return method.kind === 'oneway'
    ? mismatch(method, 'one-way', 'for an answer')
    : mismatch(method, method.kind, `as ${kindOf(frame.flags)}`);
}

function tooLarge({ size }: Frame, { full, request }: Method): TransportError {
  const message = `${full}: a request of ${size} bytes is above ${request.limit}, the limit of its codec here (${request.name})`;
  return stackless('resource_exhausted', message, { reason: 'too_large' });
}

function crowded(channel: Channel, context: SessionContext): TransportError {
  const { limits, memory } = context;
  const { name } = channel.mounted!.protocol;
  if (channel.openIn >= limits.calls) {
    // The caller can count its open calls, so this is its fault. It can't count the handlers of
    // cancelled calls.
    context.abused();
    return exhausted(`${channel.openIn} calls are open on '${name}', limits.calls allows no more`);
  }
  if (channel.running >= limits.calls)
    return exhausted(
      `${channel.running} handlers of '${name}' are still running, limits.calls allows no more`,
    );
  const share = `${context.usage.calls} of this connection (${context.usage.bytes} bytes)`;
  return exhausted(
    `limits.total is reached: ${memory.calls} calls (${memory.bytes} bytes) wait or are handled here, ${share}, which has used up its share`,
  );
}

function streaming(streams: number): TransportError {
  return exhausted(`${streams} streaming calls are open, limits.streams allows no more`);
}

function memoryShort({ size }: Frame, { memory }: SessionContext): TransportError {
  return exhausted(
    `limits.memory is reached: a request of ${size} bytes has no room beside the ${memory.used - memory.unfinished} bytes held`,
  );
}

function mismatch({ full }: Method, here: string, called: string): TransportError {
  return stackless('failed_precondition', `'${full}' is ${here} here, but was called ${called}`);
}

function exhausted(message: string): TransportError {
  return stackless('resource_exhausted', message);
}

function kindOf(flags: number): string {
  return flags === 0
    ? 'unary'
    : flags === UPLOAD
      ? 'upload'
      : flags === DOWNLOAD
        ? 'download'
        : 'duplex';
}
