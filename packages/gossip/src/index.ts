// Public API of @trunkline/gossip: publish and subscribe on topics, over any transport.

export type { DiscoveryOptions } from './discovery/options.ts';
export { formatGossip } from './driver/format-snapshot.ts';
export { createGossip, type Gossip } from './gossip.ts';
export type { GossipOptions } from './options.ts';
export { type FullMeshOptions, fullMesh } from './overlay/full-mesh.ts';
export type { OverlayFactory } from './overlay/overlay.ts';
export { type PartialViewOverlayOptions, partialView } from './overlay/partial-view.ts';
export type { SignatureMode, SignatureOptions, Signer, Verify } from './signatures/signatures.ts';
export type {
  DiscoverySnapshot,
  GossipSnapshot,
  TopicSnapshot,
} from './snapshots.ts';
export type { Topic } from './topic.ts';
export type {
  CloseResult,
  DropReason,
  GossipEvent,
  MessageMeta,
  NeighborDownCause,
  PublishFailure,
  PublishOptions,
  PublishResult,
  QueueOptions,
  QueuePolicy,
  Received,
  Refusal,
  SubscribeOptions,
  Subscription,
  TopicOptions,
  Verdict,
} from './types.ts';
