// NATS as a stream layer, for code that composes layers.

export { createNatsStreamLayer } from './nats.ts';
export type { NatsStreamLayerOptions } from './nats-options.ts';
