/// <reference lib="esnext.disposable" preserve="true" />
// The main entry, for users: protocols and their codecs, transports, serving and calling, errors,
// clocks and sources of randomness. It follows semver, and none of its names is in another entry.

export { isNodeId, parseTarget, type TargetAddress } from './address.ts';
export type {
  CallRecord,
  DeliveryRecord,
  DialRecord,
  HandshakeRecord,
  PublishRecord,
} from './call-record.ts';
export type { Clock, Timer } from './clock.ts';
export type { CommonOptions, KeepAliveOptions } from './common-options.ts';
export {
  CODES,
  type Code,
  REASONS,
  type Reason,
  TransportError,
  type TransportErrorOptions,
} from './errors.ts';
export type {
  Allow,
  ClientCall,
  ClientInterceptor,
  ClientNext,
  Interceptors,
  ServerCall,
  ServerInterceptor,
  ServerNext,
} from './interceptors.ts';
export type { LimitOptions } from './limit-options.ts';
export { logEvents } from './log-events.ts';
export type { Logger } from './logger.ts';
export { type Counter, combineObservers, type Observer, type ObserverEvent } from './observer.ts';
export { bytes } from './protocol/bytes.ts';
export type { Codec } from './protocol/codec.ts';
export { methodId } from './protocol/default-numbers.ts';
export { type JsonOptions, json } from './protocol/json.ts';
export { type Limited, limited } from './protocol/limited.ts';
export {
  type DownloadDefinition,
  type DuplexDefinition,
  defineProtocol,
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
export { type Random, randomBytes } from './random.ts';
export type { Remote } from './remote.ts';
export {
  combineResolvers,
  type ResolutionObserver,
  type ResolvedAddress,
  type ResolveFunction,
  type ResolveResult,
  type Resolver,
} from './resolver.ts';
export type * from './rpc/types.ts';
export type { Store } from './store.ts';
export { systemClock, systemRandom, systemWall } from './system-runtime.ts';
export type { Backend } from './transport/backend.ts';
export {
  type ComposedTransport,
  type CreateTransportOptions,
  createTransport,
} from './transport/create-transport.ts';
export type { NameSnapshot } from './transport/names.ts';
export { type ServeOptions, type Server, serve } from './transport/serve.ts';
export type { ConnectionSnapshot, LimitsSnapshot, Snapshot } from './transport/snapshot.ts';
export type * from './transport/types.ts';
