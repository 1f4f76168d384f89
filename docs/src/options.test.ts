// Checks that every public function that takes options refuses an unknown one. The reports in `api`
// list the functions of all entries; a function that is missing in the table below fails the test.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { admin, createAdmin, followNode } from '@trunkline/admin';
import { serveDashboard } from '@trunkline/admin/dashboard';
import {
  asyncApi,
  createReflector,
  reflectedProtocol,
  serveReflection,
} from '@trunkline/admin/reflection';
import { createPeers } from '@trunkline/peers';
import { createPortMapping } from '@trunkline/peers/nat';
import * as resilience from '@trunkline/resilience';
import { createCluster, joinCluster } from '@trunkline/resilience/cluster';
import { createDnsResolver } from '@trunkline/resilience/dns';
import { drain, serveHealth } from '@trunkline/resilience/health';
import { resumable, resume } from '@trunkline/resilience/resumption';
import * as security from '@trunkline/security';
import { loadOrCreateIdentity, saveIdentity } from '@trunkline/security/node';
import { createNoiseStreamLayer, secured } from '@trunkline/security/noise';
import * as simulation from '@trunkline/simulation';
import { createLoader } from '@trunkline/simulation/loader';
import { runOnProcesses } from '@trunkline/simulation/processes';
import { createMetrics } from '@trunkline/telemetry';
import { createTracing } from '@trunkline/telemetry/opentelemetry';
import { exportMetrics } from '@trunkline/telemetry/prometheus';
import {
  bytes,
  createTransport,
  defineProtocol,
  json,
  serve,
  TransportError,
} from '@trunkline/transport-core';
import { NetworkTransport, reasonError } from '@trunkline/transport-core/backend';
import { protobuf } from '@trunkline/transport-core/protobuf';
import { inmem } from '@trunkline/transport-inmem';
import { createInmemStreams } from '@trunkline/transport-inmem/layer';
import { nats, serveNats } from '@trunkline/transport-nats';
import { createNatsStreamLayer } from '@trunkline/transport-nats/layer';
import { tcp } from '@trunkline/transport-tcp';
import { createTcpStreamLayer } from '@trunkline/transport-tcp/layer';
import { createTransitWatch, faulty } from '@trunkline/transport-testkit';
import { createMemorySignaling, webrtc } from '@trunkline/transport-webrtc';
import {
  createChannelConnection,
  createWebRtcStreamLayer,
} from '@trunkline/transport-webrtc/layer';
import { createHubSignal, createSignalHub } from '@trunkline/transport-webrtc/signaling';
import { createWampSignal } from '@trunkline/transport-webrtc/wamp';
import { ws } from '@trunkline/transport-ws';
import { createWsStreamLayer } from '@trunkline/transport-ws/layer';
import test from 'ava';
import { createGossip, fullMesh, partialView } from 'trunkline/gossip';
import { relay } from 'trunkline/gossip/relay';
import { createNode } from 'trunkline/mesh';
import { z } from 'zod';
import { read, root } from './texts.ts';

const protocol = defineProtocol({
  name: 'options',
  methods: {
    ask: { request: bytes, response: bytes },
    list: { request: bytes, download: bytes },
  },
});
const open = () => createTransport({ protocol, backends: [inmem()] });
const identity = security.createIdentity();
const peers = () => createPeers({ transport: open(), identity });
const gossip = () => {
  const transport = open();
  const own = createPeers({ transport, identity });
  return createGossip({ transport, peers: own, overlay: fullMesh() });
};
const handlers = { ask: (request: Uint8Array<ArrayBuffer>) => request };
const sim = () => simulation.createSimulation();
const nowhere = 'inmem://nowhere';
const nothing = new Uint8Array(0);

