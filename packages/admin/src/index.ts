// Public API of @trunkline/admin: the state of a node for tools, and what they may change.

export { type Admin, type AdminOptions, createAdmin } from './admin.ts';
export { type AdminPart, type AdminPartOptions, admin } from './admin-part.ts';
export type { AdminEvent } from './events.ts';
export { type FollowOptions, followNode } from './follow-node.ts';
export { adminProtocol, type StateChange } from './protocol.ts';
export { bucketPercentile } from './state/bucket-percentile.ts';
export {
  applyPatch,
  createPatch,
  type Json,
  type JsonObject,
  type Patch,
  type PatchValue,
} from './state/merge-patch.ts';
export type {
  CallStatistics,
  ConnectionState,
  ErrorRecord,
  NodeFacts,
  NodeState,
  PeerState,
  TopicState,
  Totals,
} from './state/node-state.ts';
export type {
  AdminSources,
  GossipSource,
  PeerSource,
  PeersSource,
  TopicSource,
} from './state/sources.ts';
