// Several workers behind one port: the primary starts them, and each joins with its transport.

export { clusterSlot } from './cluster/cluster-slot.ts';
export { createCluster } from './cluster/create-cluster.ts';
export {
  type ClusterMember,
  type JoinClusterOptions,
  joinCluster,
} from './cluster/join-cluster.ts';
export type {
  Cluster,
  ClusterEvent,
  ClusterMetrics,
  ClusterOptions,
  ClusterSnapshot,
  ClusterSnapshotOptions,
  ClusterTotal,
  ClusterWorkerKind,
  ClusterWorkerSnapshot,
} from './cluster/types.ts';
