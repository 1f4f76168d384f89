// Byte streams and frames within this process, as parts of a stream layer: this package and the
// simulation are made of them.

export type { CallbackRunner } from './memory/end-of-tick.ts';
export type { MemoryLine, MemoryLineEnd } from './memory/line.ts';
export { ByteConnection, FrameConnection, MemoryConnection } from './memory/memory-connection.ts';
export { type MemoryDial, MemoryLayer } from './memory/memory-layer.ts';
