// WebSocket as a stream layer in Node, for code that composes layers.

export type { WsStreamLayer, WsStreamLayerOptions } from './ws-options.ts';
export { createWsStreamLayer } from './ws-stream-layer.ts';
