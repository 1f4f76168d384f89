export { createWsStreamLayer } from './ws-stream-layer.ts';
export type { HttpServer, WsStreamLayerOptions } from './ws-options.ts';
