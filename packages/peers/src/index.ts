// The public API of peers: finding other nodes and staying connected to them.

export type { TopologyDiff } from './dialing/targets.ts';
export type {
  PeerFilters,
  PeerMessageSource,
  PeersOptions,
} from './options.ts';
export {
  createPeers,
  formatPeers,
  type PeerServices,
  type PeerStatuses,
  type Peers,
  type PeersReadyOptions,
  type PeersSnapshot,
} from './peers.ts';
export {
  type AddressBookStore,
  createMemoryAddressBook,
  createStoreAddressBook,
} from './store/address-book-store.ts';
export type { PeerEvent, PeerInfo, PeerRejection } from './types.ts';
