// Turns any stream layer into a Transport.

import type { CommonOptions } from '../common-options.ts';
import { commonOptions } from '../common-options.ts';
import { extendOptions, optional, parseOptions, reference } from '../config.ts';
import { isProtocol, type Protocol } from '../protocol/protocol.ts';
import type { StreamLayer } from '../stream/stream-layer.ts';
import { environmentAsksForStacks, systemClock, systemRandom } from '../system-runtime.ts';
import type { TraceChannels } from '../trace-channels.ts';
import { TransportEngine } from './engine.ts';
import { ProtocolTransport } from './protocol-transport.ts';

/** Options of a NetworkTransport; `protocol` and `stream` are required. */
export interface NetworkTransportOptions<P extends Protocol> extends CommonOptions {
  /** The protocol that the transport speaks; `mount` adds others. */
  readonly protocol: P;
  /**
   * The layer that carries the bytes. The transport owns it: it is closed with the transport and
   * must not be shared.
   */
  readonly stream: StreamLayer;
  /** The tracing channels of the process. Default: none. */
  readonly channels?: TraceChannels | undefined;
}

/**
 * A Transport on a StreamLayer: it adds framing, multiplexing, pooling, deadlines, back-pressure
 * and limits.
 */
export class NetworkTransport<P extends Protocol> extends ProtocolTransport<P> {
  constructor(options: NetworkTransportOptions<P>) {
    const { protocol, stream, channels, ...common } = parseOptions(
      schema,
      options,
      'NetworkTransport',
    );
    const callerStacks = common.callerStacks ?? environmentAsksForStacks();
    super(
      new TransportEngine(
        stream as StreamLayer,
        { ...common, callerStacks },
        options.clock ?? systemClock,
        options.random ?? systemRandom,
        channels as TraceChannels | undefined,
      ),
      protocol as P,
      true,
    );
  }
}

const schema = extendOptions(commonOptions, {
  protocol: reference<Protocol>(isProtocol, 'a protocol made by defineProtocol'),
  stream: reference<StreamLayer>(
    isStreamLayer,
    'a StreamLayer: listen, dial, localAddr, advertiseAddr, close',
  ),
  channels: optional(
    reference<TraceChannels>(
      (value) => typeof value === 'object' && value !== null,
      'the tracing channels of the process',
    ),
  ),
});

function isStreamLayer(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return ['listen', 'dial', 'localAddr', 'advertiseAddr', 'close'].every(
    (name) => typeof (value as Record<string, unknown>)[name] === 'function',
  );
}
