// The entry @trunkline/gossip/relay: relaying of long messages on a full mesh.

export { relay } from './driver/relay-driver.ts';
export type { RelayFactory } from './relay/factory.ts';
export type { RelayOptions } from './relay/options.ts';
export type { RelaySnapshot } from './snapshots.ts';
