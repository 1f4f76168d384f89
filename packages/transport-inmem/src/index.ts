// The public entry of the package: in-memory transports for tests and single-process use.

// Transports that pass frames instead of using sockets, for unit tests.
export {
  connectAll,
  createInmemTransport,
  type InmemTransport,
  type InmemTransportOptions,
} from './direct/inmem-transport.ts';
// Byte streams within this process, as a stream layer and as a backend of `createTransport`.
export { inmem } from './inmem.ts';
export {
  createInmemStreams,
  type InmemLayerOptions,
  type InmemStreams,
  type InmemStreamsOptions,
} from './stream/inmem-streams.ts';
