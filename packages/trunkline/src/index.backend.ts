// Interfaces and helpers for those who write a backend.

export * from '@trunkline/transport-core/backend';
