// Public API of @trunkline/admin: the state of a node for tools, and what they may change.

export { type Admin, type AdminOptions, createAdmin } from './admin.ts';
export { type AdminPart, admin } from './admin-part.ts';
export type { AdminEvent } from './events.ts';
export { type FollowNodeOptions, followNode } from './follow-node.ts';
export { adminProtocol, type NodeStateChange } from './protocol.ts';
export { bucketPercentile } from './state/bucket-percentile.ts';
export type {
  NodeCallStatistics,
  NodeConnectionState,
  NodeErrorRecord,
  NodePeerState,
  NodeState,
  NodeTopicState,
} from './state/node-state.ts';
export type { AdminSources } from './state/sources.ts';
