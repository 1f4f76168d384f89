// The public API of @trunkline/transport-ws in Node.

export type { Pem, TlsOptions, TlsUpdate } from '@trunkline/transport-core/backend';
export { createWsTransport, ws } from './create-ws-transport.ts';
// For code that composes stream layers.
export type {
  HttpServer,
  TlsUpdates,
  WsStreamLayer,
  WsStreamLayerOptions,
  WsTransport,
  WsTransportOptions,
} from './ws-options.ts';
export { createWsStreamLayer } from './ws-stream-layer.ts';
export type { WsBackend, WsBackendOptions } from './ws-transport.ts';
