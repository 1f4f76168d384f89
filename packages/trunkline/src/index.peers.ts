// Finds the other nodes of a network, and stays connected to them.

export * from '@trunkline/peers';
