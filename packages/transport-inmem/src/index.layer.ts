// Byte streams and frames within this process, as parts of a stream layer: this package and the
// simulation are made of them.

export type { CallbackRunner } from './memory/end-of-tick.ts';
export type { Line, LineEnd } from './memory/line.ts';
export { ByteConnection, FrameConnection, MemoryConnection } from './memory/memory-connection.ts';
export { type Dial, MemoryLayer } from './memory/memory-layer.ts';
