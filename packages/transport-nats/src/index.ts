// The public API of @trunkline/transport-nats, in Node and in browsers.

export { type NatsService, type ServeNatsOptions, serveNats } from './expose.ts';
export { createNatsStreamLayer, nats } from './nats.ts';
export type { NatsBackendOptions, NatsStreamLayerOptions } from './nats-options.ts';
