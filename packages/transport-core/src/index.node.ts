// For the packages of the project that run on Node: mutual TLS 1.3 with node ids and tracing
// channels, for backends on node:net, and files that are always complete or absent.

export { type AtomicFileOptions, writeAtomically } from './node/atomic-file.ts';
export { type FileDisk, fileDisk, hasNoLinks, readRegular } from './node/file-disk.ts';
export { fileError, ignoreMissing, systemErrorCode } from './node/file-error.ts';
export { fixedLookup, machine } from './node/machine.ts';
export { MutualTls, type MutualTlsDialOptions, updateTls } from './node/mutual-tls.ts';
export { nodeChannels } from './node/node-channels.ts';
export { isTlsOptions } from './node/parse-tls-options.ts';
export { getBuiltinModule } from './node/system-process.ts';
export type { AcceptorOptions, TlsAcceptor } from './node/tls-acceptor.ts';
export { cutOff, TlsConnection } from './node/tls-connection.ts';
export { tlsConnectionError, tlsDialError } from './node/tls-errors.ts';
