// The entry `/testing` for tests of programs: a clock that stands still until it is advanced,
// repeatable random numbers, and a store in memory. `trunkline/testing` passes on all its names.

export { createManualClock, type ManualClock } from './manual-clock.ts';
export { seededRandom } from './random.ts';
export { createMemoryStore } from './store.ts';
