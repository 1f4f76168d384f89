// For tests: a clock that stands still until it is advanced, repeatable random numbers, and a store
// in memory.

export * from '@trunkline/transport-core/testing';
