// The public API of @trunkline/transport-tcp.

export type { Pem, TlsOptions, TlsUpdate } from '@trunkline/transport-core/backend';
export {
  createTcpTransport,
  type TcpBackend,
  type TcpBackendOptions,
  type TcpTransport,
  type TcpTransportOptions,
  tcp,
} from './create-tcp-transport.ts';
// For code that composes stream layers.
export type { TcpStreamLayer, TcpStreamLayerOptions } from './tcp-options.ts';
export { createTcpStreamLayer } from './tcp-stream-layer.ts';
