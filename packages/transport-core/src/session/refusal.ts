// The errors with which a callee refuses calls that are unknown here, that the two ends define
// differently, or that exceed a limit (docs/wire-protocol.md §4).

import { stackless, type TransportError } from '../errors.ts';
import type { ProtocolMethod } from '../protocol/protocol.ts';
import { DOWNLOAD, type Frame, UPLOAD } from '../wire/frame.ts';
import type { Channel } from './channels.ts';
import type { SessionContext } from './session-context.ts';

/** Returns the refusal of a call that has no method here, or whose method is of another kind. */
export function unlike(
  { channel: byte, flags, method: id }: Frame,
  channel: Channel | undefined,
  method: ProtocolMethod | undefined,
): TransportError {
  if (channel?.disagreement !== undefined) return channel.disagreement;
  if (channel?.mounted === undefined)
    return stackless('unimplemented', `no protocol is mounted on channel ${byte} of this peer`);
  const { name } = channel.mounted.protocol;
  if (method === undefined)
    return stackless('unimplemented', `protocol '${name}' has no method ${id} here`);
  return method.kind === 'oneway'
    ? mismatch(method, 'one-way', 'for an answer')
    : mismatch(method, method.kind, `as ${kindOf(flags)}`);
}

/** Returns the refusal of a request above the limit of its codec. */
export function tooLarge({ size }: Frame, { full, request }: ProtocolMethod): TransportError {
  const message = `${full}: a request of ${size} bytes is above ${request.limit}, the limit of its codec here (${request.name})`;
  return stackless('resource_exhausted', message, { reason: 'too_large' });
}

/** Returns the refusal of a call that `limits.calls` or `limits.total` does not allow. */
export function crowded(channel: Channel, context: SessionContext): TransportError {
  const { limits, memory } = context;
  const { name } = channel.mounted!.protocol;
  if (channel.openIn >= limits.calls) {
    // The caller can count its open calls, so exceeding the limit is its fault. It can't count the
    // handlers of canceled calls.
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

/** Returns the refusal of a streaming call that `limits.streams` does not allow. */
export function streaming(streams: number): TransportError {
  return exhausted(`${streams} streaming calls are open, limits.streams allows no more`);
}

/** Returns the refusal of a long request for which `limits.memory` has no room. */
export function memoryShort({ size }: Frame, { memory }: SessionContext): TransportError {
  return exhausted(memory.noRoom('a request', size));
}

function mismatch({ full }: ProtocolMethod, here: string, called: string): TransportError {
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
