// Tests of metrics in a registry of prom-client.

import { type CallRecord, TransportError } from '@trunkline/transport-core';
import test from 'ava';
import { Counter, Registry } from 'prom-client';
import type { Metric } from '../collection.ts';
import { exportMetrics } from '../index.prometheus.ts';
import { createMetrics, type Metrics } from '../metrics.ts';

const CALL = { protocol: 'kv', method: 'get', attempts: 1, queued: 0, duration: 1_500 };

function measured(): Metrics {
  const metrics = createMetrics({ bounds: [1, 2] });
  for (const error of [undefined, new TransportError('not_found', 'there is none')]) {
    const call = { ...CALL, code: error?.code } as CallRecord;
    metrics.observer.callStarted!(call);
    metrics.observer.callEnded!(call);
  }
  return metrics;
}

test('a histogram has cumulative buckets, a sum and a count', async (t) => {
  const registry = new Registry();
  exportMetrics(measured(), { registry });
  const text = await registry.getSingleMetricAsString('rpc_client_call_duration_seconds');
  t.deepEqual(
    text.split('\n').filter((line) => !line.includes('not_found')),
    [
      '# HELP rpc_client_call_duration_seconds Duration of calls made by this node.',
      '# TYPE rpc_client_call_duration_seconds histogram',
      ...['1"} 0', '2"} 1', '+Inf"} 1'].map(
        (end) => `rpc_client_call_duration_seconds_bucket{${OK},le="${end}`,
      ),
      `rpc_client_call_duration_seconds_sum{${OK}} 1.5`,
      `rpc_client_call_duration_seconds_count{${OK}} 1`,
    ],
  );
  t.regex(text, /_count\{.*rpc_status_code="not_found",error_type="not_found"\} 1/);
});

test('counters end in _total, sizes and times in their unit', async (t) => {
  const registry = new Registry();
  exportMetrics(createMetrics(), { registry });
  const text = await registry.metrics();
  for (const line of [
    'trunkline_io_bytes_total{direction="receive"} 0',
    'trunkline_oneway_dropped_total{reason="lost"} 0',
    'trunkline_memory_usage_bytes 0',
    '# TYPE trunkline_connection_rtt_seconds gauge',
  ])
    t.true(text.split('\n').includes(line), line);
});

test('OpenMetrics get the same names', async (t) => {
  const registry = new Registry();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
  exportMetrics(createMetrics(), { registry });
  for (const _ of [1, 2]) {
    const text = await registry.metrics();
    t.true(text.includes('# TYPE trunkline_io_bytes counter\n'));
    t.true(text.includes('trunkline_io_bytes_total{direction="receive"} 0\n'));
    t.false(text.includes('_total_total'));
  }
});

test('a scrape collects once', async (t) => {
  const metrics = createMetrics();
  let collections = 0;
  const counted: Metrics = {
    observer: metrics.observer,
    definitions: metrics.definitions,
    watch: (sources) => metrics.watch(sources),
    collect(): readonly Metric[] {
      collections++;
      return metrics.collect();
    },
  };
  const registry = new Registry();
  exportMetrics(counted, { registry });
  await registry.metrics();
  t.is(collections, 1);
  await registry.getMetricsAsJSON();
  t.is(collections, 2);
});

test('metrics that are collected asynchronously are collected once, and again after a failure', async (t) => {
  const { definitions } = createMetrics();
  let collections = 0;
  const registry = new Registry();
  exportMetrics(
    {
      definitions,
      async collect() {
        await new Promise(setImmediate);
        if (collections++ === 0) throw new Error('no worker answers');
        return createMetrics().collect();
      },
    },
    { registry },
  );
  await t.throwsAsync(registry.metrics(), { message: 'no worker answers' });
  t.regex(await registry.metrics(), /^trunkline_memory_usage_bytes 0$/m);
  t.is(collections, 2);
});

test('default labels of the registry are added, and a reset changes nothing', async (t) => {
  const registry = new Registry();
  registry.setDefaultLabels({ node: 'a' });
  exportMetrics(measured(), { registry });
  registry.resetMetrics();
  const text = await registry.metrics();
  t.regex(text, /rpc_client_call_duration_seconds_count\{.*node="a".*\} 1/);
});

test('metrics are removed again, and a name that is taken leaves none behind', async (t) => {
  const registry = new Registry();
  const taken = new Counter({
    name: 'trunkline_io_bytes_total',
    help: 'taken',
    registers: [registry],
  });
  t.throws(() => exportMetrics(createMetrics(), { registry }), { message: /already/ });
  t.deepEqual(registry.getMetricsAsArray() as unknown[], [taken]);
  registry.clear();
  const remove = exportMetrics(createMetrics(), { registry });
  t.true(registry.getMetricsAsArray().length > 20);
  remove();
  t.deepEqual(registry.getMetricsAsArray(), []);
});

const OK = 'rpc_system_name="trunkline",rpc_method="kv/get",rpc_status_code="ok"';
