// Public API of @trunkline/gossip: publish and subscribe on topics, over any transport.

export { createGossip, type Gossip } from './gossip.ts';
export type { GossipOptions } from './options.ts';
export { type FullMeshOptions, fullMesh } from './overlay/full-mesh.ts';
export type { OverlayFactory } from './overlay/overlay.ts';
export { type PartialViewOverlayOptions, partialView } from './overlay/partial-view.ts';
export type { MessageSigner, SignatureOptions } from './signatures/signatures.ts';
export { formatGossip, type GossipSnapshot, type TopicSnapshot } from './snapshots.ts';
export type { Topic } from './topic.ts';
export type {
  GossipEvent,
  MessageDropReason,
  MessageMeta,
  MessageVerdict,
  PublishOptions,
  PublishResult,
  ReceivedMessage,
  SubscribeOptions,
  TopicOptions,
  TopicQueueOptions,
  TopicSubscription,
} from './types.ts';
