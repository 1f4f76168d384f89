// For the packages of the project that run on Node: mutual TLS 1.3 with node ids, tracing
// channels and host names, for backends on node:net, and files that are always complete or absent.
// It is outside of semver, like index.internal.ts.

export {
  type AtomicFileOptions,
  type FileDisk,
  fileDisk,
  fileError,
  hasNoLinks,
  ignoreMissing,
  readRegular,
  systemErrorCode,
  writeAtomically,
} from './node/file-disk.ts';
export { fixedLookup, machine } from './node/machine.ts';
export {
  type AcceptorOptions,
  MutualTls,
  type MutualTlsDialOptions,
  type TlsAcceptor,
  updateTls,
} from './node/mutual-tls.ts';
export { nodeChannels } from './node/node-channels.ts';
export { getBuiltinModule } from './node/system-process.ts';
export { cutOff, TlsConnection, tlsConnectionError, tlsDialError } from './node/tls-remote.ts';