/** Calls each function that takes options, by its name in the reports, with the given options. */
const calls: Record<string, (options: never) => unknown> = {
  admin,
  createAdmin,
  'Admin.serve': (sources) => createAdmin({ allow: () => true }).serve(sources),
  followNode: (options) => followNode({ watch: async () => [] } as never, options).next(),
  serveDashboard: (options) => serveDashboard(open(), options),
  asyncApi: (options) => asyncApi([], options),
  reflectedProtocol: (options) => reflectedProtocol({ methods: [] } as never, options),
  serveReflection: (options) => serveReflection(open(), options),
  'Reflector.describe': (options) => createReflector(open()).describe(nowhere, 'x', options),
  'Reflector.list': (options) => createReflector(open()).list(nowhere, options),
  createGossip,
  fullMesh,
  partialView,
  relay,
  'Gossip.close': (options) => gossip().close(options),
  'Gossip.topic': (options) => gossip().topic('t', bytes, options),
  'Topic.publish': (options) => gossip().topic('t', bytes).publish(nothing, options),
  'Topic.subscribe': (options) =>
    gossip()
      .topic('t', bytes)
      .subscribe(() => {}, options),
  'Topic.messages': (options) => gossip().topic('t', bytes).messages(options),
  createPeers,
  'Peers.update': (options) => peers().update(options),
  'Peers.ready': (options) => peers().ready(options),
  'Peers.transport': (options) =>
    peers().transport(defineProtocol({ name: 'p', methods: {} }), options),
  createPortMapping: (options) => createPortMapping(open(), options),
  createAdmission: resilience.createAdmission,
  createBalancer: resilience.createBalancer,
  createCircuitBreaker: resilience.createCircuitBreaker,
  createConcurrencyLimit: resilience.createConcurrencyLimit,
  createRetries: resilience.createRetries,
  multicast: (options) => resilience.multicast(open(), [nowhere], 'ask', nothing, options),
  pickFirst: resilience.pickFirst,
  joinCluster: (options) => joinCluster(open(), options),
  createCluster,
  createDnsResolver,
  drain: (options) => drain(open(), options),
  serveHealth: (options) => serveHealth(open(), options),
  resumable: (options) => resumable(open(), 'list', async function* () {}, options),
  resume: (options) => resume(open(), nowhere, 'list', nothing, options),
  'Authority.issue': async (options) => (await security.createAuthority()).issue(identity, options),
  createAuthority: security.createAuthority,
  createIdentity: security.createIdentity,
  openAuthority: security.openAuthority,
  selfSigned: (options) => security.selfSigned(identity, options),
  loadOrCreateIdentity: (options) => loadOrCreateIdentity('/nonexistent/key', options),
  saveIdentity: (options) => saveIdentity('/nonexistent/key', identity, options),
  createNoiseStreamLayer: (options) => createNoiseStreamLayer(createTcpStreamLayer(), options),
  secured: (options) => secured(tcp(), options),
  assertDeterministic: (options) => simulation.assertDeterministic(async () => {}, options),
  checkLinearizable: (options) => simulation.check.linearizable([], options),
  checkObject: (options) => simulation.check.object([], {} as never, options),
  checkTransactions: (options) => simulation.check.transactions([], options),
  createSimulation: simulation.createSimulation,
  explore: simulation.explore,
  ...Object.fromEntries(
    Object.entries(simulation.nemeses)
      .filter(([name]) => name !== 'compose')
      .map(([name, nemesis]) => [name, nemesis as never]),
  ),
  'NodeContext.transport': async (options) => {
    let thrown: unknown;
    const setup: simulation.NodeSetup = ({ transport }) => {
      try {
        transport(protocol, options);
      } catch (error) {
        thrown = error;
      }
    };
    await sim().node('a', setup).run(1);
    throw thrown;
  },
  'Simulation.client': (options) => sim().client(protocol, options),
  'Simulation.crash': (options) =>
    sim()
      .node('a', () => {})
      .crash('a', options),
  'Simulation.cut': (options) => sim().cut('a', 'b', options),
  'Simulation.disk': (options) =>
    sim()
      .node('a', () => {})
      .disk('a', options),
  'Simulation.eventually': (options) => sim().eventually('x', () => true, options),
  'Simulation.hold': (options) => sim().hold('a', 'b', options),
  'Simulation.link': (options) => sim().link('a', 'b', {}, options),
  'Simulation.node': (options) => sim().node('a', () => {}, options),
  'Simulation.skew': (options) => sim().skew('a', 1, options),
  'Simulation.release': (options) => sim().release('a', 'b', options),
  createLoader: (options) => createLoader(import.meta.url, options),
  runOnProcesses,
  createMetrics,
  'Metrics.watch': (sources) => createMetrics().watch(sources),
  createTracing,
  exportMetrics: (options) => exportMetrics({ definitions: [] } as never, options),
  createTransport,
  json: (options) => json(z.string(), options),
  protobuf: (options) => protobuf({ encode: () => {}, decode: () => {} } as never, options),
  serve: (options) => serve(open(), handlers, options),
  'Server.stop': (options) => serve(open(), handlers).stop(options),
  'Transport.close': (options) => open().close(options),
  'Transport.dial': (options) => open().dial(nowhere, options),
  'Transport.hold': (options) => open().hold(nowhere, options),
  'Transport.mount': (options) => open().mount(defineProtocol({ name: 'm', methods: {} }), options),
  'Transport.send': (options) => open().send(nowhere, 'ask', nothing, options),
  'TransportError.constructor': (options) => new TransportError('internal', '', options),
  'NetworkTransport.constructor': (options) => new NetworkTransport(options),
  reasonError: (options) => reasonError('reset', '', options),
  inmem,
  createInmemStreams,
  'InmemStreams.layer': (options) => createInmemStreams().layer('inmem://a', options),
  serveNats: (options) => serveNats(open(), options),
  nats,
  createNatsStreamLayer,
  tcp,
  createTcpStreamLayer,
  createTransitWatch,
  faulty: (options) => faulty(tcp(), options),
  'MemorySignaling.signal': (options) => createMemorySignaling().signal('a', options),
  webrtc,
  createWebRtcStreamLayer,
  createChannelConnection: (options) => createChannelConnection({} as never, options),
  createSignalHub,
  createHubSignal,
  createWampSignal,
  ws,
  createWsStreamLayer,
  createNode,
  'MeshNode.close': async (options) => {
    const node = await createNode({
      protocol,
      backends: [inmem()],
      address: 'inmem://n',
    });
    await node.close(options).finally(() => node.close());
  },
};

