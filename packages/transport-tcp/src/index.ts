export { createTcpStreamLayer, type TcpStreamLayerOptions } from './tcp-stream-layer.ts';
