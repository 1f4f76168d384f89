// The entry for backends under mutual TLS: the identity suite with credentials that it makes, and
// the TLS options of nodes that trust each other.

export {
  type TlsCredentials,
  type TlsIdentityTools,
  tlsNodes,
} from './tls/tls-credentials.ts';
export {
  type RawTlsOptions,
  type RawTlsSocket,
  type TlsIdentityBackend,
  TlsSessions,
  tlsIdentitySuite,
} from './tls/tls-suite.ts';
