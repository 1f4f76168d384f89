// The public API of @trunkline/transport-tcp.

export type { Pem, TlsOptions, TlsUpdate } from '@trunkline/transport-core/backend';
export { type TcpBackend, type TcpBackendOptions, tcp } from './tcp.ts';
