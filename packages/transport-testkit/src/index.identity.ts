// The entry for layers that prove who the peer is: the identity suite.

export type {
  IdentityBackend,
  IdentityChange,
  IdentityCredentials,
  IdentityFlaw,
  IdentityLists,
  IdentityTransport,
} from './identity/backend.ts';
export { identitySuite } from './identity/identity-suite.ts';
