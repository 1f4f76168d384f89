/// <reference lib="esnext.disposable" preserve="true" />
// A node in one piece: a transport, its peers, topics of gossip, health, and parts such as
// administration.

export type { NodePart } from '@trunkline/transport-core/backend';
export { createNode } from './mesh/create-node.ts';
export type { MeshNode, NodeCloseOptions } from './mesh/mesh-node.ts';
export type { NodeTopic, NodeTopics } from './mesh/node-topic.ts';
export type {
  CreateNodeOptions,
  NodeGossipOptions,
  NodeTransportFactory,
  NodeTransportOptions,
} from './mesh/options.ts';
export type { TopicCodec, TopicDefinition } from './mesh/topics.ts';
