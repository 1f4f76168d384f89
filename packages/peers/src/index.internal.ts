// The entry for Trunkline's own packages, which are released together with peers. It is outside of
// semver: any release may change or remove its names.

export { dropOldest, PeerLimits, RateLimit } from './limits.ts';
export { type Machine, OutputQueue, sample } from './machine.ts';
export { StatusSync } from './status/status-sync.ts';
