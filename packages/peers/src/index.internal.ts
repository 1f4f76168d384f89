// The entry for Trunkline's own packages, which are released together with peers. It is outside of
// semver: any release may change or remove its names.

export { type Machine, OutputQueue } from './machine.ts';
export {
  type PeerStatus,
  type StatusInput,
  type StatusOutput,
  StatusSync,
  type StatusSyncOptions,
} from './status/status-sync.ts';
export { PeerLimits } from './trust/peer-limits.ts';
