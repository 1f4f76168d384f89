// Several workers behind one port: the primary starts them, and each joins with its transport.

export { clusterSlot } from './cluster/cluster-slot.ts';
export { type ClusterMember, type JoinOptions, joinCluster } from './cluster/join-cluster.ts';
export { startCluster } from './cluster/start-cluster.ts';
export type {
  Cluster,
  ClusterEvent,
  ClusterMetrics,
  ClusterOptions,
  ClusterSnapshot,
  ClusterTotal,
  SnapshotOptions,
  WorkerKind,
  WorkerSnapshot,
} from './cluster/types.ts';
