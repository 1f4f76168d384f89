// The public API of @trunkline/stream-noise: a secure channel over any stream layer, for every
// runtime, with Noise XX bound to node identities.

export type { PeerLists, PeerUpdate } from '@trunkline/identity';
export type { NoiseStreamLayer } from './noise-stream-layer.ts';
export { type SecuredBackend, secure, secured } from './secure.ts';
export type { SecureOptions } from './secure-options.ts';
