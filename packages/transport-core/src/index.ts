/// <reference lib="esnext.disposable" preserve="true" />
// The public interface of @trunkline/transport-core, for users, backends, tools and other Trunkline
// packages.

export { isNodeId, parseTarget, spelled, splitScheme, type TargetAddress } from './address.ts';
export { type Clock, LONGEST_DELAY, sleepOn, type Timer } from './clock.ts';
export type {
  CommonConfig,
  CommonOptions,
  HelloFields,
  KeepAliveOptions,
  LimitOptions,
} from './common-options.ts';
export { commonOptions } from './common-options.ts';
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
export {
  CODES,
  type Code,
  REASONS,
  type Reason,
  reasonError,
  TransportError,
  type TransportErrorOptions,
  withDetails,
} from './errors.ts';
export { EventHub } from './event-hub.ts';
export { formatHostPort, type HostPort, isUnspecified, parseHostPort } from './host-port.ts';
export type { Machine } from './machine.ts';
export { createManualClock, type ManualClock } from './manual-clock.ts';
export type { Counter, Observer, ObserverEvent } from './observer.ts';
export { OutputQueue } from './output-queue.ts';
export { bytes } from './protocol/bytes.ts';
export type { Codec } from './protocol/codec.ts';
export { type JsonOptions, json } from './protocol/json.ts';
export { type Limited, limited } from './protocol/limited.ts';
export { type ProtobufOptions, protobuf } from './protocol/protobuf.ts';
export {
  type DownloadDefinition,
  type DuplexDefinition,
  defineProjectProtocol,
  defineProtocol,
  isProtocol,
  type Method,
  type MethodDefinition,
  type MethodKind,
  type Methods,
  type MethodTable,
  methodTable,
  type OneWayDefinition,
  type Protocol,
  type ProtocolDefinition,
  type UnaryDefinition,
  type UploadDefinition,
} from './protocol/protocol.ts';
export { type Random, randomBytes, seededRandom } from './random.ts';
export type { Remote } from './remote.ts';
export type * from './rpc/types.ts';
export { type RuntimeOverride, replaceSystem } from './runtime-override.ts';
export { lookAlike } from './session/preamble.ts';
export { createMemoryStore, type Store } from './store.ts';
export { DeadlineTimer } from './stream/deadline-timer.ts';
export { type Membership, nodeOf, type PendingConnection } from './stream/membership.ts';
export { ByteConnection } from './stream/memory/byte-connection.ts';
export { EndOfTick } from './stream/memory/end-of-tick.ts';
export { FrameConnection } from './stream/memory/frame-connection.ts';
export type { Line, LineEnd } from './stream/memory/line.ts';
export { MemoryConnection } from './stream/memory/memory-connection.ts';
export { type Dial, MemoryLayer } from './stream/memory/memory-layer.ts';
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
export { systemClock, systemWall } from './system-clock.ts';
export { freeChunk } from './system-memory.ts';
export { systemRandom } from './system-random.ts';
export { cleanText } from './text.ts';
export type { Backend, BackendLayerOptions } from './transport/backend.ts';
export { messageLimit, unsentOf } from './transport/carriage.ts';
export {
  type ComposedTransport,
  type CreateTransportOptions,
  createTransport,
} from './transport/create-transport.ts';
export { formatSnapshot } from './transport/format-snapshot.ts';
export { type Management, manage } from './transport/manage.ts';
export { type Answer, type MulticastOptions, multicast } from './transport/multicast.ts';
export { NetworkTransport, type NetworkTransportOptions } from './transport/network-transport.ts';
export { checkAdvertised } from './transport/scheme-layer.ts';
export { type ServeOptions, type Server, serve } from './transport/serve.ts';
export type { ConnectionSnapshot, Snapshot } from './transport/snapshot.ts';
export type * from './transport/types.ts';
export { Account, Frame, Kind } from './wire/frame.ts';
export { FrameCollector } from './wire/frame-collector.ts';
export { decodeHello, encodeHello, type Hello } from './wire/hello.ts';
