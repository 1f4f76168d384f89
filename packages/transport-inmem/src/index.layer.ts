// Byte streams and frames within this process as a stream layer, for code that composes layers; the
// simulation is made of their parts.

export type { CallbackRunner } from './memory/end-of-tick.ts';
export type { MemoryLine, MemoryLineEnd } from './memory/line.ts';
export { ByteConnection, FrameConnection, MemoryConnection } from './memory/memory-connection.ts';
export { MemoryLayer } from './memory/memory-layer.ts';
export {
  createInmemStreams,
  type InmemLayerOptions,
  type InmemStreams,
  type InmemStreamsOptions,
} from './stream/inmem-streams.ts';
