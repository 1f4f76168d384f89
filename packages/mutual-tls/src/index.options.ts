// The types of the options of mutual TLS, for packages whose types must not depend on Node's.

export type { Pem, TlsOptions, TlsUpdate } from './tls-options.ts';
