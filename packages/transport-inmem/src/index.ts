// For unit tests: links instead of sockets.
export { connectAll, createInmemTransport, type InmemTransport, type InmemTransportOptions } from './direct/inmem-transport.ts';
// For everything else: streams in this process, as a layer and as a backend.
export { inmem } from './inmem.ts';
export { createInmemStreams, type InmemLayerOptions, type InmemStreams, type InmemStreamsOptions } from './stream/inmem-streams.ts';
