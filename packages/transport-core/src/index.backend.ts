/// <reference lib="esnext.disposable" preserve="true" />
// The entry for authors of stream layers and backends: the interfaces that they implement, the
// transport above a stream layer, parsed options, addresses, the translation of errors, and the
// interface of a part of a node. It follows semver.

export { type CommonConfig, commonOptions, type HelloFields } from './common-options.ts';
export {
  callback,
  extendOptions,
  group,
  integer,
  milliseconds,
  millisecondsOrNever,
  type OptionField,
  type Options,
  type OptionsInput,
  type OptionsSchema,
  type OptionsShape,
  optional,
  optionsSchema,
  parseOptions,
  reference,
  text,
  withDefault,
} from './config.ts';
export { reasonError } from './errors.ts';
export { formatHostPort, type HostPort, isUnspecified, parseHostPort } from './host-port.ts';
export { isProtocol } from './protocol/protocol.ts';
export { type SocketAction, socketError } from './stream/socket-error.ts';
export type {
  DialOptions,
  HandshakeLimiter,
  HandshakeSlot,
  ListenOptions,
  StreamConnection,
  StreamLayer,
  StreamSink,
} from './stream/stream-layer.ts';
export { allocate, freeChunk } from './system-memory.ts';
export { environmentSharesPorts } from './system-runtime.ts';
export { cleanText } from './text.ts';
export type { Pem, TlsOptions, TlsUpdate } from './tls-options.ts';
export type { TraceChannel, TraceChannels } from './trace-channels.ts';
export type { BackendLayerOptions } from './transport/backend.ts';
export { NetworkTransport, type NetworkTransportOptions } from './transport/network-transport.ts';
export type { NodePart } from './transport/node-part.ts';
export { checkAdvertised } from './transport/scheme-layer.ts';
export { lookAlike } from './wire/preamble.ts';
