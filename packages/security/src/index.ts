// Keys, node ids, signatures and certificates, for every runtime. The functions that access files
// are in '@trunkline/security/node'.

export {
  type Authority,
  type AuthorityOptions,
  createAuthority,
  type OpenAuthorityOptions,
  openAuthority,
} from './identity/authority.ts';
export type { CertificateOptions } from './identity/certificate-options.ts';
export { type CreateIdentityOptions, createIdentity, type Identity } from './identity/identity.ts';
export {
  type LiveConnection,
  NodeIdFilter,
  nodeIdsOption,
  type PeerLists,
  type PeerListsUpdate,
} from './identity/node-filter.ts';
export { nodeIdOf } from './identity/node-id.ts';
export { parseIdentity } from './identity/parse-identity.ts';
export type { IdentityKeyType } from './identity/public-key.ts';
export { selfSigned } from './identity/self-signed.ts';
export { verifySignature } from './identity/verify-signature.ts';
export type { WallClock, WallTime } from './identity/wall-clock.ts';
