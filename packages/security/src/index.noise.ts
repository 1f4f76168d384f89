// The public API of @trunkline/security/noise: a secure channel over any stream layer, for every
// runtime, with Noise XX bound to node identities.

export type { PeerLists, PeerListsUpdate } from './identity/node-filter.ts';
export {
  createNoiseStreamLayer,
  type SecuredBackend,
  secured,
} from './noise/create-noise-stream-layer.ts';
export type { NoiseStreamLayer } from './noise/noise-stream-layer.ts';
export type { NoiseOptions } from './noise/secure-options.ts';
