// Mutual TLS 1.3 with node ids and tracing channels, for backends that run on node:net.

export { MutualTls, type SecureOptions, updateTls } from './mutual-tls.ts';
export { nodeChannels } from './node-channels.ts';
export type { AcceptorOptions, TlsAcceptor } from './tls-acceptor.ts';
export { cutOff, TlsConnection } from './tls-connection.ts';
export { tlsConnectionError, tlsDialError } from './tls-errors.ts';
export { isTlsOptions } from './tls-options.ts';
