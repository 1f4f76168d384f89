// Tests of the metric producer with OpenTelemetry's SDK and an OTLP collector.

import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  type MetricProducer,
  PeriodicExportingMetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import {
  ATTR_ERROR_TYPE,
  ATTR_RPC_METHOD,
  ATTR_RPC_SYSTEM_NAME,
  METRIC_RPC_CLIENT_CALL_DURATION,
  METRIC_RPC_SERVER_CALL_DURATION,
} from '@opentelemetry/semantic-conventions';
import {
  type CallRecord,
  createTransport,
  defineProtocol,
  TransportError,
} from '@trunkline/transport-core';
import { inmem } from '@trunkline/transport-inmem';
import test, { type ExecutionContext } from 'ava';
import { createMetricProducer, recordCalls } from '../index.opentelemetry.ts';
import { createMetrics } from '../metrics.ts';
import { startCollector } from './testing/collector.ts';

const CALL = {
  side: 'client',
  protocol: 'kv',
  method: 'get',
  attempts: 1,
  queued: 0,
  duration: 20,
};
const FAILED = { ...CALL, code: new TransportError('not_found', 'there is none').code };

function fixture(t: ExecutionContext, exporter: PushMetricExporter) {
  const metrics = createMetrics();
  const producer: MetricProducer = createMetricProducer(metrics);
  const reader = new PeriodicExportingMetricReader({ exporter, metricProducers: [producer] });
  const provider = new MeterProvider({ readers: [reader] });
  t.teardown(() => provider.shutdown());
  for (const call of [CALL, FAILED] as CallRecord[]) {
    metrics.observer.callStarted!(call);
    metrics.observer.callEnded!(call);
  }
  return { metrics, reader, provider };
}

test('a reader of the SDK gets histograms, sums and gauges', async (t) => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const { metrics, reader } = fixture(t, exporter);
  metrics.observer.event!({ type: 'down', remote: {} as never });
  const protocol = defineProtocol({ name: 'none', methods: {} });
  const snapshot = createTransport({ protocol, backends: [inmem()] }).snapshot();
  metrics.watch({ transport: { snapshot: () => ({ ...snapshot, version: '1.2.3' }) } });
  await reader.forceFlush();
  const scopes = exporter.getMetrics()[0]!.scopeMetrics;
  const { scope, metrics: all } = scopes.find(
    ({ scope }) => scope.name === '@trunkline/telemetry/opentelemetry',
  )!;
  t.is(scope.version, '1.2.3');
  t.false(all.some(({ descriptor }) => descriptor.name === 'target.info'));
  const find = (name: string) => all.find(({ descriptor }) => descriptor.name === name)!;
  const durations = find('rpc.client.call.duration');
  t.is(durations.dataPointType, DataPointType.HISTOGRAM);
  t.is(durations.descriptor.unit, 's');
  t.deepEqual(
    durations.dataPoints.map(({ attributes }) => attributes),
    [
      { 'rpc.system.name': 'trunkline', 'rpc.method': 'kv/get', 'rpc.status_code': 'ok' },
      {
        'rpc.system.name': 'trunkline',
        'rpc.method': 'kv/get',
        'rpc.status_code': 'not_found',
        'error.type': 'not_found',
      },
    ],
  );
  const [{ value, startTime, endTime }] = durations.dataPoints as never as [
    { value: { sum: number; count: number; buckets: { counts: number[] } } } & Record<
      'startTime' | 'endTime',
      [number, number]
    >,
  ];
  t.deepEqual([value.sum, value.count], [0.02, 1]);
  t.is(value.buckets.counts[5], 1, 'at most 25 ms');
  t.true(endTime[0] - startTime[0] <= 1 && Math.abs(endTime[0] - Date.now() / 1_000) < 60);
  const closed = find('trunkline.connection.closed');
  t.like(closed, { dataPointType: DataPointType.SUM, isMonotonic: true });
  t.like(find('trunkline.client.call.active'), { isMonotonic: false });
  t.falsy(find('trunkline.connection.rtt'), 'a metric without points is left out');
});

test('an OTLP collector gets the metrics', async (t) => {
  const collector = await startCollector();
  t.teardown(() => collector.close());
  const { reader } = fixture(t, new OTLPMetricExporter({ url: `${collector.url}/v1/metrics` }));
  await reader.forceFlush();
  const text = JSON.stringify(collector.received('/v1/metrics'));
  t.true(text.includes('"name":"rpc.client.call.duration"'));
  t.true(text.includes('"stringValue":"kv/get"'));
  t.regex(text, /"explicitBounds":\[0\.0005,0\.001/);
});

test('the names are those of the semantic conventions', (t) => {
  const names = createMetrics().definitions.map(({ name }) => name);
  t.true(names.includes(METRIC_RPC_CLIENT_CALL_DURATION));
  t.true(names.includes(METRIC_RPC_SERVER_CALL_DURATION));
  t.deepEqual(
    [ATTR_RPC_SYSTEM_NAME, ATTR_RPC_METHOD, ATTR_ERROR_TYPE],
    ['rpc.system.name', 'rpc.method', 'error.type'],
  );
});

test('calls can be recorded in a meter of the application', async (t) => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const { provider, reader } = fixture(t, exporter);
  const observer = recordCalls(provider.getMeter('application'));
  for (const call of [CALL, FAILED, { ...CALL, code: 'cancelled' }] as CallRecord[]) {
    observer.callStarted!(call);
    observer.callEnded!(call);
  }
  observer.handlerStarted!({ ...CALL, side: 'server' } as CallRecord);
  await reader.forceFlush();
  const scopes = exporter.getMetrics()[0]!.scopeMetrics;
  const all = scopes.find(({ scope }) => scope.name === 'application')!.metrics;
  t.deepEqual(
    all.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints.length]),
    [
      ['rpc.client.call.duration', 3],
      ['trunkline.client.call.active', 1],
      ['trunkline.server.call.active', 1],
    ],
  );
  const outcomes = all[0]!.dataPoints.map(({ attributes }) => [
    attributes['rpc.status_code'],
    attributes['error.type'],
  ]);
  t.deepEqual(outcomes, [
    ['ok', undefined],
    ['not_found', 'not_found'],
    ['cancelled', undefined],
  ]);
});
