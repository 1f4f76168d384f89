export { connectAll, createInmemTransport, InmemTransport, type InmemTransportOptions } from './direct/inmem-transport.ts';
export { createInmemStreams, type InmemLayerOptions, InmemStreams, inmem } from './stream/inmem-streams.ts';
