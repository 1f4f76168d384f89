// The public API of @trunkline/transport-testkit: the compliance suites, to which you pass `test`
// and a backend, and `faulty`, which injects faults into real connections.

export type { FaultyOptions, NetworkFaults } from './faulty/faults.ts';
export { type FaultyBackend, type FaultyStreamLayer, faulty } from './faulty/faulty.ts';
export type { FaultyNetwork } from './faulty/faulty-network.ts';
export {
  type FaultyTransportBackend,
  faultyStreamLayerSuite,
  faultyTransportSuite,
} from './faulty/faulty-suites.ts';
export type {
  StreamLayerBackend,
  StreamLayerSuiteOptions,
} from './stream-layer/stream-layer-suite.ts';
export { streamLayerSuite } from './stream-layer/stream-layer-suite.ts';
export type { TestContext, TestExpectation, TestFunction } from './test-runner.ts';
export {
  createTransitWatch,
  type TransitWatch,
  type TransitWatchOptions,
} from './transit/transit-watch.ts';
export type {
  ProcessProbe,
  TransportBackend,
  TransportPlace,
  TransportTest,
} from './transport/backend.ts';
export { nodeProbe } from './transport/node-probe.ts';
export { transportSuite } from './transport/transport-suite.ts';
export { wrapped } from './transport/wrapped.ts';
