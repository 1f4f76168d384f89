// TCP as a stream layer, for code that composes layers.

export type { TcpStreamLayer, TcpStreamLayerOptions } from './tcp-options.ts';
export { createTcpStreamLayer } from './tcp-stream-layer.ts';
