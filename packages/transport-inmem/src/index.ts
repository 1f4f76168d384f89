// The public entry of the package: in-memory backends for tests and single-process use.

// Passes frames instead of bytes, and a test decides who may dial whom.
export { type DirectBackend, direct } from './direct/direct.ts';
// Byte streams within this process.
export { type InmemBackendOptions, inmem } from './inmem.ts';
