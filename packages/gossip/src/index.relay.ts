// The entry @trunkline/gossip/relay: relaying of long messages on a full mesh.

export { relay } from './driver/relay-driver.ts';
export type { RelayFactory, RelayOptions } from './relay/factory.ts';
export type { RelaySnapshot } from './snapshots.ts';
