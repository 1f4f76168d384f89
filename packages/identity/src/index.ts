// Keys, node ids, signatures and certificates, for every runtime. The functions that access files
// are in '@trunkline/identity/node'.

export {
  type Authority,
  type AuthorityOptions,
  createAuthority,
  type OpenAuthorityOptions,
  openAuthority,
} from './authority.ts';
export type { CertificateOptions } from './certificate-options.ts';
export { type CreateIdentityOptions, createIdentity, type Identity } from './identity.ts';
export {
  type LiveConnection,
  NodeFilter,
  nodeIds,
  type PeerLists,
  type PeerUpdate,
} from './node-filter.ts';
export { nodeIdOf } from './node-id.ts';
export { parseIdentity } from './parse-identity.ts';
export type { KeyType } from './public-key.ts';
export { selfSigned } from './self-signed.ts';
export { verifySignature } from './verify-signature.ts';
export type { WallClock, WallTime } from './wall-clock.ts';
