/// <reference lib="esnext.disposable" preserve="true" />
// Trunkline's core. First what users need, then what backends and tools are made of.

export { type Clock, LONGEST_DELAY, sleepOn, type Timer } from './clock.ts';
export type { CommonConfig, CommonOptions, HelloFields, KeepAliveOptions, LimitOptions } from './common-options.ts';
export { CODES, type Code, type Reason, REASONS, reasonError, TransportError, type TransportErrorOptions, withDetails } from './errors.ts';
export { createManualClock, type ManualClock } from './manual-clock.ts';
export type { Counter, Observer, ObserverEvent } from './observer.ts';
export { bytes } from './protocol/bytes.ts';
export type { Codec } from './protocol/codec.ts';
export { json } from './protocol/json.ts';
export { protobuf } from './protocol/protobuf.ts';
export {
  defineProtocol,
  type DownloadDefinition,
  type DuplexDefinition,
  type Method,
  type MethodDefinition,
  type MethodKind,
  type Methods,
  type OneWayDefinition,
  type Protocol,
  type ProtocolDefinition,
  type UnaryDefinition,
  type UploadDefinition,
} from './protocol/protocol.ts';
export { type Random, randomBytes, seededRandom } from './random.ts';
export type { Remote } from './remote.ts';
export type * from './rpc/types.ts';
export type { Store } from './store.ts';
export { systemClock } from './system-clock.ts';
export { systemRandom } from './system-random.ts';
export { createTransport, type CreateTransportOptions } from './transport/create-transport.ts';
export { formatSnapshot } from './transport/format-snapshot.ts';
export { type Answer, multicast, type MulticastOptions } from './transport/multicast.ts';
export { NetworkTransport, type NetworkTransportOptions } from './transport/network-transport.ts';
export { serve, type ServeOptions, type Server } from './transport/serve.ts';
export type { ConnectionSnapshot, Snapshot } from './transport/snapshot.ts';
export type * from './transport/types.ts';

// For authors of backends.
export { isNodeId, parseTarget, splitScheme, type TargetAddress } from './address.ts';
export { commonOptions } from './common-options.ts';
export {
  callback,
  extendOptions,
  group,
  integer,
  milliseconds,
  millisecondsOrNever,
  type Options,
  type OptionsInput,
  type OptionsSchema,
  optional,
  optionsSchema,
  parseOptions,
  reference,
  text,
  withDefault,
} from './config.ts';
export { formatHostPort, type HostPort, isUnspecified, parseHostPort } from './host-port.ts';
export { isProtocol } from './protocol/protocol.ts';
export type { StreamConnection, StreamLayer, StreamSink } from './stream/stream-layer.ts';
export type { Backend, BackendLayerOptions } from './transport/backend.ts';
export { Frame } from './wire/frame.ts';
