/// <reference lib="esnext.disposable" preserve="true" />
// The entry for authors of stream layers and backends: the interfaces that they implement (but
// `Backend` is in the main entry), the transport above a stream layer, parsed options, addresses,
// the translation of errors, and the interface of a part of a node. It also has the details of the
// main entry's types, and functions that few programs need. It follows semver; scripts/api.mjs
// reports changed declarations. index.internal.ts explains the reference above.

export {
  formatHostPort,
  type HostPort,
  isNodeId,
  notAdvertisable,
  parseHostPort,
  parseTarget,
  type TargetAddress,
} from './address.ts';
export { backgroundTimer } from './clock.ts';
export {
  type CommonConfig,
  commonOptions,
  type HelloFields,
  type KeepAliveOptions,
  type Pem,
  type TlsOptions,
  type TlsUpdate,
} from './common-options.ts';
export {
  extendOptions,
  type OptionField,
  type Options,
  type OptionsInput,
  type OptionsSchema,
  type OptionsShape,
  optionsSchema,
  parseOptions,
  refuseUnknown,
} from './config.ts';
export {
  ERROR_CODES,
  ERROR_REASONS,
  reasonError,
  stackless,
  type TransportErrorOptions,
} from './errors.ts';
export * as option from './index.option.ts';
export type { ClientNext, ServerNext } from './interceptors.ts';
export type {
  DeliveryRecord,
  DialRecord,
  HandshakeRecord,
  PublishRecord,
  TraceChannel,
  TraceChannels,
  TransportCounter,
} from './observer.ts';
export type { BytesCodec, Limited } from './protocol/codec.ts';
export {
  type DownloadDefinition,
  type DuplexDefinition,
  isProtocol,
  type MethodKind,
  type OneWayDefinition,
  type ProtocolMethod,
  type ProtocolMethods,
  type UnaryDefinition,
  type UploadDefinition,
} from './protocol/protocol.ts';
export { randomBytes } from './random.ts';
export {
  combineResolvers,
  type ResolutionObserver,
  type ResolveFunction,
  type ResolveResult,
} from './resolver.ts';
export type {
  DownloadRpc,
  DuplexRpc,
  KindOf,
  MethodName,
  OneWayName,
  OneWayRpc,
  RpcBase,
  RpcWithDownload,
  RpcWithResponse,
  RpcWithUpload,
  UnaryRpc,
  UploadInput,
  UploadRpc,
} from './rpc/types.ts';
export type { NameSnapshot } from './stream/dial.ts';
export { attachmentOf } from './stream/membership.ts';
export {
  type DialOptions,
  type HandshakeLimiter,
  type HandshakeSlot,
  type ListenOptions,
  type PendingDial,
  PendingDials,
  type SocketAction,
  type StreamConnection,
  type StreamLayer,
  type StreamSink,
  socketError,
} from './stream/stream-layer.ts';
export { allocate, freeChunk } from './system-memory.ts';
export { environmentSharesPorts, systemWall } from './system-runtime.ts';
export { type Bytes, cleanText, fieldsOf, inMs, type TextFields } from './text.ts';
export type { ComposedTransport } from './transport/create-transport.ts';
export { NetworkTransport, type NetworkTransportOptions } from './transport/create-transport.ts';
export { type BackendLayerOptions, checkAdvertised } from './transport/scheme-layer.ts';
export type {
  ConnectionSnapshot,
  HoldOptions,
  LimitsSnapshot,
  NodePart,
  ResultOf,
  SendArguments,
  StreamOf,
} from './transport/types.ts';
export { lookAlike } from './wire/preamble.ts';
