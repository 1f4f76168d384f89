// Tests that each alert fires once: a scenario changes what the sources of a node report, the
// exporter writes that down, and promtool evaluates the rules over these series.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CallRecord, TransportError, type TransportSnapshot } from '@trunkline/transport-core';
import test from 'ava';
import { Registry } from 'prom-client';
import { exportMetrics } from '../index.prometheus.ts';
import { createMetrics, type Metrics } from '../metrics.ts';
import type { MetricSources } from '../source-types.ts';
import { createParts } from './testing/parts.ts';

const RULES = join(import.meta.dirname, '../../alerts.yml');
const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
/** promtool begins in 1970. */
const DAY = 86_400;

/** The parts of a node whose values a scenario changes. */
function createNode() {
  const { state: own, sources: parts } = createParts();
  const state = {
    ...own,
    transport: {
      ...{ state: 'open', draining: false, version: '1.2.3', name: 'blue', certificateEnd: 1e12 },
      ...{ connections: [{ direction: 'in', ...QUEUES, streams: 10, blocked: 0, rtt: 1 }] },
      ...{ memory: 0, limits: { memory: 100 }, bytes: { in: 0, out: 0 } },
    },
    topics: [{ topic: 'a', key: 'a', life: 1, neighbors: ['b'], duplicates: 0, dropped: {} }],
  };
  const sources: MetricSources = {
    transport: { snapshot: () => state.transport as unknown as TransportSnapshot },
    gossip: { snapshot: () => ({ topics: state.topics }) },
    ...parts,
  };
  const metrics = createMetrics();
  metrics.watch(sources);
  const { observer } = metrics;
  observer.event!({ type: 'broker', state: 'connected', server: 'a:4222' });
  for (let i = 0; i < 60; i++) call(metrics, 1);
  dial(metrics, 1, 100);
  observer.event!({ type: 'rejected', endpoint: 'a', direction: 'in', error: LOST });
  return { state, metrics, observer };
}

type Change = (node: ReturnType<typeof createNode>) => void;

/** The events of each minute from the fifth on, until the alert fires. */
const scenarios: Record<string, Change | 'up'> = {
  TrunklineCallsFail: ({ metrics }) => call(metrics, 1, new TransportError('internal', 'oops')),
  TrunklineCallsSlow: ({ metrics }) => call(metrics, 9_000),
  TrunklineCallsRefused: ({ observer }) => observer.count!('refusedCall', 100, undefined, false),
  TrunklineOnewaysDropped: ({ observer }) => observer.count!('onewayDropped', 1, undefined, false),
  TrunklineMemoryHigh: ({ state }) => (state.transport.memory = 90),
  TrunklineStreamsBlocked: ({ state }) => (state.transport.connections[0]!.blocked = 10),
  TrunklineConnectionsRejected: ({ observer }) => {
    for (let i = 0; i < 60; i++)
      observer.event!({ type: 'rejected', endpoint: 'a', direction: 'in', error: LOST });
  },
  TrunklineIsolated: ({ state }) => void state.transport.connections.splice(0),
  TrunklineGossipWithoutNeighbors: ({ state }) => void state.topics[0]!.neighbors.splice(0),
  TrunklineDialsSlow: ({ metrics }) => dial(metrics, 9_000, 10),
  TrunklineNodeDown: 'up',
  TrunklineCertificateExpiresIn14Days: ({ state }) =>
    (state.transport.certificateEnd = 13 * DAY * 1_000),
  TrunklineCertificateExpiresIn1Day: ({ state }) =>
    (state.transport.certificateEnd = 0.9 * DAY * 1_000),
  TrunklineDrainLasts: ({ state }) => (state.transport.draining = true),
  TrunklineAddressEjected: ({ state }) => (state.events.ejected = 1),
  TrunklineNoAddressUp: ({ state }) => {
    for (const address of state.addresses) address.status = 'down';
  },
  TrunklineCircuitOpen: ({ state }) => (state.breaker.circuits[0]!.state = 'open'),
  TrunklineRetriesThrottled: ({ state }) => (state.retries.throttled += 10),
  TrunklineOverloaded: ({ state }) => (state.admission.refused += 100),
  TrunklineResumptionFails: ({ state }) => (state.resumption.unknown = 1),
  TrunklineListenerFails: ({ observer }) =>
    observer.event!({ type: 'listenFailed', error: LOST, retryIn: 100 }),
  TrunklineBrokerLost: ({ observer }) =>
    observer.event!({ type: 'broker', state: 'lost', server: 'a:4222', error: LOST }),
};

