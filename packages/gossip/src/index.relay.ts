// The entry @trunkline/gossip/relay: relaying of long messages on a full mesh.

export { type RelayFactory, type RelayOptions, relay } from './driver/relay-driver.ts';
export type { RelaySnapshot } from './snapshots.ts';
