// Names every schema of options: where it is, which call takes the options, and the types whose
// comments describe them.

const COMMON = 'transport-core/common-options#commonOptions';

/**
 * `[schema, call, types]`. A schema is `package/module#constant`. Options that a call shares with
 * the schema `COMMON` are listed once.
 */
export const schemas = [
  [COMMON, 'All transports', ['CommonOptions', 'LimitOptions', 'KeepAliveOptions']],
  [
    'transport-core/transport/create-transport#schema',
    'createTransport',
    ['CreateTransportOptions'],
  ],
  [
    'transport-core/transport/network-transport#schema',
    'new NetworkTransport',
    ['NetworkTransportOptions'],
  ],
  ['transport-tcp/tcp-options#layerSchema', 'tcp, createTcpStreamLayer', ['TcpStreamLayerOptions']],
  ['transport-core/node/parse-tls-options#schema', 'tcp({ tls }), ws({ tls })', ['TlsOptions']],
  ['transport-core/node/parse-tls-options#updateSchema', 'updateTls', ['TlsUpdate', 'TlsOptions']],
  ['transport-ws/ws-options#layerSchema', 'ws, createWsStreamLayer', ['WsStreamLayerOptions']],
  [
    'transport-webrtc/webrtc-options#layerSchema',
    'webrtc, createWebRtcStreamLayer',
    ['WebRtcStreamLayerOptions', 'WebRtcBackendOptions', 'PeerLists'],
  ],
  [
    'transport-webrtc/ready-channel#schema',
    'createChannelConnection',
    ['ChannelConnectionOptions'],
  ],
  [
    'transport-nats/nats-options#layerSchema',
    'nats, createNatsStreamLayer',
    ['NatsStreamLayerOptions', 'NatsBackendOptions'],
  ],
  ['transport-nats/serve-nats#schema', 'serveNats', ['ServeNatsOptions']],
  [
    'security/noise/secure-options#schema',
    'secured, createNoiseStreamLayer',
    ['NoiseOptions', 'PeerLists'],
  ],
  [
    'transport-webrtc/signaling/hub-options#schema',
    'createSignalHub',
    ['SignalHubOptions', 'SignalHubLimits', 'SignalRelayLimits'],
  ],
  ['transport-webrtc/wamp/wamp-signal#schema', 'createWampSignal', ['WampSignalOptions']],
  ['security/identity/identity#schema', 'createIdentity', ['CreateIdentityOptions']],
  ['security/identity/key-file#saveOptions', 'saveIdentity', ['SaveIdentityOptions']],
  [
    'security/identity/certificate-options#certificateOptions',
    'issueCertificate, createAuthority',
    ['CertificateOptions', 'AuthorityOptions'],
  ],
  ['security/identity/authority#openOptions', 'openAuthority', ['OpenAuthorityOptions']],
  ['security/identity/node-filter#updateSchema', 'updatePeers', ['PeerListsUpdate', 'PeerLists']],
  ['peers/options#schema', 'createPeers', ['PeersOptions', 'PeerFilters']],
  ['peers/options#updateSchema', 'peers.update', ['PeersOptions']],
  ['peers/nat/create-port-mapping#schema', 'createPortMapping', ['PortMappingOptions']],
  ['gossip/options#schema', 'createGossip', ['GossipOptions']],
  ['gossip/discovery/options#schema', 'createGossip({ discovery })', []],
  ['gossip/relay/options#relayOptions', 'relay', ['RelayOptions']],
  ['gossip/overlay/full-mesh#schema', 'fullMesh', []],
  ['gossip/hyparview/options#schema', 'partialView', []],
  ['gossip/plumtree/options#plumtreeSchema', 'partialView({ tree })', []],
  ['gossip/options#topic', 'gossip.topic', ['TopicOptions', 'TopicQueueOptions']],
  ['gossip/options#subscribe', 'topic.subscribe', ['SubscribeOptions', 'TopicQueueOptions']],
  ['gossip/options#publish', 'topic.publish', ['PublishOptions']],
  ['gossip/options#close', 'gossip.close', ['CloseOptions']],
  [
    'trunkline/mesh/read-options#schema',
    'createNode',
    ['CreateNodeOptions', 'ServeOptions', 'HealthOptions'],
  ],
  ['trunkline/mesh/mesh-node#nodeCloseOptions', 'node.close', ['NodeCloseOptions']],
  ['resilience/balancing/balancer#schema', 'createBalancer', ['BalancerOptions']],
  ['resilience/retries/retries#schema', 'createRetries', ['RetriesOptions']],
  ['resilience/retries/retry-policy#schema', 'createRetries({ methods })', ['RetryPolicy']],
  ['resilience/breaking/circuit-breaker#schema', 'createCircuitBreaker', ['CircuitBreakerOptions']],
  [
    'resilience/limiting/concurrency-limit#schema',
    'createConcurrencyLimit',
    ['ConcurrencyLimitOptions'],
  ],
  [
    'resilience/limiting/admission#schema',
    'createAdmission',
    ['AdmissionOptions', 'ConcurrencyLimitOptions'],
  ],
  ['resilience/dns/dns-resolver#schema', 'createDnsResolver', ['DnsResolverOptions']],
  ['resilience/resumption/resumable-options#schema', 'resumable', ['ResumableOptions']],
  ['resilience/resumption/resume-options#schema', 'resume', ['ResumeOptions']],
  ['resilience/cluster/create-cluster#schema', 'createCluster', ['ClusterOptions']],
  ['resilience/cluster/join-cluster#schema', 'joinCluster', ['JoinClusterOptions']],
  ['simulation/simulation-options#schema', 'createSimulation', ['SimulationOptions']],
  ['simulation/network/link-settings#schema', 'sim.link', ['LinkOptions']],
  ['simulation/nodes/node-store#schema', 'createSimulation({ disk })', ['DiskOptions']],
  ['simulation/explore/explore-options#schema', 'explore', ['ExploreOptions']],
  ['simulation/faults/swarm#schema', 'nemeses.swarm', ['SwarmOptions']],
  ['transport-testkit/faulty/faults#schema', 'faulty(…).set', ['NetworkFaults', 'FaultSettings']],
  ['resilience/health/drain#schema', 'drain', ['DrainOptions']],
];

/** Schemas that are parts of others, or belong to no call of their own, with the reason. */
export const parts = new Map([
  [
    'transport-core/transport/engine#mountOptions',
    'mount takes a rule and a flag: guarding.md, health.md',
  ],
  ['transport-core/transport/protocol-transport#closeOptions', 'close takes one time, grace'],
  ['transport-tcp/tcp-options#backendSchema', 'createTcpStreamLayer lists its options'],
  ['transport-ws/ws-options#backendSchema', 'createWsStreamLayer lists its options'],
  ['transport-nats/nats-options#backendSchema', 'createNatsStreamLayer lists its options'],
  ['transport-webrtc/webrtc-options#backendSchema', 'createWebRtcStreamLayer lists its options'],
  ['resilience/retries/retries#throttleOptions', 'createRetries lists its options'],
  ['transport-testkit/faulty/faults#optionsOfFaulty', 'the faults and a seed'],
  ['simulation/faults/plan#schema', 'one for each nemesis, made by a function'],
]);