test('each alert has a scenario, and each metric that an alert names is exported', async (t) => {
  const rules = readFileSync(RULES, 'utf8');
  const names = [...rules.matchAll(/alert: (\w+)/g)].map(([, name]) => name);
  t.deepEqual(names.sort(), Object.keys(scenarios).sort());
  const { metrics } = createNode();
  const text = await exported(metrics);
  for (const [metric] of rules.matchAll(/\b(trunkline|rpc)_\w+(?=[{[) ])/g))
    if (metric !== 'rpc_method') t.true(text.includes(`\n${metric}`), metric);
});

const promtoolTest = hasPromtool ? test.serial : test.serial.skip;
promtoolTest('promtool accepts the rules and a scrape with all metrics', async (t) => {
  const rules = spawnSync('promtool', ['check', 'rules', '--lint-fatal', RULES]);
  t.is(rules.status, 0, String(rules.stdout));
  const { metrics } = createNode();
  const input = await exported(metrics);
  const scrape = spawnSync('promtool', ['check', 'metrics'], { input });
  t.is(`${scrape.stdout}${scrape.stderr}`, '');
});

promtoolTest('each alert fires in its scenario, and none before', async (t) => {
  const tests = await Promise.all(
    Object.entries(scenarios).map(async ([alertname, change]) => ({
      interval: '1m',
      input_series: await seriesOf(change),
      alert_rule_test: [4, 12, 40].map((minute) => ({
        ...{ alertname, eval_time: `${minute}m`, exp_alerts: [] },
      })),
    })),
  );
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-alerts-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'tests.yml');
  // JSON is YAML.
  writeFileSync(file, JSON.stringify({ rule_files: [RULES], tests }));
  // The test expects no alerts, so promtool lists all that fire.
  const { stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
  const fired = [...`${stdout}${stderr}`.matchAll(/alertname: (\w+), time: (\w+)/g)];
  t.deepEqual(
    [...new Set(fired.map(([, name]) => name!))].sort(),
    Object.keys(scenarios).sort(),
    `${stdout}${stderr}`,
  );
  t.deepEqual(
    fired.filter(([, , time]) => time === '4m'),
    [],
  );
});

/**
 * Returns the series of a node in promtool's notation, one value for each minute: four without a
 * fault, then the fault for 36 minutes.
 */
async function seriesOf(change: Change | 'up') {
  const node = createNode();
  const values = new Map<string, string[]>();
  for (let minute = 0; minute <= 40; minute++) {
    for (let i = 0; i < 2; i++) call(node.metrics, 1);
    if (minute >= 5 && change !== 'up') change(node);
    for (const line of (await exported(node.metrics)).split('\n')) {
      const [, name, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      if (name === undefined) continue;
      const series = `${name}{${labels}${labels === '' ? '' : ','}job="shop",instance="a:9464"}`;
      const list = values.get(series) ?? Array(minute).fill('_');
      values.set(series, [...list, change === 'up' && minute >= 5 ? '_' : value!]);
    }
  }
  const up = Array.from({ length: 41 }, (_, minute) => (change === 'up' && minute >= 5 ? 0 : 1));
  return [
    ...[...values].map(([series, list]) => ({ series, values: list.join(' ') })),
    { series: 'up{job="shop",instance="a:9464"}', values: up.join(' ') },
    // Another node of the job.
    { series: 'trunkline_memory_limit_bytes{job="shop",instance="b:9464"}', values: '1x40' },
    { series: 'trunkline_connections{job="shop",instance="b:9464"}', values: '1x40' },
  ];
}

async function exported(metrics: Metrics): Promise<string> {
  const registry = new Registry();
  exportMetrics(metrics, { registry });
  return registry.metrics();
}

function call({ observer }: Metrics, duration: number, error?: TransportError): void {
  const method = { protocol: 'kv', method: 'get', attempts: 1, queued: 0 };
  const record = { ...method, duration, code: error?.code } as CallRecord;
  observer.handlerStarted!(record);
  observer.handlerEnded!(record);
}

function dial({ observer }: Metrics, duration: number, times: number): void {
  for (let i = 0; i < times; i++)
    observer.dialEnded!({ target: 'a', duration, error: undefined } as never);
}

const QUEUES = { inbound: { calls: 0, bytes: 0 }, outbound: { messages: 0, bytes: 0 } };
const LOST = new TransportError('unavailable', 'lost');
