/// <reference lib="esnext.disposable" preserve="true" />
// The main entry, for users: protocols and their codecs, transports, serving and calling, errors,
// clocks and sources of randomness. It follows semver, and none of its names is in another entry of
// core. The package `trunkline` exports them, too. scripts/api.mjs reports changed declarations.
// index.internal.ts explains the reference above.

export type { Clock, ClockTimer } from './clock.ts';
export type { CommonOptions, LimitOptions } from './common-options.ts';
export { type ErrorCode, type ErrorReason, TransportError } from './errors.ts';
export type {
  AllowCall,
  ClientCall,
  ClientInterceptor,
  Interceptors,
  ServerCall,
  ServerInterceptor,
} from './interceptors.ts';
export { type Logger, logEvents } from './log-events.ts';
export type { CallRecord } from './observer.ts';
export { combineObservers, type Observer, type ObserverEvent } from './observer.ts';
export { bytes, type Codec, empty, limited, owned } from './protocol/codec.ts';
export { type JsonOptions, json } from './protocol/json.ts';
export {
  defineProtocol,
  type MethodDefinition,
  methodId,
  type Protocol,
  type ProtocolDefinition,
} from './protocol/protocol.ts';
export type { Random } from './random.ts';
export type { Remote } from './remote.ts';
export type { ResolvedAddress, Resolver } from './resolver.ts';
export type {
  Handler,
  Handlers,
  ItemInput,
  ItemOf,
  RequestInput,
  RequestOf,
  ResponseInput,
  ResponseOf,
  Rpc,
  UploadOf,
} from './rpc/types.ts';
export type { Store } from './store.ts';
export { systemClock, systemRandom } from './system-runtime.ts';
export { type CreateTransportOptions, createTransport } from './transport/create-transport.ts';
export type { Backend } from './transport/scheme-layer.ts';
export { type ServeOptions, type Server, serve } from './transport/serve.ts';
export type {
  AnyTransport,
  CallOptions,
  Client,
  ConnectionEvent,
  MountOptions,
  SendOptions,
  Target,
  Transport,
  TransportSnapshot,
} from './transport/types.ts';
