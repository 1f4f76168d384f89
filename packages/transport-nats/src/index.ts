// The public API of @trunkline/transport-nats, in Node and in browsers.

export { type NatsService, type ServeNatsOptions, serveNats } from './expose.ts';
export { nats } from './nats.ts';
export type { NatsBackendOptions } from './nats-options.ts';
