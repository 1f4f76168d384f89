// The public API of @trunkline/transport-nats, in Node and in browsers.

export {
  createNatsStreamLayer,
  createNatsTransport,
  type NatsTransportOptions,
  nats,
} from './nats.ts';
export { type Exposed, type ExposeOptions, expose } from './expose.ts';
export type { NatsBackendOptions, NatsStreamLayerOptions } from './nats-options.ts';
