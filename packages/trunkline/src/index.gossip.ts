// Topics, over a full mesh or a partial view.

export * from '@trunkline/gossip';
