// Relaying of long messages on a full mesh.

export * from '@trunkline/gossip/relay';
