// The public API of @trunkline/security/noise: a secure channel over any stream layer, for every
// runtime, with Noise XX bound to node identities.

export type { PeerLists, PeerUpdate } from './identity/node-filter.ts';
export type { NoiseStreamLayer } from './noise/noise-stream-layer.ts';
export { type SecuredBackend, secure, secured } from './noise/secure.ts';
export type { SecureOptions } from './noise/secure-options.ts';