/** The other functions that look as if they took options, by the reason why they are not called. */
const others: Record<string, readonly string[]> = {
  'takes values': [
    ...['AddressBookStore.load', 'CollectedMetricProducer.collect', 'Admission.snapshot'],
    ...['AdminSources.list', 'AdminSources.snapshot', 'CircuitBreaker.snapshot'],
    ...['ConcurrencyLimit.snapshot', 'MetricSources.snapshot', 'Retries.snapshot'],
    ...[
      'HttpServer.address',
      'Machine.handle',
      'NodeIdFilter.constructor',
      'RawPeer.grant',
      'Peers.book',
    ],
    ...['Simulation.membership', 'SimulationError.constructor', 'StatusSync.pulled'],
    ...['TraceChannel.settled', 'charge'],
    ...['formatGossip', 'formatPeers', 'isBreakingChange', 'replayText', 'splitScheme', 'unsentOf'],
    ...['tlsConnectionError', 'tlsDialError', 'parseOptions', 'refuseUnknown'],
  ],
  'made by a function of the table': [
    ...['Gossip.constructor', 'Peers.constructor', 'Simulation.constructor', 'Topic.constructor'],
  ],
  'passes them to a function of the table': [
    ...['NodeTopic.publish', 'TracedTopic.publish', 'Tracing.consumer', 'Tracing.publish'],
    ...['stackless', 'withDetails'],
  ],
  'called by Trunkline, not by programs': [
    ...['Backend.layer', 'StreamLayer.dial', 'StreamLayer.listen', 'dial', 'Signal.open'],
    ...['MutualTls.constructor', 'MutualTls.acceptor', 'MutualTls.secure', 'writeAtomically'],
    ...['PendingDials.open', 'Reporter.constructor', 'StatusSync.constructor', 'manage'],
    ...['TlsAcceptor.constructor', 'TlsAcceptor.renew', 'RtcPeerConnection.createDataChannel'],
  ],
  'registers tests, or is written by the author of a backend': [
    ...[
      'FaultyTransportBackend.layer',
      'IdentityBackend.transport',
      'IdentityBackend.client',
      'TlsIdentityTools.createIdentity',
    ],
    ...['RawTlsSocket.renegotiate', 'SessionPlace.transport', 'StreamLayerSuiteOptions.make'],
    ...['TlsClients.client', 'TlsIdentityBackend.raw', 'TlsIdentityBackend.transport'],
    ...['TransportBackend.create', 'faultyStreamLayerSuite', 'faultyTransportSuite'],
    ...['streamLayerSuite', 'tlsCredentials', 'tlsNodes'],
  ],
  'needs worker processes': ['Cluster.snapshot'],
};

for (const [name, call] of Object.entries(calls))
  test.serial(`${name} refuses an unknown option`, async (t) => {
    let error: unknown;
    try {
      await call({ mispelt: 1 } as never);
    } catch (thrown) {
      error = thrown;
    }
    t.true(error instanceof TypeError, String(error));
    t.regex((error as TypeError).message, /mispelt: unknown option; /);
  });

test('the table has every function that takes options', (t) => {
  const known = new Set([...Object.keys(calls), ...Object.values(others).flat()]);
  t.deepEqual(
    functionsWithOptions().filter((name) => !known.has(name)),
    [],
  );
});

/** Returns the functions, methods and constructors in the reports that take options. */
function functionsWithOptions(): string[] {
  const found = new Set<string>();
  for (const file of readdirSync(join(root, 'api'))) {
    let owner: string | undefined;
    for (const line of read(`api/${file}`).split('\n')) {
      owner = /^(?:export )?(?:class|interface) (\w+)/.exec(line)?.[1] ?? owner;
      if (line === '' || line === '}') owner = undefined;
      const [, head = '', name = '', rest = ''] =
        /^(export function |\s+(?:readonly )?)(\w+)(?:<.*?>)?(?:\(|: \()(.*)/.exec(line) ?? [];
      if (!/\b(?:options|input|sources)\??: |: \w*Options\b|\{$/.test(rest)) continue;
      found.add(head.startsWith('export') || owner === undefined ? name : `${owner}.${name}`);
    }
  }
  return [...found];
}
