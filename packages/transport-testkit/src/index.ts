// The public API of @trunkline/transport-testkit: the compliance suites, to which you pass `test`
// and a backend, and `faulty`, which injects faults into real connections.

export type { FaultDirection, FaultyOptions, NetworkFaults } from './faulty/faults.ts';
export { type FaultyBackend, type FaultyStreamLayer, faulty } from './faulty/faulty.ts';
export type { FaultyNetwork } from './faulty/faulty-network.ts';
export {
  type FaultyTransportBackend,
  faultyStreamLayerSuite,
  faultyTransportSuite,
} from './faulty/faulty-suites.ts';
export {
  type IdentityBackend,
  type IdentityCertificates,
  type IdentityChange,
  type IdentityCredentials,
  type IdentityFlaw,
  type IdentityLists,
  type IdentityTransport,
  IMPOSTORS,
  REFUSED,
  type TlsClient,
  type TlsClientOptions,
  type TlsClients,
  UNSUPPORTED,
  UNUSABLE,
} from './identity/backend.ts';
export { identitySuite } from './identity/identity-suite.ts';
export {
  type TlsCredentials,
  type TlsIdentityTools,
  tlsCredentials,
  tlsNodes,
} from './identity/tls-credentials.ts';
export {
  type RawTlsOptions,
  type RawTlsSocket,
  type TlsIdentityBackend,
  TlsSessions,
  tlsIdentitySuite,
} from './identity/tls-suite.ts';
export { WEAK_KEYS } from './identity/weak-keys.ts';
export {
  decodeBody,
  decodeHello,
  delimited,
  encodeBody,
  encodeHello,
  encodeRawFrame,
  RAW_KINDS,
  type RawFrame,
  type RawFrameInput,
  type RawHello,
  type RawKind,
} from './raw/raw-frames.ts';
export { RAW_LIMITS, rawHello } from './raw/raw-hello.ts';
// For tests on raw bytes: a peer that shares no code with core.
export { RawListener } from './raw/raw-listener.ts';
export { RawPeer } from './raw/raw-peer.ts';
export type { SessionBackend, SessionPlace } from './session/session-fixture.ts';
export { sessionSuite } from './session/session-suite.ts';
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
