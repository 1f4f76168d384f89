export { createTcpTransport, type TcpTransportOptions, tcp } from './create-tcp-transport.ts';
// For those who compose layers.
export { createTcpStreamLayer, type TcpStreamLayerOptions } from './tcp-stream-layer.ts';
