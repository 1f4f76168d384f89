// The public API of @trunkline/transport-nats, in Node and in browsers.

export { nats } from './nats.ts';
export type { NatsBackendOptions } from './nats-options.ts';
export { type NatsService, type ServeNatsOptions, serveNats } from './serve-nats.ts';
