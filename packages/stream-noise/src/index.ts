// A secure channel over any stream layer: Noise XX, bound to node identities. For every runtime.

export type { NoiseStreamLayer } from './noise-stream-layer.ts';
export type { PeerLists, PeerUpdate } from './peers.ts';
export { type SecuredBackend, secure, secured } from './secure.ts';
export type { SecureOptions } from './secure-options.ts';
