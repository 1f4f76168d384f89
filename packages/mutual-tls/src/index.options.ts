// What mutual TLS is told, for those whose types must do without Node's.

export type { Pem, TlsOptions, TlsUpdate } from './tls-options.ts';
