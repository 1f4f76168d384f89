// For tests: a clock that stands still until it is advanced, repeatable random numbers, and a store
// in memory.

export { createManualClock, type ManualClock } from './manual-clock.ts';
export { seededRandom } from './random.ts';
export { createMemoryStore } from './store.ts';
