export { createWsTransport, ws } from './create-ws-transport.ts';
// For those who compose layers.
export type { HttpServer, WsStreamLayerOptions, WsTransportOptions } from './ws-options.ts';
export { createWsStreamLayer } from './ws-stream-layer.ts';
export type { WsBackendOptions } from './ws-transport.ts';
